//! Runs scenarios: one world, or many in parallel.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::report::{Outcome, Report};
use super::scenario::Scenario;
use super::world::run_world;
use super::{expect, schedule};

/// Runs one world to its end. The scenario should have been checked.
pub fn run(scenario: &Scenario, seed: u64) -> Outcome {
    let stop = AtomicBool::new(false);
    // Only a wish to stop leaves a run without an outcome, and nobody else holds the flag.
    run_unless(scenario, seed, &stop).expect("a run that nobody stops ends")
}

fn run_unless(scenario: &Scenario, seed: u64, stop: &AtomicBool) -> Option<Outcome> {
    let faults = schedule::concrete(scenario, seed);
    run_world(scenario, seed, &faults, false, stop).map(|run| run.outcome)
}

/// Runs one world per seed, `jobs` of them at once, each in a thread of its own. `progress` hears
/// of every one that has ended. Once `stop` is set the rest is not run, and what was cut short is
/// not in the report.
pub fn run_many(
    scenario: &Scenario,
    seeds: RangeInclusive<u64>,
    jobs: NonZeroUsize,
    stop: &AtomicBool,
    progress: &(dyn Fn(&Outcome) + Sync),
) -> Report {
    let next = AtomicU64::new(*seeds.start());
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !seeds.contains(&seed) || stop.load(Ordering::Relaxed) {
                return;
            }
            let Some(outcome) = run_unless(scenario, seed, stop) else { return };
            progress(&outcome);
            outcomes.lock().unwrap_or_else(|broken| broken.into_inner()).push(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.get() {
            scope.spawn(work);
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(|broken| broken.into_inner());
    let mut report = Report::of(scenario, outcomes);
    let expectations = expect::all(scenario);
    let fallen = expectations.iter().find_map(|(name, expectation)| {
        let reason = expectation.overall(&report).err()?;
        Some(format!("{name}: {reason}"))
    });
    report.broken = fallen;
    report
}
