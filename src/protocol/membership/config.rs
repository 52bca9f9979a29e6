//! Settings of the membership room.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;

/// Settings of leaving.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MembershipConfig {
    /// How long a leaving node waits for its peers to note it. Default 1 s.
    #[serde(with = "duration")]
    pub leave_patience: Duration,
    /// How long after a good-bye it is remembered and passed on to those who link with us; above
    /// zero, or nobody would be seen to leave. Default 1 h.
    #[serde(with = "duration")]
    pub remember_left: Duration,
    /// Most good-byes kept; the oldest is forgotten first. 1 to 4,096. Default 1,024.
    pub max_left: usize,
}

impl Default for MembershipConfig {
    fn default() -> Self {
        Self {
            leave_patience: Duration::from_secs(1),
            remember_left: Duration::from_secs(3_600),
            max_left: 1_024,
        }
    }
}
