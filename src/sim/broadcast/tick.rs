//! Time of the model.

use std::time::Duration;

/// Microseconds of a tick.
const MICROS: u64 = 10;

/// A moment: ticks of 10 µs since the beginning. Four bytes, because each node remembers some per
/// message.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Tick(pub u32);

impl Tick {
    /// After every run.
    pub const NEVER: Self = Self(u32::MAX);

    /// The moment so many ticks later.
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// Ticks since `earlier`; zero when it is later.
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A duration in ticks.
pub fn ticks(span: Duration) -> u32 {
    u32::try_from(span.as_micros() / u128::from(MICROS)).unwrap_or(u32::MAX)
}

/// Ticks as a duration.
pub fn span(ticks: u32) -> Duration {
    Duration::from_micros(u64::from(ticks) * MICROS)
}
