//! What a node says of itself, at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use super::pace::TurnStats;
use super::tally::{ReaderStats, Refusals, TreeTraffic, Undelivered};
use crate::base::group::Group;
use crate::base::id::{Incarnation, Life, NodeId};
use crate::net::{CarrierStats, DoorStats, StreamStats};
use crate::protocol::discovery::DiscoveryStats;
use crate::protocol::link::LinkStats;
use crate::protocol::membership::{MembershipStats, Phase};
use crate::protocol::topic::TopicStats;
use crate::protocol::tree::TreeStats;

impl Node {
    /// This node at this moment: addresses, topics, counters.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).name("ada").spawn().await?;
    /// assert_eq!(node.overview().await?.name, "ada");
    /// # node.leave().await }
    /// ```
    pub async fn overview(&self) -> Result<Overview, Error> {
        self.ask(Command::Overview).await
    }

    /// Where others can dial this node, each ending in `/p2p/` and its id.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let address = node.addresses().await?.remove(0);
    /// assert!(address.to_string().ends_with(&node.id().to_string()));
    /// # node.leave().await }
    /// ```
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, Error> {
        let overview = self.overview().await?;
        Ok(overview.addresses.into_iter().map(|address| self.pinned(address)).collect())
    }

    /// The address with this node's id at its end.
    fn pinned(&self, address: Multiaddr) -> Multiaddr {
        let id = multiaddr::PeerId::from(self.id());
        address.clone().with_p2p(id).unwrap_or(address)
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
