//! `[recorder]`: the flight recorder of membership.

use serde::{Deserialize, Serialize};

/// Settings of the flight recorder: what `gossip recorder dump` saves. Two generations are kept,
/// so that between one and two times as much can be looked at.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecorderConfig {
    /// Most bytes of a generation; 0 records nothing. Default 4 MiB (half an hour of a quiet node),
    /// in a lab 1 MiB.
    pub max_bytes: usize,
    /// Most inputs of a generation. Default 50,000.
    pub max_inputs: usize,
}

impl Default for RecorderConfig {
    fn default() -> Self {
        Self { max_bytes: 4 * 1024 * 1024, max_inputs: 50_000 }
    }
}
