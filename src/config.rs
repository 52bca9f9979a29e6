//! Settings of a node: plain data, from code or from a TOML file, checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use multiaddr::{Multiaddr, Protocol};
use serde::{Deserialize, Serialize};

use crate::base::name::check_name;
use crate::base::pattern::is_pattern;
use crate::base::time::duration;
use crate::protocol::discovery::{DiscoveryConfig, Topology};
use crate::protocol::link::WatchConfig;
use crate::protocol::membership::MembershipConfig;
use crate::protocol::topic::TopicConfig;
use crate::protocol::tree::TreeConfig;

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

/// Settings for a kind of place.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Many nodes on this machine.
    Lab,
    /// One local network.
    #[default]
    Lan,
    /// The internet.
    Wan,
}

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

/// Limits and habits of connections.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkConfig {
    /// Most connections, both ways together. Default 256 (LAN), 1,024 (lab, WAN).
    pub max_links: u32,
    /// Most connections under way, each way. One IP address holds a quarter of them at most, where
    /// `max_inbound_per_ip` is set. Default 64.
    pub max_pending: u32,
    /// How long connecting, securing and multiplexing may take, before the hello. Default 5 s (a
    /// few round trips around the world, on a busy machine).
    #[serde(with = "duration")]
    pub handshake_timeout: Duration,
    /// New inbound connections per remote IP address and second; 0 is no limit. Default 10.
    pub max_inbound_per_ip: u32,
    /// Questions of one peer under way at once. Default 64.
    pub max_requests: usize,
    /// How long a question waits for its answer. Default 5 s.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long the hello at the start of a connection may take. Default 3 s.
    #[serde(with = "duration")]
    pub hello_timeout: Duration,
    /// Most inbound hellos under way. Default 64.
    pub max_hellos: usize,
    /// How often each link is pinged. Default 2 s.
    #[serde(with = "duration")]
    pub ping_interval: Duration,
    /// How long a ping may take. Default 2 s.
    #[serde(with = "duration")]
    pub ping_timeout: Duration,
    /// A link without any use is closed after this. Default 1 h.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// QUIC: a silent connection is dead after this. Default 4 s.
    #[serde(with = "duration")]
    pub quic_idle: Duration,
    /// When a link is given up, and which of two connections becomes the link.
    pub watch: WatchConfig,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            max_links: 256,
            max_pending: 64,
            handshake_timeout: Duration::from_secs(5),
            max_inbound_per_ip: 10,
            max_requests: 64,
            request_timeout: Duration::from_secs(5),
            hello_timeout: Duration::from_secs(3),
            max_hellos: 64,
            ping_interval: Duration::from_secs(2),
            ping_timeout: Duration::from_secs(2),
            idle: Duration::from_secs(3_600),
            quic_idle: Duration::from_secs(4),
            watch: WatchConfig::default(),
        }
    }
}

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

/// The local API: HTTP and JSON into this one node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Serve it on the Unix socket `api.sock` in the data folder. Default on (where there is one).
    pub unix: bool,
    /// The socket, when it should be elsewhere: a socket's path has at most about 100 bytes.
    pub socket: Option<PathBuf>,
    /// Serve it on this TCP address too. Needs a token.
    pub tcp: Option<SocketAddr>,
    /// File with the bearer token for TCP; made (0600) when missing. Default `api.token` in the
    /// data folder.
    pub token_file: Option<PathBuf>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { unix: true, socket: None, tcp: None, token_file: None }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::lan()
    }
}

impl Config {
    /// A few to a few hundred nodes on one local network: listens on TCP and QUIC on all
    /// interfaces at free ports, finds others by mDNS.
    pub fn lan() -> Self {
        Self {
            preset: Preset::Lan,
            name: None,
            network: "gossip".to_owned(),
            network_key_file: None,
            key_file: None,
            data: None,
            listen: addresses(&["/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1"]),
            announce: Vec::new(),
            bootstrap: Vec::new(),
            labels: BTreeMap::new(),
            topology: Topology::Open,
            mdns: true,
            kademlia: false,
            membership: MembershipConfig::default(),
            discovery: DiscoveryConfig::default(),
            topic: TopicConfig::default(),
            tree: TreeConfig::default(),
            gossip: GossipConfig::default(),
            link: LinkConfig::default(),
            door: DoorConfig::default(),
            api: ApiConfig::default(),
            faults: false,
            recorder: RecorderConfig::default(),
        }
    }

    /// Nodes all over the internet: fixed port 4001, Kademlia instead of mDNS, slower habits.
    pub fn wan() -> Self {
        let lan = Self::lan();
        Self {
            preset: Preset::Wan,
            listen: addresses(&["/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/udp/4001/quic-v1"]),
            mdns: false,
            kademlia: true,
            discovery: DiscoveryConfig {
                backoff_first: Duration::from_secs(1),
                backoff_max: Duration::from_secs(300),
                exchange_interval: Duration::from_secs(15),
                ..lan.discovery
            },
            gossip: GossipConfig { heartbeat: Duration::from_secs(1), ..lan.gossip },
            link: LinkConfig { max_links: 1_024, ..lan.link },
            ..lan
        }
    }

    /// Many nodes on this machine: loopback only, TCP, no mDNS, no limit per IP address.
    pub fn lab() -> Self {
        let lan = Self::lan();
        Self {
            preset: Preset::Lab,
            listen: addresses(&["/ip4/127.0.0.1/tcp/0"]),
            mdns: false,
            link: LinkConfig { max_links: 1_024, max_inbound_per_ip: 0, ..lan.link },
            membership: MembershipConfig {
                found_after: Some(Duration::from_millis(200)),
                ..lan.membership
            },
            recorder: RecorderConfig { max_bytes: 1024 * 1024, ..lan.recorder },
            ..lan
        }
    }

    /// Reads a TOML file's text. `preset = "lan" | "wan" | "lab"` chooses what the rest changes.
    ///
    /// # Errors
    /// Shows the line that is wrong.
    #[cfg(feature = "net")]
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let broken = |error: toml::de::Error| ConfigError::one(error.to_string());
        // Read by itself first, because only then an error can show its line.
        let alone: Self = toml::from_str(text).map_err(broken)?;
        let mut given: toml::Table = toml::from_str(text).map_err(broken)?;
        respell(&mut given);
        let preset = toml::Table::try_from(Self::preset(alone.preset))
            .map_err(|error| ConfigError::one(error.to_string()))?;
        toml::Value::Table(merged(preset, given)).try_into().map_err(broken)
    }

    /// The settings of a preset.
    pub fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Lab => Self::lab(),
            Preset::Lan => Self::lan(),
            Preset::Wan => Self::wan(),
        }
    }

    /// Checks the settings as a whole.
    ///
    /// # Errors
    /// Names all contradictions at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = Vec::new();
        let mut rule = |holds: bool, otherwise: &str| {
            if !holds {
                wrong.push(otherwise.to_owned());
            }
        };
        let gossip = &self.gossip;
        let outbound = self.mesh_outbound();
        rule(
            outbound <= gossip.mesh_low
                && gossip.mesh_low <= gossip.mesh
                && gossip.mesh <= gossip.mesh_high
                && 2 * outbound <= gossip.mesh,
            "`gossip.mesh_low` <= `gossip.mesh` <= `gossip.mesh_high` must hold, with `mesh` >= 2",
        );
        rule(!gossip.heartbeat.is_zero(), "`gossip.heartbeat` must be above zero");
        rule(self.topic.buckets > 0, "`topic.buckets` must be at least 1");
        rule(self.topic.max_message_bytes > 0, "`topic.max_message_bytes` must be above zero");
        rule(
            self.topic.max_message_bytes <= 256 * 1024 * 1024,
            "`topic.max_message_bytes` must be at most 256 MiB",
        );
        rule(self.topic.max_kept > 0, "`topic.max_kept` must be at least 1");
        rule(self.topic.max_undelivered > 0, "`topic.max_undelivered` must be at least 1");
        rule(self.discovery.max_dials > 0, "`discovery.max_dials` must be at least 1");
        rule(
            self.discovery.backoff_first <= self.discovery.backoff_max,
            "`discovery.backoff_first` must not be above `discovery.backoff_max`",
        );
        rule(!self.discovery.backoff_first.is_zero(), "`discovery.backoff_first` must not be zero");
        rule(self.link.max_links > 0, "`link.max_links` must be at least 1");
        rule(
            !self.link.handshake_timeout.is_zero() && !self.link.hello_timeout.is_zero(),
            "`link.handshake_timeout` and `link.hello_timeout` must be above zero",
        );
        rule(self.link.max_pending > 0, "`link.max_pending` must be at least 1");
        rule(self.link.watch.misses > 0, "`link.watch.misses` must be at least 1");
        rule(self.link.watch.slow_limit > 0, "`link.watch.slow_limit` must be at least 1");
        rule(gossip.queue_messages > 0, "`gossip.queue_messages` must be at least 1");
        rule(self.door.max_links > 0, "`door.max_links` must be at least 1");
        rule(
            self.door.listen.is_empty() || !self.door.topics.is_empty(),
            "`door.listen` opens a door that carries no topic: name some in `door.topics`",
        );
        rule(
            self.door.listen.is_empty() == self.door.topics.is_empty()
                || !self.door.listen.is_empty(),
            "`door.topics` is set, but there is no door: add an address to `door.listen`",
        );
        rule(
            self.api.tcp.is_none() || self.api.token_file.is_some() || self.data.is_some(),
            "`api.tcp` needs a token: set `api.token_file` or a data folder",
        );
        rule(
            !self.mdns || self.listen.iter().any(|address| !is_loopback(address)),
            "`mdns` is on, but the node listens on loopback or nowhere, where mDNS finds nobody: \
             turn it off or listen on an interface",
        );
        rule(
            self.topology.is_open() || !self.kademlia,
            "`kademlia` finds nodes to link with, but the topology is fixed: turn one off",
        );
        rule(
            !self.faults || !self.listen.iter().any(is_quic),
            "`faults` is on, and QUIC cannot be disturbed: leave `quic-v1` out of `listen`",
        );
        wrong.extend(self.membership.check());
        wrong.extend(self.topology.contradiction().map(str::to_owned));
        for (what, name) in self.names() {
            if let Err(reason) = check_name(name) {
                wrong.push(format!("{what}: {reason}"));
            }
        }
        for topic in self.door.topics.iter().filter(|topic| is_pattern(topic)) {
            wrong.push(format!(
                "`door.topics`: `{topic}` is a pattern: a door carries named topics"
            ));
        }
        for address in self.listen.iter().chain(&self.door.listen) {
            if address.iter().any(|part| matches!(part, Protocol::P2p(_))) {
                wrong.push(format!("`{address}`: leave `/p2p/…` out of a listen address"));
            }
        }
        for address in self.listen.iter().filter(|address| self.door.listen.contains(address)) {
            if !has_port_zero(address) {
                wrong.push(format!("`{address}` is both in `listen` and in `door.listen`"));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }

    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        [("`network`", self.network.as_str())]
            .into_iter()
            .chain(self.name.as_deref().map(|name| ("`name`", name)))
            .chain(self.door.topics.iter().map(|topic| ("`door.topics`", topic.as_str())))
    }

    /// Fewest peers of a mesh that we dialled ourselves.
    pub(crate) fn mesh_outbound(&self) -> usize {
        1
    }
}

fn addresses(texts: &[&str]) -> Vec<Multiaddr> {
    // The texts are constants of this file, and a test parses them all.
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

fn is_loopback(address: &Multiaddr) -> bool {
    address.iter().any(|part| match part {
        Protocol::Ip4(ip) => ip.is_loopback(),
        Protocol::Ip6(ip) => ip.is_loopback(),
        Protocol::Memory(_) => true,
        _ => false,
    })
}

fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Quic | Protocol::QuicV1))
}

fn has_port_zero(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Tcp(0) | Protocol::Udp(0)))
}

/// A setting with a second spelling is laid over the preset by its first one: both at once would be
/// refused.
#[cfg(feature = "net")]
fn respell(given: &mut toml::Table) {
    if let Some(toml::Value::Table(membership)) = given.get_mut("membership")
        && let Some(threshold) = membership.remove("consensus_treshold")
    {
        membership.insert("consensus_threshold".to_owned(), threshold);
    }
}

/// `over` laid over `under`, table by table.
#[cfg(feature = "net")]
fn merged(mut under: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        match (under.remove(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => {
                under.insert(key, toml::Value::Table(merged(below, above)));
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
    under
}

/// Everything that is wrong with the settings, each in one sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(pub Vec<String>);

impl ConfigError {
    #[cfg(feature = "net")]
    pub(crate) fn one(sentence: String) -> Self {
        Self(vec![sentence])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => f.write_str(one),
            many => {
                write!(f, "{} settings are wrong:", many.len())?;
                many.iter().try_for_each(|sentence| write!(f, "\n  - {sentence}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}
