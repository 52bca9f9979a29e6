//! How long lines take.

use std::time::Duration;

/// So many bytes at so many per second.
pub(super) fn time(bytes: u32, rate: f64) -> Duration {
    Duration::from_secs_f64(f64::from(bytes) / rate)
}
