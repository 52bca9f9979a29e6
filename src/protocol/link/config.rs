//! Settings of the link room.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;

/// When a link is given up, and which of two connections becomes the link.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchConfig {
    /// Pings in a row that may fail before a link is closed and dialled again. Default 2: with the
    /// default ping settings a silent half-open link is closed within 8 s.
    pub misses: u32,
    /// Complaints of the carrier that a peer is slow, within `slow_window`, before its link is
    /// closed and dialled again. Default 100: it complains with every heartbeat while more is
    /// published than the peer takes, which is no reason to lose all that waits for it; a minute of
    /// it looks like a stream that is dead on a link that is not.
    pub slow_limit: u32,
    /// How long a complaint counts. Default 2 min.
    #[serde(with = "duration")]
    pub slow_window: Duration,
    /// A second connection within this time of the first is a simultaneous dial. Later it means
    /// that the peer knows nothing of the link we still hold. Default 2 s.
    #[serde(with = "duration")]
    pub tie_window: Duration,
    /// How long the losing one of two connections lives on, so that nothing under way on it is
    /// lost. Default 300 ms.
    #[serde(with = "duration")]
    pub tie_grace: Duration,
    /// How long the side that did not dial waits for the other to close the older of two
    /// connections. Default 2 s.
    #[serde(with = "duration")]
    pub tie_patience: Duration,
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            misses: 2,
            slow_limit: 100,
            slow_window: Duration::from_secs(120),
            tie_window: Duration::from_secs(2),
            tie_grace: Duration::from_millis(300),
            tie_patience: Duration::from_secs(2),
        }
    }
}
