//! Settings for a kind of place: what everything else begins with.

use std::collections::BTreeMap;
use std::time::Duration;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::{ApiConfig, Config, DoorConfig, GossipConfig, LinkConfig, RecorderConfig};
use crate::protocol::discovery::{DiscoveryConfig, Topology};
use crate::protocol::membership::MembershipConfig;
use crate::protocol::topic::TopicConfig;
use crate::protocol::tree::TreeConfig;

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

    /// The settings of a preset.
    pub fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Lab => Self::lab(),
            Preset::Lan => Self::lan(),
            Preset::Wan => Self::wan(),
        }
    }
}

fn addresses(texts: &[&str]) -> Vec<Multiaddr> {
    // The texts are constants of this file, and a test parses them all.
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
