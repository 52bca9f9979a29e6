//! What discovery counts.

use serde::{Deserialize, Serialize};

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct DiscoveryStats {
    /// Dials begun.
    pub dials: u64,
    /// Dials that led to no link.
    pub dials_failed: u64,
    /// Cards held now, our own among them.
    pub cards: u64,
    /// Cards refused: bad signature, too large, malformed.
    pub cards_refused: u64,
}
