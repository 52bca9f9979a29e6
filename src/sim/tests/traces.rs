//! The same scenario and seed, the same trace.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use super::scenario;
use crate::sim::{run, run_many, timeline};

const STORMY: &str = r#"
    name = "stormy"
    nodes = 8
    duration = "20s"
    [link]
    kind = "datagram"
    loss = 0.05
    duplicate = 0.05
    [clock]
    skew = 200
    [workload]
    rate = 5.0
    [[fault]]
    kind = "churn"
    at = "2s"
    until = "12s"
    rate = 0.5
    [[fault]]
    kind = "pause"
    at = "3s"
    within = "2s"
    nodes = "random"
    lasting = "700ms"
    [[fault]]
    kind = "partition"
    at = "8s"
    lasting = "5s"
    groups = [3, 5]
"#;

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let stormy = scenario(STORMY);
    let (first, again, other) = (run(&stormy, 1), run(&stormy, 1), run(&stormy, 2));
    assert!(first.events > 1_000);
    assert_eq!(first.trace, again.trace);
    assert_ne!(first.trace, other.trace);
}

#[test]
fn threads_change_nothing() {
    let stormy = scenario(STORMY);
    let stop = AtomicBool::new(false);
    let jobs = |jobs| {
        let report = run_many(&stormy, 1..=4, NonZeroUsize::new(jobs).unwrap(), &stop, &|_| {});
        report.outcomes.into_iter().map(|outcome| outcome.trace).collect::<Vec<_>>()
    };
    assert_eq!(jobs(1), jobs(3));
}

#[test]
fn a_schedule_without_chance_gives_the_same_world() {
    let stormy = scenario(STORMY);
    let mut plain = stormy.clone();
    plain.faults = crate::sim::schedule::concrete(&stormy, 3);
    let plain = scenario(&plain.to_toml());
    assert!(plain.faults.len() > stormy.faults.len());
    assert_eq!(run(&plain, 3).trace, run(&stormy, 3).trace);
}

#[test]
fn a_picture_shows_every_node_and_changes_nothing() {
    let stormy = scenario(STORMY);
    let picture = timeline(&stormy, 1);
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for node in 1..=8 {
        assert!(picture.contains(&format!("text-anchor=\"end\">{node}</text>")), "{node}");
    }
    assert_eq!(picture, timeline(&stormy, 1));
}

#[test]
fn a_run_that_is_stopped_leaves_no_outcome() {
    let stop = AtomicBool::new(true);
    let report = run_many(&scenario(STORMY), 1..=4, NonZeroUsize::MIN, &stop, &|_| {});
    assert!(report.outcomes.is_empty());
}
