//! What came out: of one world, and of many.

use std::time::Duration;

use serde::Serialize;

use super::scenario::Scenario;

/// What came out of one world.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The seed of the world.
    pub seed: u64,
    /// Hash over everything that happened: the same scenario and seed, the same hash.
    pub trace: String,
    /// How much happened.
    pub events: u64,
    /// From a crash until everybody knew it, for each crash.
    #[serde(serialize_with = "seconds_each")]
    pub detections: Vec<Duration>,
    /// Crashes that somebody does not know of in the end.
    pub undetected: u64,
    /// From the last disturbance until all views were one.
    #[serde(serialize_with = "seconds_maybe")]
    pub heal: Option<Duration>,
    /// Lives that were put out.
    pub verdicts: u64,
    /// Lives that were put out although their process was there.
    pub false_verdicts: u64,
    /// Suspicions that were begun.
    pub suspicions: u64,
    /// How often a node took itself out.
    pub resets: u64,
    /// Forged, foreign and stale proofs that honest nodes refused.
    pub refused: u64,
    /// Messages sent per node and second, of all rooms.
    pub messages: f64,
    /// Bytes of all rooms sent per node and second, where they are counted.
    pub bytes: f64,
    /// Messages of the membership room sent per node and second.
    pub membership_messages: f64,
    /// Their bytes, where they are counted.
    pub membership_bytes: f64,
    /// Connections that were dialled and came up, per node, in the whole world.
    pub connections: f64,
    /// Messages published by the workload.
    pub published: u64,
    /// Messages handed to readers.
    pub delivered: u64,
    /// The first expectation that fell, in a sentence.
    pub broken: Option<String>,
}

/// The middle, the 99th of 100 and the largest of measured times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half are not above it.
    #[serde(serialize_with = "seconds")]
    pub p50: Duration,
    /// 99 of 100 are not above it.
    #[serde(serialize_with = "seconds")]
    pub p99: Duration,
    /// None is above it.
    #[serde(serialize_with = "seconds")]
    pub max: Duration,
    /// How many there are.
    pub count: usize,
}

impl Spread {
    /// Of these times; `None` of none.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        let rank = |share: usize| {
            let rank = (times.len() * share).div_ceil(100).max(1);
            times.get(rank - 1).copied()
        };
        Some(Self { p50: rank(50)?, p99: rank(99)?, max: *times.last()?, count: times.len() })
    }
}

/// What came out of a scenario over its seeds.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The scenario's name.
    pub name: String,
    /// How many nodes it has.
    pub nodes: u32,
    /// From a crash until everybody knew it, over all crashes of all seeds.
    pub detection: Option<Spread>,
    /// From the last disturbance until all views were one.
    pub heal: Option<Spread>,
    /// Lives put out although their process was there, all seeds together.
    pub false_verdicts: u64,
    /// Suspicions, all seeds together.
    pub suspicions: u64,
    /// Resets, all seeds together.
    pub resets: u64,
    /// Messages of the membership room per node and second, on average.
    pub messages: f64,
    /// Their bytes per node and second, on average, where they are counted.
    pub bytes: f64,
    /// The seed that took longest to detect, else to heal.
    pub worst: Option<u64>,
    /// The first expectation over all seeds that fell, in a sentence.
    pub broken: Option<String>,
    /// One per seed, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Sums up; expectations over all seeds are not checked yet.
    pub(crate) fn of(scenario: &Scenario, mut outcomes: Vec<Outcome>) -> Self {
        outcomes.sort_by_key(|outcome| outcome.seed);
        let detections = outcomes.iter().flat_map(|outcome| outcome.detections.iter().copied());
        let count = outcomes.len().max(1) as f64;
        let worst = outcomes.iter().max_by_key(|outcome| {
            (outcome.broken.is_some(), outcome.detections.iter().max().copied(), outcome.heal)
        });
        Self {
            name: scenario.name.clone(),
            nodes: scenario.nodes,
            detection: Spread::of(detections),
            heal: Spread::of(outcomes.iter().filter_map(|outcome| outcome.heal)),
            false_verdicts: outcomes.iter().map(|outcome| outcome.false_verdicts).sum(),
            suspicions: outcomes.iter().map(|outcome| outcome.suspicions).sum(),
            resets: outcomes.iter().map(|outcome| outcome.resets).sum(),
            messages: outcomes.iter().map(|outcome| outcome.membership_messages).sum::<f64>()
                / count,
            bytes: outcomes.iter().map(|outcome| outcome.membership_bytes).sum::<f64>() / count,
            worst: worst.map(|outcome| outcome.seed),
            broken: None,
            outcomes,
        }
    }

    /// The first world in which an expectation fell.
    pub fn first_broken(&self) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.broken.is_some())
    }

    /// Everything that was expected held.
    pub fn holds(&self) -> bool {
        self.broken.is_none() && self.first_broken().is_none()
    }
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

fn seconds_maybe<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

fn seconds_each<S: serde::Serializer>(
    times: &[Duration],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(Duration::as_secs_f64))
}
