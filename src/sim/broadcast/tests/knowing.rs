//! Small worlds of which the outcome is known.

use std::time::Duration;

use super::report;
use crate::sim::broadcast::{BroadcastScenario, Graph, Latency};

fn fixed(nodes: u32, graph: Graph) -> BroadcastScenario {
    let equal = Duration::from_millis(10);
    BroadcastScenario {
        nodes,
        graph,
        fixed: true,
        messages: 5,
        latency: Latency { p50: equal, p99: equal },
        jitter: 0.0,
        ..BroadcastScenario::default()
    }
}

#[test]
fn in_a_line_each_link_is_a_hop_and_each_node_gets_one_copy() {
    let line = report(&fixed(50, Graph::Line));
    assert_eq!((line.reached, line.copies_per_node), (1.0, 1.0));
    for message in &line.messages {
        let (below, above) = (message.author, 49 - message.author);
        let sum = |nodes: u32| nodes * (nodes + 1) / 2;
        let mean = f64::from(sum(below) + sum(above)) / 49.0;
        assert!((message.hops.mean - mean).abs() < 1e-9, "{message:?}");
        assert_eq!(u32::from(message.hops.max), below.max(above));
        let last = Duration::from_millis(10) * below.max(above);
        assert_eq!(message.times.all, Some(last), "10 ms a hop");
    }
}

#[test]
fn where_all_are_linked_with_all_it_is_one_hop_and_everyone_sends_to_everyone() {
    let full = report(&fixed(40, Graph::Complete));
    assert_eq!((full.reached, full.hops.max, full.hops.mean), (1.0, 1, 1.0));
    // One from the author, one from each of the other 38.
    assert_eq!(full.copies_per_node, 39.0);
}

#[test]
fn in_a_ring_both_ways_meet_at_the_far_side() {
    let ring = report(&fixed(21, Graph::Ring));
    assert_eq!((ring.reached, ring.hops.max), (1.0, 10));
    // Each half ends with a copy to the far end of the other half.
    assert_eq!(ring.copies_per_node, 22.0 / 20.0);
}

#[test]
fn links_that_lose_everything_reach_nobody() {
    let lost = report(&BroadcastScenario { nodes: 100, loss: 1.0, ..Default::default() });
    assert_eq!((lost.reached, lost.copies_per_node), (0.0, 0.0));
    assert_eq!(lost.lost.copies, lost.lost.of_copies);
    assert_eq!(lost.times.all, None);
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_not() {
    let scenario = BroadcastScenario {
        nodes: 300,
        loss: 0.1,
        churn: 0.05,
        kill: 0.3,
        messages: 3,
        ..Default::default()
    };
    let first = report(&scenario);
    assert_eq!(report(&scenario), first);
    let other = report(&BroadcastScenario { seed: 2, ..scenario });
    assert_ne!(other.trace, first.trace);
}

#[test]
fn a_report_survives_json_and_says_what_failed() {
    let mut scenario = BroadcastScenario { nodes: 50, messages: 1, ..Default::default() };
    scenario.expect.copies_per_node = Some(0.5);
    scenario.expect.reached = Some(1.0);
    let failed = report(&scenario);
    assert_eq!(failed.failures.len(), 1, "{}", failed.render());
    assert!(failed.render().contains("FAILED"));
    let json = serde_json::to_string(&failed).unwrap();
    assert_eq!(
        serde_json::from_str::<crate::sim::broadcast::BroadcastReport>(&json).unwrap(),
        failed
    );
}
