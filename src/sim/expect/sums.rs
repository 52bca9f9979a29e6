//! What is counted and measured until the end.

use std::time::Duration;

use serde::Deserialize;

use super::expectation::{Expectation, Holds};
use crate::sim::report::{Outcome, Report, Spread};
use crate::sim::scenario::Span;
use crate::sim::scene::Scene;

/// Limits of a time that is measured: the middle and the 99th of 100 over all seeds, and the most
/// in any.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    p50: Option<Span>,
    p99: Option<Span>,
    most: Option<Span>,
}

impl Limits {
    fn overall(self, what: &str, spread: Option<Spread>) -> Holds {
        let Some(spread) = spread else { return Ok(()) };
        let limits = [("p50", self.p50, spread.p50), ("p99", self.p99, spread.p99)];
        for (name, limit, measured) in limits {
            if limit.is_some_and(|limit| measured > limit.0) {
                return Err(format!("{name} of {what} is {measured:?}"));
            }
        }
        Ok(())
    }

    fn one(self, what: &str, measured: &[Duration]) -> Holds {
        let slow = measured.iter().find(|time| self.most.is_some_and(|most| **time > most.0));
        slow.map_or(Ok(()), |time| Err(format!("{what} took {time:?}")))
    }
}

/// `known_down_within = { p50 = "1.5s", p99 = "2s", most = "4s" }`: from a crash until everybody
/// has the verdict. Every crash must be known to all in the end.
pub(super) struct KnownDownWithin(pub Limits);

impl Expectation for KnownDownWithin {
    fn end(&mut self, outcome: &Outcome, _: &dyn Scene) -> Holds {
        if outcome.undetected > 0 {
            return Err(format!("{} crashes are not known to all", outcome.undetected));
        }
        self.0.one("detection", &outcome.detections)
    }

    fn overall(&self, report: &Report) -> Holds {
        self.0.overall("detection", report.detection)
    }
}

/// `healed_within = { p99 = "30s" }`: from the last disturbance until all views are one. They must
/// become one.
pub(super) struct HealedWithin(pub Limits);

impl Expectation for HealedWithin {
    fn end(&mut self, outcome: &Outcome, scene: &dyn Scene) -> Holds {
        match outcome.heal {
            Some(heal) => self.0.one("healing", &[heal]),
            None => super::liveness::views_equal(scene),
        }
    }

    fn overall(&self, report: &Report) -> Holds {
        self.0.overall("healing", report.heal)
    }
}

/// `at_most_messages = 8.0`, `at_most_bytes = 600`: of membership, per node and second.
pub(super) struct Budget {
    pub messages: Option<f64>,
    pub bytes: Option<f64>,
}

impl Expectation for Budget {
    fn end(&mut self, outcome: &Outcome, _: &dyn Scene) -> Holds {
        let over = |measured: f64, limit: Option<f64>| limit.is_some_and(|limit| measured > limit);
        if over(outcome.membership_messages, self.messages) {
            return Err(format!("{:.2} messages per node and second", outcome.membership_messages));
        }
        match over(outcome.membership_bytes, self.bytes) {
            true => Err(format!("{:.0} bytes per node and second", outcome.membership_bytes)),
            false => Ok(()),
        }
    }
}

/// `at_most_connections = 16.0`: dialled and come up, per node, in the whole world.
pub(super) struct AtMostConnections(pub f64);

impl Expectation for AtMostConnections {
    fn end(&mut self, outcome: &Outcome, _: &dyn Scene) -> Holds {
        match outcome.connections > self.0 {
            true => Err(format!("{:.1} connections per node", outcome.connections)),
            false => Ok(()),
        }
    }
}

/// `at_least_resets = 10`, `at_least_false_verdicts = 16` and the like: that a flaw shows.
pub(super) struct AtLeast {
    pub least: u64,
    pub count: fn(&Outcome) -> u64,
}

impl Expectation for AtLeast {
    fn end(&mut self, outcome: &Outcome, _: &dyn Scene) -> Holds {
        let count = (self.count)(outcome);
        if count < self.least { Err(format!("there are only {count}")) } else { Ok(()) }
    }
}

/// `delivered = 0.99`: share of the messages of the workload that reached each other node.
pub(super) struct Delivered(pub f64);

impl Expectation for Delivered {
    fn end(&mut self, outcome: &Outcome, scene: &dyn Scene) -> Holds {
        let readers = f64::from(scene.nodes().saturating_sub(1));
        let wanted = outcome.published as f64 * readers * self.0;
        match (outcome.delivered as f64) < wanted {
            true => Err(format!("{} of {wanted:.0} messages came", outcome.delivered)),
            false => Ok(()),
        }
    }
}
