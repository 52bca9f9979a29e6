//! What travels over the local API: plain numbers and texts, for programs in any language.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::group::Group;
use crate::base::id::NodeId;
use crate::base::trace_context::TraceContext;
use crate::node::{Member, Message, Overview, Peer, Stats};
use crate::protocol::discovery::Degrees;
use crate::protocol::membership::{Phase, Standing};
use crate::protocol::topic::{Delivery, MessageId, Report, Way};

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

/// A message to publish: its payload as `text` or as `payload_base64`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PublishRequest {
    /// The topic's name.
    pub topic: String,
    /// The payload, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The payload, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// How often every neighbour passes it on; 1 to 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relays: Option<u8>,
    /// Doors carry the topic too.
    pub foreign: bool,
    /// Compress it on the wire.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compressed: bool,
    /// How the member is chosen that gets it in a queue group: `round-robin`, `random`,
    /// `least-recent` or `all`. Default `round-robin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Refuse it while no other node reads the topic.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub if_read: bool,
    /// Ask the readers to confirm, and wait this long for the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_ms: Option<u64>,
}

/// What became of a publish.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PublishReply {
    /// Names the message.
    #[schema(value_type = Object)]
    pub id: MessageId,
    /// How far it came, when confirmations were asked for.
    pub report: Option<ReportView>,
}

/// Who has a message.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ReportView {
    /// Readers that confirmed.
    #[schema(value_type = Vec<String>)]
    pub holders: Vec<NodeId>,
    /// Readers that did not confirm in time.
    #[schema(value_type = Vec<String>)]
    pub missing: Vec<NodeId>,
    /// From acceptance to the last confirmation.
    pub elapsed_us: u64,
}

/// A message that was received.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct MessageView {
    /// Names it.
    #[schema(value_type = Object)]
    pub id: MessageId,
    /// The author outside the members, when it came in through a door.
    pub foreign_author: Option<String>,
    /// When it was sent, on the author's clock; microseconds since 1970.
    pub sent_us: u64,
    /// When the first copy came, on this node's clock; microseconds since 1970.
    pub received_us: u64,
    /// The payload, when it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The payload, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// The place in a trace that its publisher gave it: a W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub traceparent: Option<TraceContext>,
    /// Whether an earlier query returned it.
    pub was_read: bool,
    /// Whether it was published before the subscription that it comes from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
    /// The ways its copies took, the first copy's first; empty when not asked for.
    #[schema(value_type = Vec<Object>)]
    pub ways: Vec<Way>,
}

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

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn texts(things: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    things.into_iter().map(|thing| thing.to_string()).collect()
}

fn group_texts(groups: BTreeMap<String, BTreeSet<Group>>) -> BTreeMap<String, Vec<String>> {
    groups.into_iter().map(|(name, groups)| (name, texts(groups))).collect()
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

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let Report { holders, missing, elapsed } = report;
        Self { holders, missing, elapsed_us: micros(elapsed) }
    }
}

impl PublishRequest {
    /// The payload; an error in words when there is none, or more than one.
    pub(super) fn payload(&self) -> Result<Vec<u8>, String> {
        match (&self.text, &self.payload_base64) {
            (Some(text), None) => Ok(text.clone().into_bytes()),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|error| format!("`payload_base64`: {error}"))
            }
            _ => Err("give the payload as `text` or as `payload_base64`".to_owned()),
        }
    }
}

/// Text where it is UTF-8, base64 where it is not.
fn payload_views(payload: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(payload) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(STANDARD.encode(payload))),
    }
}

impl MessageView {
    /// The payload's bytes.
    pub fn payload(&self) -> Vec<u8> {
        match (&self.text, &self.payload_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        let (text, payload_base64) = payload_views(&message.payload);
        Self {
            id: message.id,
            foreign_author: message.foreign_author,
            sent_us: message.sent.0,
            received_us: message.received.0,
            text,
            payload_base64,
            traceparent: message.trace_context,
            was_read: message.was_read,
            earlier: false,
            ways: message.ways,
        }
    }
}

impl From<Delivery<Vec<u8>>> for MessageView {
    fn from(delivery: Delivery<Vec<u8>>) -> Self {
        let (text, payload_base64) = payload_views(&delivery.value);
        Self {
            id: delivery.id,
            foreign_author: delivery.foreign_author,
            sent_us: delivery.sent.0,
            received_us: delivery.received.0,
            text,
            payload_base64,
            traceparent: delivery.trace_context,
            was_read: false,
            earlier: delivery.earlier,
            ways: Vec::new(),
        }
    }
}
