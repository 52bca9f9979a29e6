//! Spec, "Watching": what counts as a miss, and how long an answer is waited for.

use super::mesh::Mesh;
use super::room::{MS, SECOND, id};
use crate::protocol::membership::{Finding, Input, MembershipConfig};

const fn is_miss(finding: &Finding) -> bool {
    matches!(finding, Finding::ProbeMissed { .. })
}

const fn is_suspicion(finding: &Finding) -> bool {
    matches!(finding, Finding::Suspected { .. })
}

#[test]
fn peers_farther_away_than_the_timeout_are_soon_waited_for() {
    for latency in [80 * MS, 150 * MS, 300 * MS] {
        let mut mesh = Mesh::new(5);
        mesh.latency = latency;
        // Until the ways are measured. Nobody is put out for it.
        mesh.run(20 * SECOND);
        assert!(mesh.put_out().is_empty(), "{latency:?}: {:#?}", mesh.tail());
        mesh.log.clear();
        mesh.run(60 * SECOND);
        assert_eq!(mesh.count_all(is_suspicion), 0, "{latency:?}: {:#?}", mesh.tail());
    }
}

#[test]
fn a_probe_is_no_miss_when_its_peer_says_something_else_meanwhile() {
    let mut mesh = Mesh::new(2);
    mesh.cut(0, 1);
    for turn in 0..12 {
        let probes = mesh.machine(0).stats().probes;
        let more = |mesh: &Mesh| mesh.machine(0).stats().probes > probes;
        assert!(mesh.run_to(3 * SECOND, more), "no probe in turn {turn}");
        mesh.run(60 * MS);
        mesh.input(0, Input::Heard { peer: id(1) });
    }
    assert_eq!(mesh.count(0, is_miss), 0, "{:#?}", mesh.tail());
    // Alone, each of them is one.
    mesh.run(2 * SECOND);
    assert!(mesh.count(0, is_miss) > 0);
}

#[test]
fn who_stood_still_reads_what_came_meanwhile_before_it_blames_others() {
    let config = MembershipConfig { adaptive_timeout: false, ..MembershipConfig::default() };
    let mut mesh = Mesh::with(5, config);
    for turn in 0..12 {
        let probes = mesh.machine(0).stats().probes;
        let more = |mesh: &Mesh| mesh.machine(0).stats().probes > probes;
        assert!(mesh.run_to(3 * SECOND, more), "no probe in turn {turn}");
        mesh.pause(0, 250 * MS);
        mesh.run(249 * MS);
        // Its clock has its turn first; what was sent to it is read after that.
        mesh.input(0, Input::Tick);
        mesh.run(SECOND);
    }
    assert_eq!(mesh.count(0, is_miss), 0, "{:#?}", mesh.tail());
}
