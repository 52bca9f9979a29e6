//! What a node knows of others and of itself, at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::pace::TurnStats;
use super::tally::{ReaderStats, Refusals, TreeTraffic, Undelivered};
use crate::base::group::Group;
use crate::base::id::{Incarnation, Life, NodeId};
use crate::net::{CarrierStats, DoorStats, StreamStats};
use crate::protocol::discovery::DiscoveryStats;
use crate::protocol::link::LinkStats;
use crate::protocol::membership::{MembershipStats, Phase, Standing};
use crate::protocol::topic::TopicStats;
use crate::protocol::tree::TreeStats;

/// Another node, as this one knows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Peer {
    /// Who.
    pub id: NodeId,
    /// The name people gave it; empty until its card came.
    pub name: String,
    /// Its newest life.
    pub life: Life,
    /// How it stands, as seen from here.
    pub standing: Standing,
    /// For how long it has stood so.
    pub since: Duration,
    /// Where it says it can be dialled.
    pub addresses: Vec<Multiaddr>,
    /// What it reads in no group: topics and patterns.
    pub topics: BTreeSet<String>,
    /// What it reads in queue groups: topics and patterns, each with its groups.
    #[serde(default)]
    pub groups: BTreeMap<String, BTreeSet<Group>>,
    /// What its operator wants others to know.
    pub labels: BTreeMap<String, String>,
    /// There is a live link with it.
    pub linked: bool,
    /// Topics travel directly to it.
    pub neighbour: bool,
    /// The last round trip of a ping.
    pub round_trip: Option<Duration>,
}

/// A member of the mesh, and how it stands as seen from here.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// Who.
    pub id: NodeId,
    /// The name people gave it; empty until its card came.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// For how long it has stood so.
    pub since: Duration,
    /// Its newest incarnation.
    pub incarnation: Incarnation,
    /// It is the node that was asked. It calls itself unreachable while nobody answers it, and down
    /// while it waits to come back.
    pub is_this_node: bool,
}

/// How a node that is in this condition stands by its own word.
pub(super) fn own_standing(phase: Phase) -> Standing {
    match phase {
        Phase::Joining | Phase::Active => Standing::Alive,
        Phase::Downed => Standing::Down,
        Phase::Isolated => Standing::Unreachable,
    }
}

/// This node at one moment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// Who.
    pub id: NodeId,
    /// The name people gave it.
    pub name: String,
    /// Its network.
    pub network: String,
    /// Which start of it this is.
    pub life: Life,
    /// Its incarnation: its life, and how often it came back or refuted a suspicion in it.
    pub incarnation: Incarnation,
    /// In what condition it is as a member.
    pub phase: Phase,
    /// How much it trusts its own probes: 0 fully, 7 least, because it was slow itself.
    #[serde(default)]
    pub health: u8,
    /// Members that live, as it knows, itself too.
    pub active: u32,
    /// Members whose votes count, itself too. The same as `active` once all agree.
    pub agreed: u32,
    /// For how long it has run.
    pub uptime: Duration,
    /// Where others can dial it, without `/p2p/…`.
    pub addresses: Vec<Multiaddr>,
    /// Where foreign programs can dial it.
    pub door: Vec<Multiaddr>,
    /// What it reads in no group: topics and patterns.
    pub topics: BTreeSet<String>,
    /// What it reads in queue groups: topics and patterns, each with its groups.
    #[serde(default)]
    pub groups: BTreeMap<String, BTreeSet<Group>>,
    /// Live links.
    pub links: usize,
    /// Largest payload it publishes, in bytes.
    pub max_message_bytes: usize,
    /// Counters.
    pub stats: Stats,
}

/// Counters of a node since its start.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Of topics.
    pub topic: TopicStats,
    /// Of discovery.
    pub discovery: DiscoveryStats,
    /// Of membership.
    #[serde(default)]
    pub membership: MembershipStats,
    /// Of links with peers.
    #[serde(default)]
    pub link: LinkStats,
    /// Of gossipsub, which carries topics.
    #[serde(default)]
    pub carrier: CarrierStats,
    /// Of the tree, the second of them.
    #[serde(default)]
    pub tree: TreeTraffic,
    /// Of the tree's decisions.
    #[serde(default)]
    pub branches: TreeStats,
    /// Of the streams the tree uses.
    #[serde(default)]
    pub stream: StreamStats,
    /// Of subscriptions.
    #[serde(default)]
    pub readers: ReaderStats,
    /// Messages that somebody did not get.
    #[serde(default)]
    pub undelivered: Undelivered,
    /// Publishes that were refused.
    #[serde(default)]
    pub publish_refused: Refusals,
    /// Of the door for foreign programs.
    #[serde(default)]
    pub door: DoorStats,
    /// Connections refused by this node at the hello, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Refusals of this node by others at the hello, by reason.
    pub refused_by_peers: BTreeMap<String, u64>,
    /// Connections that did not finish their handshake or their hello in time.
    pub silent: u64,
    /// Handshakes and hellos that broke: garbage, a cut, half a hello.
    pub broken: u64,
    /// Times the node woke up because a deadline came. An idle one needs few.
    pub ticks: u64,
    /// How well the node's task keeps up.
    #[serde(default)]
    pub turns: TurnStats,
}
