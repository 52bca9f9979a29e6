//! From a schedule that fails to a smaller one that still does (Zeller's ddmin over its lines).

use std::sync::atomic::AtomicBool;

use super::scenario::{Fault, Scenario};
use super::schedule;
use super::world::run_world;

/// Most worlds run for it.
const MAX_RUNS: u32 = 200;

/// Most events in all of them together: some minutes.
const MAX_EVENTS: u64 = 50_000_000;

/// A small schedule that fails.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shrunk {
    /// The scenario with this schedule and seed, without chance in its faults.
    pub scenario: Scenario,
    /// Which expectation falls, and how.
    pub reason: String,
    /// Lines of the schedule at first.
    pub before: usize,
    /// Worlds that were run.
    pub runs: u32,
}

/// Finds a small schedule with which the same expectation falls in the world of this seed. `None`
/// when nothing falls in it. Gives the smallest found when its budget of worlds is used up or
/// `stop` is set; that may not be the smallest there is.
pub fn shrink(scenario: &Scenario, seed: u64, stop: &AtomicBool) -> Option<Shrunk> {
    let whole = schedule::concrete(scenario, seed);
    let mut budget = Budget { runs: 0, events: 0 };
    let mut reason = budget.fails(scenario, seed, &whole, stop)?;
    let name = which(&reason).to_owned();
    let least = least(whole.clone(), |faults| {
        let fallen = budget.fails(scenario, seed, faults, stop);
        let same = fallen.filter(|fallen| which(fallen) == name);
        same.map(|same| reason = same).is_some()
    });
    let mut scenario = scenario.clone();
    scenario.name = format!("{}-seed-{seed}", scenario.name);
    scenario.seed = seed;
    scenario.faults = least;
    Some(Shrunk { scenario, reason, before: whole.len(), runs: budget.runs })
}

/// The name of the expectation that fell.
fn which(reason: &str) -> &str {
    reason.split(':').next().unwrap_or_default()
}

struct Budget {
    runs: u32,
    events: u64,
}

impl Budget {
    /// How the world fails with this schedule; `None` when it does not, or nothing is left.
    fn fails(
        &mut self,
        scenario: &Scenario,
        seed: u64,
        faults: &[Fault],
        stop: &AtomicBool,
    ) -> Option<String> {
        if self.runs >= MAX_RUNS || self.events >= MAX_EVENTS {
            return None;
        }
        let run = run_world(scenario, seed, faults, false, stop)?;
        self.runs += 1;
        self.events += run.outcome.events;
        run.outcome.broken
    }
}

/// The smallest list found that still fails: halves and ever smaller parts are left out.
fn least<T: Clone>(mut list: Vec<T>, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    if fails(&[]) {
        return Vec::new();
    }
    let mut parts = 2;
    while list.len() >= 2 {
        let size = list.len().div_ceil(parts);
        let without = |begin: usize| -> Vec<T> {
            let end = (begin + size).min(list.len());
            list.iter().take(begin).chain(list.iter().skip(end)).cloned().collect()
        };
        let smaller = (0..list.len()).step_by(size).map(without).find(|rest| fails(rest));
        match smaller {
            Some(rest) => {
                list = rest;
                parts = parts.saturating_sub(1).max(2);
            }
            None if size == 1 => break,
            None => parts = (parts * 2).min(list.len()),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::least;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let list: Vec<u32> = (0..100).collect();
        let mut runs = 0;
        let found = least(list, |part| {
            runs += 1;
            part.contains(&17) && part.contains(&80)
        });
        assert_eq!(found, [17, 80]);
        assert!(runs < 100, "{runs} runs");
    }

    #[test]
    fn what_fails_without_anything_needs_nothing() {
        assert_eq!(least(vec![1, 2, 3], |_| true), Vec::<u32>::new());
    }

    #[test]
    fn what_needs_all_keeps_all() {
        assert_eq!(least(vec![1, 2, 3], |part| part.len() == 3), [1, 2, 3]);
    }
}
