//! How well the driver keeps up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How well the one task that turns a node keeps up.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TurnStats {
    /// How late it was for its deadlines. A busy machine, or a turn that takes too long.
    pub lag: Durations,
    /// How late it was for the last of them, in microseconds.
    pub last_lag_us: u64,
    /// How long its turns took: inputs of all kinds decided and what came of them done, without
    /// what the network did by itself.
    pub turns: Durations,
    /// Commands that wait for it now.
    pub commands_waiting: u64,
}

impl TurnStats {
    /// A deadline came, and was noticed so late.
    pub(super) fn late_by(&mut self, lag: Duration) {
        self.last_lag_us = micros(lag);
        self.lag.add(lag);
    }

    /// A turn took so long.
    pub(super) fn turned(&mut self, span: Duration) {
        self.turns.add(span);
    }
}

/// Durations counted by size, as a histogram: bounded in memory, however many there were.
///
/// ```
/// # use gossip_mesh::Durations;
/// let none = Durations::default();
/// assert_eq!((none.count(), none.sum_us()), (0, 0));
/// assert_eq!(none.buckets().last(), Some((None, 0)));
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Durations {
    counts: [u64; BOUNDS_US.len() + 1],
    sum_us: u64,
}

/// Largest duration of each bucket but the last, in microseconds: from what a turn takes to the
/// timeouts of a lab.
const BOUNDS_US: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000,
];

impl Durations {
    fn add(&mut self, span: Duration) {
        let span = micros(span);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < span);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum_us = self.sum_us.saturating_add(span);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together, in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// How many there were up to each bound in microseconds and above the one before; the last
    /// bucket has no bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> + '_ {
        let bounds = BOUNDS_US.into_iter().map(Some).chain([None]);
        bounds.zip(self.counts.iter().copied())
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_counted_in_the_one_bucket_it_fits_in() {
        let mut durations = Durations::default();
        for span in [0, 50, 51, 1_000_000, 1_000_001] {
            durations.add(Duration::from_micros(span));
        }
        let filled: Vec<_> = durations.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(Some(50), 2), (Some(100), 1), (Some(1_000_000), 1), (None, 1)]);
        assert_eq!((durations.count(), durations.sum_us()), (5, 2_000_102));
    }
}
