//! The others, and this node among them, as seen from here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use crate::base::group::Group;
use crate::base::id::{Incarnation, Life, NodeId};
use crate::protocol::membership::{Phase, Standing};

impl Node {
    /// All other nodes known, linked or not, those that left among them.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// assert!(node.peers().await?.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn peers(&self) -> Result<Vec<Peer>, Error> {
        self.ask(Command::Peers).await
    }

    /// Who belongs to the mesh as seen from here, this node too, and how each stands: by rising id,
    /// those that left or were put out among them for as long as they are remembered. See
    /// [`Node::peers`] for where others are and what they read, and [`Node::why`] for the reasons.
    /// Dropping it is safe.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Standing};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let members = node.members().await?;
    /// assert_eq!((members.len(), members[0].id), (1, node.id()));
    /// # node.leave().await }
    /// ```
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        self.ask(Command::Members).await
    }
}

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
