//! How many dials of the pool may begin.

use std::time::Duration;

use crate::base::time::Time;

/// A token bucket in virtual time: `BURST` tokens, one more every `EVERY`.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the bucket is full again: one number says how many tokens are in it.
    full: Time,
}

impl Pace {
    /// From when on there is a token. Time 0 when the bucket was never empty.
    pub fn ready(&self) -> Time {
        self.full - EVERY * (BURST - 1)
    }

    /// Takes a token.
    pub fn take(&mut self, now: Time) {
        self.full = self.full.max(now) + EVERY;
    }
}

/// 20 dials a second. Cards name addresses nobody vouches for, so a member that makes up nodes
/// makes every other one dial where it likes: at most a trickle. It fills 24 links in a moment.
const EVERY: Duration = Duration::from_millis(50);

/// A second's dials at once, so that a node joins a small network without waiting.
const BURST: u32 = 20;
