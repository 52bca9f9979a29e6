//! Time as the machines know it: a number since the node's start. `net/clock.rs` alone asks the
//! system.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: microseconds since this node started. Never goes back.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(u64);

impl Time {
    /// The node's start.
    pub const ZERO: Self = Self(0);

    /// The moment `micros` after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// A moment on the wall clock: microseconds since 1970 (UTC). For people and for other nodes;
/// no machine decides by it.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime(pub u64);

impl WallTime {
    /// The wall-clock moment that is `now` after a start at `self`.
    pub const fn at(self, now: Time) -> Self {
        Self(self.0.saturating_add(now.as_micros()))
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }
}

/// Durations in settings: `"100ms"`, `"1s 500ms"`, `"1h"`.
pub(crate) mod duration {
    pub use jiff::fmt::serde::unsigned_duration::friendly::compact::required::{
        deserialize, serialize,
    };
}

/// The same, or nothing.
pub(crate) mod optional_duration {
    pub use jiff::fmt::serde::unsigned_duration::friendly::compact::optional::{
        deserialize, serialize,
    };
}

/// Durations for programs that look at us: whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        u64::try_from(span.as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
