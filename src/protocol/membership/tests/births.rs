//! Spec, "Birth" and "The agreed membership": how a mesh begins, grows, stops and meets another.

use std::collections::BTreeSet;

use super::mesh::Mesh;
use super::room::{MS, SECOND, id};
use crate::base::id::Life;
use crate::protocol::membership::{Finding, Input, MembershipConfig, Phase, Standing};

fn founders(mesh: &Mesh) -> Vec<u8> {
    let founds = |(_, teller, finding): &(_, u8, Finding)| match finding {
        Finding::Rejoined { through: None, .. } => Some(*teller),
        _ => None,
    };
    mesh.log.iter().filter_map(founds).collect()
}

#[test]
fn a_node_that_is_alone_founds_at_once() {
    let mut mesh = Mesh::empty(MembershipConfig::default());
    mesh.start(0, true);
    mesh.expect_whole(1);
    assert_eq!(founders(&mesh), [0]);
}

#[test]
fn sixteen_that_start_at_once_found_one_mesh() {
    let mut mesh = Mesh::empty(MembershipConfig::default());
    (0..16).for_each(|number| mesh.start(number, false));
    mesh.run(15 * SECOND);
    mesh.expect_whole(16);
    assert_eq!(founders(&mesh).len(), 1, "{:#?}", mesh.tail());
}

#[test]
fn sixteen_that_start_one_after_the_other_are_one_mesh() {
    let mut mesh = Mesh::empty(MembershipConfig::default());
    for number in 0..16 {
        mesh.start(number, number == 0);
        mesh.run(230 * MS);
    }
    mesh.run(10 * SECOND);
    mesh.expect_whole(16);
    assert_eq!(founders(&mesh), [0]);
}

#[test]
fn a_founder_that_was_cut_off_while_others_founded_too_ends_in_one_mesh() {
    let mut mesh = Mesh::empty(MembershipConfig::default());
    mesh.split(&[0, 1, 2], &[3, 4]);
    (0..5).for_each(|number| mesh.start(number, false));
    mesh.run(30 * SECOND);
    assert_eq!(founders(&mesh).len(), 2, "{:#?}", mesh.tail());
    assert_eq!((mesh.sizes(0), mesh.sizes(3)), ((3, 3), (2, 2)));
    mesh.heal();
    mesh.run(30 * SECOND);
    mesh.expect_whole(5);
    assert!(mesh.put_out().is_empty(), "a merge puts nobody out: {:#?}", mesh.tail());
}

#[test]
fn two_meshes_that_meet_become_one() {
    let mut mesh = Mesh::empty(MembershipConfig::default());
    let (one, other): (Vec<u8>, Vec<u8>) = (0..12).partition(|number| *number < 8);
    mesh.split(&one, &other);
    (0..12).for_each(|number| mesh.start(number, number == 0 || number == 8));
    mesh.run(10 * SECOND);
    assert_eq!((mesh.sizes(0), mesh.sizes(8)), ((8, 8), (4, 4)));
    mesh.log.clear();
    mesh.heal();
    mesh.run(20 * SECOND);
    mesh.expect_whole(12);
    let lost =
        |finding: &Finding| matches!(finding, Finding::Down { .. } | Finding::GoingDown { .. });
    assert_eq!(mesh.count_all(lost), 0, "{:#?}", mesh.tail());
    mesh.kill(9);
    mesh.run(8 * SECOND);
    mesh.expect_whole(11);
}

#[test]
fn all_stop_and_start_again_as_one_mesh_of_the_same_members() {
    let mut mesh = Mesh::new(7);
    (0..7).for_each(|number| mesh.kill(number));
    mesh.run(SECOND);
    for number in 0..7 {
        mesh.start(number, number == 0);
        mesh.run(150 * MS);
    }
    // All have another one remembered, so the one that has nobody to join waits for them, too.
    mesh.run(5 * SECOND);
    mesh.expect_whole(7);
    assert_eq!(founders(&mesh), [0_u8; 0], "it went on: {:#?}", mesh.tail());
}

#[test]
fn less_than_half_of_a_mesh_that_stopped_goes_on_after_a_longer_wait() {
    let mut mesh = Mesh::new(7);
    (0..7).for_each(|number| mesh.kill(number));
    mesh.run(SECOND);
    (0..3).for_each(|number| mesh.start(number, false));
    mesh.run(5 * SECOND);
    (0..3).for_each(|number| assert_eq!(mesh.phase(number), Phase::Joining));
    mesh.run(25 * SECOND);
    assert_eq!(founders(&mesh).len(), 1, "{:#?}", mesh.tail());
    mesh.expect_whole(3);
    mesh.start(3, false);
    mesh.run(5 * SECOND);
    mesh.expect_whole(4);
    mesh.kill(0);
    mesh.run(5 * SECOND);
    mesh.expect_whole(3);
}

#[test]
fn one_that_restarts_comes_back_in_a_new_life_and_nobody_is_put_out() {
    let mut mesh = Mesh::new(5);
    mesh.kill(3);
    mesh.run(300 * MS);
    mesh.start(3, false);
    mesh.run(10 * SECOND);
    mesh.expect_whole(5);
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    assert_eq!(mesh.machine(0).member(id(3)).unwrap().incarnation.life, Life(2));
}

#[test]
fn who_was_put_out_and_restarts_is_a_member_again() {
    let mut mesh = Mesh::new(5);
    mesh.kill(3);
    mesh.run(6 * SECOND);
    mesh.expect_whole(4);
    mesh.start(3, false);
    mesh.run(6 * SECOND);
    mesh.expect_whole(5);
}

#[test]
fn votes_follow_the_members_after_joins_and_deaths_one_after_the_other() {
    let mut mesh = Mesh::new(5);
    for number in 5..9 {
        mesh.start(number, false);
        mesh.run(3 * SECOND);
        mesh.expect_whole(number + 1);
    }
    // Each death leaves a majority of the agreed, so that down to two all are put out.
    for (number, rest) in (2..9).rev().zip((2..9).rev()) {
        mesh.kill(number);
        mesh.run(8 * SECOND);
        mesh.expect_whole(rest);
    }
}

#[test]
fn a_crash_of_half_freezes_verdicts_until_the_others_are_back() {
    let mut mesh = Mesh::new(6);
    [3, 4, 5].into_iter().for_each(|number| mesh.kill(number));
    mesh.run(30 * SECOND);
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    for number in 0..3 {
        assert_eq!(mesh.sizes(number), (6, 6));
        assert_eq!(mesh.standing(number, 4), Some(Standing::Unreachable));
    }
    mesh.start(3, false);
    mesh.run(40 * SECOND);
    mesh.expect_whole(4);
}

#[test]
fn a_join_on_one_side_of_a_cut_neither_moves_the_votes_nor_helps_either_side() {
    let mut mesh = Mesh::new(4);
    mesh.split(&[0, 1], &[2, 3, 9]);
    mesh.split(&[2, 3], &[8]);
    mesh.start(8, false);
    mesh.run(30 * SECOND);
    assert_eq!(mesh.sizes(0), (5, 4), "{:#?}", mesh.tail());
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    mesh.heal();
    mesh.run(30 * SECOND);
    mesh.expect_whole(5);
}

#[test]
fn a_member_that_missed_a_change_of_the_votes_catches_up() {
    // While 0 stands still and hears nothing, four become voters and help to put out another.
    let probe_interval = Some(60 * SECOND);
    let config = MembershipConfig { probe_interval, ..MembershipConfig::default() };
    let mut mesh = Mesh::with(5, config);
    mesh.pause(0, 6 * SECOND);
    mesh.split(&[0], &[1, 2, 3, 4, 5, 6, 7, 8]);
    (5..9).for_each(|number| mesh.start(number, false));
    mesh.run(2 * SECOND);
    assert_eq!(mesh.sizes(1), (9, 9), "{:#?}", mesh.tail());
    mesh.kill(4);
    mesh.run(4 * SECOND);
    assert_eq!(mesh.sizes(1), (8, 8), "{:#?}", mesh.tail());
    mesh.heal();
    mesh.run(10 * SECOND);
    mesh.expect_whole(8);
}

#[test]
fn a_node_known_by_its_card_alone_is_no_member() {
    let mut mesh = Mesh::new(3);
    mesh.cut(0, 9);
    mesh.split(&[9], &[0, 1, 2]);
    mesh.start(9, false);
    mesh.run(5 * SECOND);
    let members: BTreeSet<(u32, u32)> = (0..3).map(|number| mesh.sizes(number)).collect();
    assert_eq!(members, [(3, 3)].into());
    mesh.input(0, Input::Forgotten { node: id(9) });
    assert_eq!(mesh.standing(0, 9), None);
}
