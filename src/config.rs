//! Settings of a node: plain data, from code or from a TOML file, checked as a whole.
//!
//! `config/presets.rs` says what they begin with, `config/file.rs` how they are read, and
//! `config/check.rs` what may not stand beside what. Each table has a file of its own name here, or
//! the `config.rs` of its room.

mod api;
mod check;
mod door;
mod error;
#[cfg(feature = "net")]
mod file;
mod gossip;
mod link;
mod presets;
mod recorder;

use std::collections::BTreeMap;
use std::path::PathBuf;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use crate::protocol::discovery::{DiscoveryConfig, Topology};
use crate::protocol::membership::MembershipConfig;
use crate::protocol::topic::TopicConfig;
use crate::protocol::tree::TreeConfig;

pub use api::ApiConfig;
pub use door::DoorConfig;
pub use error::ConfigError;
pub use gossip::GossipConfig;
pub use link::LinkConfig;
pub use presets::Preset;
pub use recorder::RecorderConfig;

/// All settings of a node. Begin with a preset: [`Config::lan`] (the default), [`Config::wan`] or
/// [`Config::lab`].
///
/// The same names in a TOML file; durations are written like `"500ms"` or `"2m 30s"`:
///
/// ```
/// let config: gossip_mesh::Config = gossip_mesh::Config::from_toml(r#"
///     preset = "lan"
///     name = "kitchen"
///     network = "home"
///     bootstrap = ["/ip4/192.168.1.2/tcp/4001"]
///     [topic]
///     max_kept = 50
/// "#).unwrap();
/// assert_eq!(config.topic.max_kept, 50);
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the settings began with. In a TOML file: what fills the gaps.
    pub preset: Preset,
    /// What people call the node. Names may repeat. Default: `node-` and the end of its id.
    pub name: Option<String>,
    /// Name of the network. Nodes of different networks refuse each other. Default `gossip`.
    pub network: String,
    /// File with the 64 hexadecimal digits of the network key. Without one the network is open:
    /// told apart by its name alone.
    pub network_key_file: Option<PathBuf>,
    /// File with the node's own key; made (0600) when missing. Default: `key` in the data folder;
    /// without a data folder a fresh key with every start.
    pub key_file: Option<PathBuf>,
    /// The data folder: key, store, socket of the local API. Nothing is written without one.
    pub data: Option<PathBuf>,
    /// Where to listen, e.g. `/ip4/0.0.0.0/tcp/4001`, `/ip4/0.0.0.0/udp/4001/quic-v1`,
    /// `/ip4/0.0.0.0/tcp/4002/ws`. Port 0 takes a free one. An interface is chosen by its address.
    pub listen: Vec<Multiaddr>,
    /// What to tell others instead of the addresses listened on (behind NAT, a proxy …).
    pub announce: Vec<Multiaddr>,
    /// Where other nodes may be. Retried for ever; any member will do.
    pub bootstrap: Vec<Multiaddr>,
    /// Whatever the operator wants others to know of this node.
    pub labels: BTreeMap<String, String>,
    /// Whom to be linked with.
    pub topology: Topology,
    /// Find nodes on the local network.
    pub mdns: bool,
    /// Find addresses of nodes beyond the local network.
    pub kademlia: bool,
    /// Members and leaving.
    pub membership: MembershipConfig,
    /// Whom to dial and when.
    pub discovery: DiscoveryConfig,
    /// Topics.
    pub topic: TopicConfig,
    /// Settings of the tree carrier.
    pub tree: TreeConfig,
    /// The carrier of topics.
    pub gossip: GossipConfig,
    /// Connections.
    pub link: LinkConfig,
    /// The door for foreign libp2p programs. Closed without addresses.
    pub door: DoorConfig,
    /// The local API.
    pub api: ApiConfig,
    /// Links may be disturbed on purpose, by `Node::fault` and by `gossip fault`: for tests. The
    /// node does without QUIC then, which cannot be disturbed below its encryption. Default off.
    pub faults: bool,
    /// The flight recorder of membership.
    pub recorder: RecorderConfig,
}
