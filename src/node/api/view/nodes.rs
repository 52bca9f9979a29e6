//! Nodes as the local API shows them.

use std::collections::BTreeMap;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{group_texts, micros, millis, texts};
use crate::base::id::NodeId;
use crate::node::{Member, Overview, Peer, Stats};
use crate::protocol::membership::{Phase, Standing};

/// This node at one moment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeView {
    /// Version of the program.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Who.
    #[schema(value_type = String)]
    pub id: NodeId,
    /// The name people gave it.
    pub name: String,
    /// Its network.
    pub network: String,
    /// Which start of it this is.
    pub life: u64,
    /// How often it refuted a suspicion or came back in this life.
    pub refutations: u32,
    /// `joining`, `active`, `isolated` or `downed`: in what condition it is as a member.
    #[schema(value_type = String)]
    pub phase: Phase,
    /// Members that live, as it knows, itself too.
    pub active: u32,
    /// Members whose votes count, itself too. The same as `active` once all agree.
    pub agreed: u32,
    /// For how long it has run.
    pub uptime_ms: u64,
    /// Where others can dial it, with `/p2p/…`.
    pub addresses: Vec<String>,
    /// Where foreign programs can dial it, with `/p2p/…`.
    pub door: Vec<String>,
    /// What it reads in no group: topics and patterns.
    pub topics: Vec<String>,
    /// What it reads in queue groups: topics and patterns, each with its groups, written `name` or
    /// `name@host`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// Live links.
    pub links: usize,
    /// Largest payload it publishes, in bytes.
    pub max_message_bytes: usize,
    /// Counters since its start.
    #[schema(value_type = Object)]
    pub stats: Stats,
}

/// Another node, as this one knows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PeerView {
    /// Who.
    #[schema(value_type = String)]
    pub id: NodeId,
    /// The name people gave it; empty until its card came.
    pub name: String,
    /// Its newest life.
    pub life: u64,
    /// `alive`, `suspected`, `unreachable`, `down` or `left`, as seen from here.
    #[schema(value_type = String)]
    pub standing: Standing,
    /// For how long it has stood so.
    pub since_ms: u64,
    /// Where it says it can be dialled.
    pub addresses: Vec<String>,
    /// What it reads in no group: topics and patterns.
    pub topics: Vec<String>,
    /// What it reads in queue groups: topics and patterns, each with its groups, written `name` or
    /// `name@host`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// What its operator wants others to know.
    pub labels: BTreeMap<String, String>,
    /// There is a live link with it.
    pub linked: bool,
    /// Topics travel directly to it.
    pub neighbour: bool,
    /// The last round trip of a ping.
    pub round_trip_us: Option<u64>,
}

/// A member of the mesh, as this node sees it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct MemberView {
    /// Who.
    #[schema(value_type = String)]
    pub id: NodeId,
    /// The name people gave it; empty until its card came.
    pub name: String,
    /// `alive`, `suspected`, `unreachable`, `down` or `left`, as seen from here.
    #[schema(value_type = String)]
    pub standing: Standing,
    /// For how long it has stood so.
    pub since_ms: u64,
    /// Its newest life.
    pub life: u64,
    /// How often it refuted a suspicion in this life.
    pub refutations: u32,
    /// It is the node that was asked.
    pub is_this_node: bool,
}

impl From<Overview> for NodeView {
    fn from(node: Overview) -> Self {
        let pinned = |addresses: Vec<Multiaddr>| {
            texts(addresses.into_iter().map(|address| format!("{address}/p2p/{}", node.id)))
        };
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            id: node.id,
            name: node.name,
            network: node.network,
            life: node.life.0,
            refutations: node.incarnation.refutations,
            phase: node.phase,
            active: node.active,
            agreed: node.agreed,
            uptime_ms: millis(node.uptime),
            addresses: pinned(node.addresses),
            door: pinned(node.door),
            topics: texts(node.topics),
            groups: group_texts(node.groups),
            links: node.links,
            max_message_bytes: node.max_message_bytes,
            stats: node.stats,
        }
    }
}

impl From<Peer> for PeerView {
    fn from(peer: Peer) -> Self {
        Self {
            id: peer.id,
            name: peer.name,
            life: peer.life.0,
            standing: peer.standing,
            since_ms: millis(peer.since),
            addresses: texts(peer.addresses),
            topics: texts(peer.topics),
            groups: group_texts(peer.groups),
            labels: peer.labels,
            linked: peer.linked,
            neighbour: peer.neighbour,
            round_trip_us: peer.round_trip.map(micros),
        }
    }
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let Member { id, name, standing, since, incarnation, is_this_node } = member;
        Self {
            id,
            name,
            standing,
            since_ms: millis(since),
            life: incarnation.life.0,
            refutations: incarnation.refutations,
            is_this_node,
        }
    }
}
