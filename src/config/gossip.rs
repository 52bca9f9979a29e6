//! `[gossip]`: the carrier of the calm.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;

/// Settings of gossipsub. The same on every node of a network where it says so.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GossipConfig {
    /// How often meshes are repaired and gossip is told. LAN 500 ms, WAN 1 s.
    #[serde(with = "duration")]
    pub heartbeat: Duration,
    /// Fewest, wanted and most peers of a mesh. Default 3, 6, 12: small clusters are common.
    /// Unused in a fixed topology.
    pub mesh_low: usize,
    /// See `mesh_low`.
    pub mesh: usize,
    /// See `mesh_low`.
    pub mesh_high: usize,
    /// The publisher sends to all linked readers, not only to its mesh. Default on.
    pub flood_publish: bool,
    /// How long gossipsub remembers a message to drop its copies. Default 60 s.
    #[serde(with = "duration")]
    pub duplicate_cache: Duration,
    /// Messages queued for one peer before new ones to it are dropped and the peer is reported as
    /// slow. gossipsub counts messages, not bytes: the memory at worst is this times the largest
    /// message. Default 4,096.
    pub queue_messages: usize,
    /// How long a published or relayed message may wait in the queue to a peer. Default 30 s: the
    /// length of the queue is its limit, and busy processors lost messages with 1 s and with 5 s.
    #[serde(with = "duration")]
    pub forward_queue: Duration,
}

impl Default for GossipConfig {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(500),
            mesh_low: 3,
            mesh: 6,
            mesh_high: 12,
            flood_publish: true,
            duplicate_cache: Duration::from_secs(60),
            queue_messages: 4_096,
            forward_queue: Duration::from_secs(30),
        }
    }
}

impl GossipConfig {
    /// Fewest peers of a mesh that we dialled ourselves: whoever dials us cannot fill it alone.
    pub(crate) const MESH_OUTBOUND: usize = 1;
}
