//! What the room counts.

use serde::{Deserialize, Serialize};

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct MembershipStats {
    /// Good-byes, refutations, statements and certificates refused: forged, foreign, stale.
    pub forged: u64,
    /// Probes sent.
    pub probes: u64,
    /// Probes without an answer in time.
    pub misses: u64,
    /// Suspicions that this node began.
    pub suspicions: u64,
    /// Questions about others that this node answered as a witness.
    pub testimonies: u64,
    /// Verdicts recorded, of this node's rounds and of others'.
    pub verdicts: u64,
    /// Suspicions of itself that this node contradicted.
    pub refutations: u64,
    /// How often this node went down: by itself or by a verdict.
    pub resets: u64,
}
