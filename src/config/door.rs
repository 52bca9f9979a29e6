//! `[door]`: where foreign libp2p programs come in.

use std::collections::BTreeSet;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

/// The door: a second listener without our hello, where any libp2p program can take part in the
/// named topics with plain gossipsub and bare payloads. Whoever reaches it can read and write
/// these topics.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoorConfig {
    /// Where the door listens. Closed without.
    pub listen: Vec<Multiaddr>,
    /// The topics it carries.
    pub topics: BTreeSet<String>,
    /// Name of the Kademlia protocol spoken there. Default `/ipfs/kad/1.0.0`, the one py-libp2p
    /// speaks.
    pub kad_protocol: String,
    /// Most connections at the door. Default 64.
    pub max_links: u32,
}

impl Default for DoorConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            topics: BTreeSet::new(),
            kad_protocol: "/ipfs/kad/1.0.0".to_owned(),
            max_links: 64,
        }
    }
}
