//! The clock of a node: as fast as its crystal, and moved by whoever sets it.

use std::time::Duration;

use crate::base::time::Time;

const MILLION: i128 = 1_000_000;

/// Translates between the time of the world and that of one start of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Time,
    /// Millionths that it is too fast, or too slow.
    skew: i32,
    /// All jumps together, in microseconds.
    jumped: i64,
    /// A node's time never goes back: after a jump backward it stands until it is caught up.
    floor: Time,
}

impl Clock {
    pub fn new(started: Time, skew: i32) -> Self {
        Self { started, skew, jumped: 0, floor: Time::ZERO }
    }

    /// The node's time when the world's is `now`. Never goes back.
    pub fn read(&mut self, now: Time) -> Time {
        self.floor = self.floor.max(self.at(now));
        self.floor
    }

    /// Sets the clock forward or backward.
    pub fn jump(&mut self, by_millis: i64) {
        self.jumped = self.jumped.saturating_add(by_millis.saturating_mul(1_000));
    }

    /// The first moment of the world at which the node's time is `due`, after `now`.
    pub fn when(&self, due: Time, now: Time) -> Time {
        let wanted = i128::from(due.as_micros()) - i128::from(self.jumped);
        let rate = MILLION + i128::from(self.skew);
        let span = (wanted * MILLION + rate - 1).div_euclid(rate).max(0);
        let span = Duration::from_micros(u64::try_from(span).unwrap_or(u64::MAX));
        (self.started + span).max(now)
    }

    fn at(&self, now: Time) -> Time {
        let span = i128::try_from(now.since(self.started).as_micros()).unwrap_or(i128::MAX / 2);
        let span = span * (MILLION + i128::from(self.skew)) / MILLION + i128::from(self.jumped);
        Time::from_micros(u64::try_from(span.max(0)).unwrap_or(u64::MAX))
    }
}
