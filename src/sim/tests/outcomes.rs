//! What comes out, and how it is made smaller.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::scenario;
use crate::sim::scenario::FaultKind;
use crate::sim::{Scenario, Spread, run, shrink};

#[test]
fn a_spread_is_the_nearest_rank() {
    let spread = Spread::of((1..=200).map(Duration::from_secs)).unwrap();
    let seconds = [spread.p50, spread.p99, spread.max].map(|time| time.as_secs());
    assert_eq!(seconds, [100, 198, 200]);
    assert_eq!(Spread::of([]), None);
}

#[test]
fn a_schedule_that_fails_shrinks_to_what_matters_and_runs_again() {
    let failing = scenario(
        "name = 'failing'\nnodes = 6\nduration = '30s'
         [[fault]]\nkind = 'pause'\nat = '1s'\nevery = '1s'\nuntil = '9s'\nnodes = 'random'
         lasting = '100ms'
         [[fault]]\nkind = 'cut'\nat = '20s'\nnodes = [4]
         [[fault]]\nkind = 'restart'\nat = '12s'\nnodes = [2]
         [expect]\nviews_equal_by = '29s'",
    );
    let stop = AtomicBool::new(false);
    let shrunk = shrink(&failing, 5, &stop).expect("it fails");
    assert_eq!(shrunk.before, 10);
    let kinds: Vec<FaultKind> = shrunk.scenario.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Cut]);
    let again = Scenario::from_toml(&shrunk.scenario.to_toml()).unwrap();
    assert_eq!(run(&again, again.seed).broken, Some(shrunk.reason));
}

#[test]
fn what_holds_is_not_shrunk() {
    let fine = scenario("name = 'fine'\nnodes = 3\nduration = '3s'\n[expect]\nlinked_by = '1s'");
    assert!(shrink(&fine, 1, &AtomicBool::new(false)).is_none());
}
