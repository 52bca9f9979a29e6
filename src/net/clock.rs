//! The only place that asks the system for the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::base::time::{Time, WallTime};

/// Counts from its making.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts to count.
    #[expect(clippy::disallowed_methods, reason = "this is the place that asks the system")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Time since the start.
    pub fn now(self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    /// The moment of a `Time`, for the runtime's timer.
    pub fn instant(self, time: Time) -> Instant {
        self.start + time.since(Time::ZERO)
    }
}

/// The wall clock now. A clock before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks the system")]
pub fn wall_time() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
