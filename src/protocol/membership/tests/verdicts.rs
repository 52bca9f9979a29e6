//! Spec, "Suspicion", "Witness" and "Verdict": who is put out, and who is not.

use std::time::Duration;

use super::mesh::Mesh;
use super::room::{MS, SECOND};
use crate::protocol::membership::{Finding, MembershipConfig, Phase, Standing};

const fn is_suspicion(finding: &Finding) -> bool {
    matches!(finding, Finding::Suspected { .. })
}

const fn is_down(finding: &Finding) -> bool {
    matches!(finding, Finding::Down { .. })
}

const fn is_reset(finding: &Finding) -> bool {
    matches!(finding, Finding::GoingDown { .. })
}

const fn is_refuted(finding: &Finding) -> bool {
    matches!(finding, Finding::Refuted { .. })
}

#[test]
fn without_faults_nobody_suspects_anybody() {
    let mut mesh = Mesh::new(7);
    mesh.run(60 * SECOND);
    assert_eq!(mesh.log, [], "{:#?}", mesh.tail());
}

#[test]
fn two_nodes_never_put_each_other_out() {
    let mut mesh = Mesh::new(2);
    mesh.cut(0, 1);
    mesh.run(120 * SECOND);
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    let unavailable = |finding: &Finding| matches!(finding, Finding::QuorumUnavailable { .. });
    for (number, other) in [(0, 1), (1, 0)] {
        assert_eq!(mesh.phase(number), Phase::Active);
        assert_eq!(mesh.standing(number, other), Some(Standing::Unreachable));
        assert_eq!(mesh.count(number, unavailable), 1, "told once: {:#?}", mesh.tail());
    }
    mesh.heal();
    mesh.run(5 * SECOND);
    mesh.expect_whole(2);
    assert_eq!(mesh.standing(0, 1), Some(Standing::Alive));
}

#[test]
fn three_nodes_put_out_the_dead_one_and_their_votes_alone_count_then() {
    for silent in [false, true] {
        let mut mesh = Mesh::new(3);
        let since = mesh.now;
        if silent {
            mesh.split(&[2], &[0, 1]);
        } else {
            mesh.kill(2);
        }
        mesh.run(4 * SECOND);
        for number in [0, 1] {
            assert_eq!(mesh.count(number, is_down), 1, "{:#?}", mesh.tail());
            assert_eq!(mesh.standing(number, 2), Some(Standing::Down));
            assert_eq!(mesh.sizes(number), (2, 2));
            assert_eq!(mesh.phase(number), Phase::Active);
        }
        let took = mesh.first(is_down).unwrap().since(since);
        assert!(took > SECOND && took < 3 * SECOND, "{took:?}");
    }
}

#[test]
fn the_dead_one_is_found_down_within_three_seconds_in_a_larger_mesh() {
    let mut mesh = Mesh::new(16);
    let since = mesh.now;
    mesh.kill(5);
    let all = |mesh: &Mesh| (0..16).all(|n| n == 5 || mesh.standing(n, 5) == Some(Standing::Down));
    assert!(mesh.run_to(3 * SECOND, all), "{:#?}", mesh.tail());
    assert!(mesh.now.since(since) > SECOND, "it had its time to contradict");
    let rounds = mesh.count_all(is_suspicion);
    assert!(rounds < 4, "not all of its observers ask: {rounds}");
    mesh.run(3 * SECOND);
    for number in mesh.numbers() {
        let times = mesh.count(number, is_down);
        assert_eq!(times, 1, "two coordinators at once make one verdict: {:#?}", mesh.tail());
    }
    mesh.expect_whole(15);
    assert_eq!(mesh.put_out(), [5].into());
}

#[test]
fn two_that_die_at_once_are_both_put_out() {
    let mut mesh = Mesh::new(7);
    mesh.kill(1);
    mesh.kill(4);
    mesh.run(8 * SECOND);
    mesh.expect_whole(5);
    assert_eq!(mesh.put_out(), [1, 4].into());
}

#[test]
fn a_coordinator_that_dies_in_its_round_is_replaced_and_put_out_too() {
    let mut mesh = Mesh::new(7);
    mesh.kill(3);
    assert!(mesh.run_to(3 * SECOND, |mesh| mesh.count_all(is_suspicion) > 0));
    let coordinator = mesh.log.iter().rfind(|(_, _, found)| is_suspicion(found)).unwrap().1;
    mesh.run(200 * MS);
    mesh.kill(coordinator);
    mesh.run(10 * SECOND);
    mesh.expect_whole(5);
    assert_eq!(mesh.put_out(), [3, coordinator].into());
}

#[test]
fn a_paused_node_is_not_put_out_and_contradicts() {
    for seed in 0..6_u32 {
        let mut mesh = Mesh::new(7);
        mesh.run(MS * 170 * seed);
        mesh.log.clear();
        mesh.pause(3, 1200 * MS);
        mesh.run(6 * SECOND);
        assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
        assert_eq!(mesh.count_all(is_reset), 0, "{:#?}", mesh.tail());
        if mesh.count_all(is_suspicion) > 0 {
            assert!(mesh.count(3, is_refuted) <= 2, "{:#?}", mesh.tail());
            assert!(mesh.count(0, is_refuted) > 0, "{:#?}", mesh.tail());
        }
        mesh.expect_whole(7);
    }
}

#[test]
fn a_node_that_pauses_too_long_is_put_out_alone_and_comes_back() {
    let mut mesh = Mesh::new(7);
    mesh.pause(3, 5 * SECOND);
    mesh.run(5 * SECOND);
    assert_eq!(mesh.put_out(), [3].into(), "{:#?}", mesh.tail());
    mesh.run(8 * SECOND);
    mesh.expect_whole(7);
    assert_eq!(mesh.put_out(), [3].into(), "nobody else ever: {:#?}", mesh.tail());
}

#[test]
fn four_misses_of_ten_are_a_suspicion_and_three_are_none() {
    use crate::protocol::membership::watch::Watch;
    let mut watch = Watch::default();
    for pattern in [true, false, true, false, true, false] {
        if pattern {
            watch.missed();
        } else {
            watch.answered();
        }
    }
    assert!(!watch.is_suspect(3));
    watch.missed();
    assert!(watch.is_suspect(3), "the fourth of seven");
    for _ in 0..9 {
        watch.answered();
    }
    watch.missed();
    assert!(!watch.is_suspect(3), "what is longer ago does not count");
    watch.missed();
    watch.heard();
    watch.missed();
    assert!(!watch.is_suspect(3), "heard in between: not in a row");
}

#[test]
fn heavy_loss_puts_nobody_out() {
    let mut mesh = Mesh::new(7);
    mesh.loss = 0.1;
    mesh.run(60 * SECOND);
    assert!(mesh.put_out().is_empty(), "{:#?}", mesh.tail());
    assert_eq!(mesh.count_all(is_reset), 0, "{:#?}", mesh.tail());
    mesh.loss = 0.0;
    mesh.run(10 * SECOND);
    mesh.expect_whole(7);
}

#[test]
fn the_timeout_is_honoured() {
    for (timeout, fast) in [(20 * MS, true), (300 * MS, false)] {
        let config = MembershipConfig { timeout, ..MembershipConfig::default() };
        let mut mesh = Mesh::with(5, config);
        let since = mesh.now;
        mesh.kill(2);
        assert!(mesh.run_to(timeout * 40, |mesh| mesh.count_all(is_down) > 0));
        let took = mesh.now.since(since);
        assert!(took >= timeout * 11 && took <= timeout * 30, "{timeout:?}: {took:?}");
        let waited = |finding: &Finding| match finding {
            Finding::ProbeMissed { waited, .. } => Some(*waited),
            _ => None,
        };
        let waits: Vec<Duration> = mesh.log.iter().filter_map(|(_, _, f)| waited(f)).collect();
        let shortest = waits.iter().min().unwrap();
        assert!(*shortest >= timeout, "no miss is shorter: {waits:?}");
        assert_eq!(fast, took < SECOND);
    }
}
