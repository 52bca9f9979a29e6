//! Spec, "Self-doubt" and "Isolation": broken links, and meshes that are cut in two.

use super::mesh::Mesh;
use super::room::{MS, SECOND};
use crate::protocol::membership::{Finding, Flaw, Phase, Standing};

const fn is_reset(finding: &Finding) -> bool {
    matches!(finding, Finding::GoingDown { .. })
}

const fn is_isolated(finding: &Finding) -> bool {
    matches!(finding, Finding::ConsideredSelfDown { .. })
}

fn holds(mesh: &Mesh) -> Vec<(u8, std::time::Duration)> {
    let hold = |(_, teller, finding): &(_, u8, Finding)| match finding {
        Finding::LinkDown { hold, .. } => Some((*teller, *hold)),
        _ => None,
    };
    mesh.log.iter().filter_map(hold).collect()
}

#[test]
fn one_broken_link_is_link_down_with_growing_holds_and_no_verdict() {
    for one_way in [false, true] {
        let mut mesh = Mesh::new(10);
        if one_way {
            mesh.cut_one_way(0, 1);
        } else {
            mesh.cut(0, 1);
        }
        mesh.run(300 * SECOND);
        assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
        assert_eq!(mesh.count_all(is_reset) + mesh.count_all(is_isolated), 0);
        for number in [0, 1] {
            let holds: Vec<_> =
                holds(&mesh).into_iter().filter(|(n, _)| *n == number).map(|(_, h)| h).collect();
            assert!(holds.len() <= 6, "{holds:?}");
            assert!(holds.iter().all(|hold| *hold >= 10 * SECOND && *hold <= 300 * SECOND));
            assert!(holds.windows(2).all(|two| two[1] == (two[0] * 2).min(300 * SECOND)));
            assert_eq!(mesh.phase(number), Phase::Active);
        }
        assert!(!holds(&mesh).is_empty(), "somebody watched it: {:#?}", mesh.tail());
        mesh.heal();
        mesh.run(10 * SECOND);
        mesh.expect_whole(10);
        assert_eq!(mesh.standing(0, 1), Some(Standing::Alive));
    }
}

#[test]
fn who_is_cut_from_few_doubts_itself_and_stays() {
    let mut mesh = Mesh::new(10);
    mesh.split(&[0], &[1, 2, 3, 4]);
    mesh.run(120 * SECOND);
    assert_eq!(mesh.count_all(is_reset), 0, "{:#?}", mesh.tail());
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    let doubts = mesh.count_all(|finding| matches!(finding, Finding::SelfDoubt { .. }));
    assert!(doubts > 0, "{:#?}", mesh.tail());
    (0..10).for_each(|number| assert_eq!(mesh.phase(number), Phase::Active));
}

#[test]
fn who_is_cut_from_more_than_half_resets_itself_and_comes_back() {
    let mut mesh = Mesh::new(10);
    mesh.split(&[0], &[1, 2, 3, 4, 5]);
    mesh.run(120 * SECOND);
    let resets = mesh.count(0, is_reset);
    assert!(resets > 0, "{:#?}", mesh.tail());
    let others = mesh.count_all(is_reset) - resets;
    assert_eq!(others, 0, "{:#?}", mesh.tail());
    assert!(mesh.put_out().iter().all(|out| *out == 0), "{:#?}", mesh.tail());
    mesh.heal();
    mesh.run(400 * SECOND);
    mesh.expect_whole(10);
}

#[test]
fn who_hears_nobody_is_isolated_and_back_through_the_first_it_reaches() {
    let mut mesh = Mesh::new(5);
    mesh.split(&[0], &[1, 2, 3, 4]);
    mesh.run(20 * SECOND);
    assert_eq!(mesh.count(0, is_isolated), 1, "{:#?}", mesh.tail());
    assert_eq!(mesh.phase(0), Phase::Isolated);
    assert_eq!(mesh.put_out(), [0].into(), "{:#?}", mesh.tail());
    (1..5).for_each(|number| assert_eq!(mesh.sizes(number), (4, 4)));
    let before = mesh.machine(0).incarnation();
    mesh.heal();
    assert!(mesh.run_to(35 * SECOND, |mesh| mesh.phase(0) == Phase::Active), "{:#?}", mesh.tail());
    assert!(mesh.machine(0).incarnation() > before);
    mesh.run(5 * SECOND);
    mesh.expect_whole(5);
}

#[test]
fn when_the_whole_network_was_away_all_go_on_as_they_were() {
    for count in [3, 5, 8] {
        let mut mesh = Mesh::new(count);
        let all: Vec<u8> = (0..count).collect();
        mesh.split(&all, &all);
        mesh.run(30 * SECOND);
        assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
        mesh.heal();
        mesh.run(60 * SECOND);
        mesh.expect_whole(count);
        assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    }
}

#[test]
fn when_all_put_themselves_out_at_once_they_go_on_when_they_are_back() {
    let mut mesh = Mesh::new(7);
    (0..7).for_each(|number| mesh.reset(number));
    mesh.run(15 * SECOND);
    mesh.expect_whole(7);
}

/// Every vote of the larger side is needed, and most of it never met whom it is asked about: their
/// probes wait for links that hang.
#[test]
fn in_a_ring_the_larger_side_puts_out_whom_most_of_it_never_met() {
    for (count, side) in [(8, 5), (12, 7), (16, 9), (32, 17)] {
        let mut mesh = Mesh::ring(count);
        mesh.dial_fails_after = 5 * SECOND;
        let (one, other): (Vec<u8>, Vec<u8>) = (0..count).partition(|number| *number < side);
        mesh.split(&one, &other);
        let one = |mesh: &Mesh| !mesh.put_out().is_empty();
        assert!(mesh.run_to(6 * SECOND, one), "{count}: {:#?}", mesh.tail());
        mesh.run(10 * SECOND);
        assert!(mesh.put_out().iter().all(|out| other.contains(out)), "{:#?}", mesh.tail());
        let is_too_old =
            |it: &Finding| matches!(it, Finding::Rejected { reason: Flaw::TooOld, .. });
        assert_eq!(mesh.count_all(is_too_old), 0, "{count}: {:#?}", mesh.tail());
    }
}

#[test]
fn of_two_equal_halves_neither_puts_anybody_out() {
    for half in [2, 5, 16] {
        let mut mesh = Mesh::new(2 * half);
        let (one, other): (Vec<u8>, Vec<u8>) = (0..2 * half).partition(|number| *number < half);
        mesh.split(&one, &other);
        mesh.run(60 * SECOND);
        assert!(mesh.put_out().is_empty(), "{half}: {:#?}", mesh.tail());
        assert_eq!(mesh.count_all(is_reset) + mesh.count_all(is_isolated), 0, "{half}");
        mesh.heal();
        mesh.run(30 * SECOND);
        mesh.expect_whole(2 * half);
        assert!(mesh.put_out().is_empty(), "{half}: {:#?}", mesh.tail());
    }
}

#[test]
fn of_unequal_parts_the_majority_alone_puts_out() {
    for (large, small) in [(3, 2), (8, 5), (12, 4)] {
        let mut mesh = Mesh::new(large + small);
        let (one, other): (Vec<u8>, Vec<u8>) =
            (0..large + small).partition(|number| *number < large);
        mesh.split(&one, &other);
        mesh.run(60 * SECOND);
        assert!(mesh.put_out().iter().all(|out| other.contains(out)), "{:#?}", mesh.tail());
        for number in &one {
            assert_eq!(mesh.sizes(*number), (u32::from(large), u32::from(large)));
        }
        for number in &other {
            let down = |finding: &Finding| matches!(finding, Finding::Down { .. });
            assert_eq!(mesh.count(*number, down), 0, "{:#?}", mesh.tail());
        }
        mesh.heal();
        let whole = |mesh: &Mesh| {
            let size = u32::from(large + small);
            mesh.numbers().iter().all(|number| mesh.sizes(*number) == (size, size))
        };
        assert!(mesh.run_to(60 * SECOND, whole), "{:#?}", mesh.tail());
        mesh.run(5 * SECOND);
        mesh.expect_whole(large + small);
    }
}

#[test]
fn a_node_that_hears_nothing_for_a_while_again_and_again_harms_nobody() {
    let mut mesh = Mesh::new(7);
    for _ in 0..5 {
        (1..7).for_each(|other| mesh.cut_one_way(other, 0));
        mesh.run(20 * SECOND);
        mesh.heal();
        mesh.run(20 * SECOND);
    }
    assert!(mesh.put_out().iter().all(|out| *out == 0), "{:#?}", mesh.tail());
    mesh.run(60 * SECOND);
    mesh.expect_whole(7);
}

#[test]
fn a_short_cut_leaves_no_trace() {
    let mut mesh = Mesh::new(7);
    mesh.split(&[0, 1, 2], &[3, 4, 5, 6]);
    mesh.run(900 * MS);
    mesh.heal();
    mesh.run(10 * SECOND);
    mesh.expect_whole(7);
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    assert_eq!(mesh.count_all(is_reset) + mesh.count_all(is_isolated), 0);
}
