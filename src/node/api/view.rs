//! What travels over the local API: plain numbers and texts, for programs in any language.

mod messages;
mod nodes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use messages::{MessageView, PublishReply, PublishRequest, ReportView};
pub use nodes::{MemberView, NodeView, PeerView};

use crate::base::group::Group;
use crate::base::id::NodeId;
use crate::protocol::discovery::Degrees;

/// Names a node.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeReference {
    /// Its id.
    #[schema(value_type = String)]
    pub node: NodeId,
}

/// An address to link with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ConnectRequest {
    /// Like `/ip4/192.168.1.2/tcp/4001`.
    pub address: String,
}

/// The neighbours a node is to have, with their addresses. Not for nodes of the open topology.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NeighboursRequest {
    /// Addresses by node id.
    #[schema(value_type = Object)]
    pub neighbours: BTreeMap<NodeId, Vec<Multiaddr>>,
    /// Replaces those that are lost, so that there are `min` to `max` of them; without this the
    /// neighbours stay as they are given.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub degrees: Option<Degrees>,
}

/// What went wrong.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// One sentence: what happened and what to do.
    pub error: String,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn texts(things: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    things.into_iter().map(|thing| thing.to_string()).collect()
}

fn group_texts(groups: BTreeMap<String, BTreeSet<Group>>) -> BTreeMap<String, Vec<String>> {
    groups.into_iter().map(|(name, groups)| (name, texts(groups))).collect()
}
