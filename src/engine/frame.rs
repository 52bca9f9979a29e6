//! What travels between two nodes outside of broadcasts: one message type over all rooms.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::batch::Batch;
use crate::base::limits::{MAX_FRAME, MAX_PROBE};
use crate::base::token::Token;
use crate::protocol::{discovery, membership, topic, tree};

/// A question, a statement or an answer of one of the rooms.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Message {
    /// Of the membership room.
    #[serde(rename = "m")]
    Membership(membership::Message),
    /// Of the discovery room.
    #[serde(rename = "d")]
    Discovery(discovery::Message),
    /// Of the topic room.
    #[serde(rename = "t")]
    Topic(topic::Message),
}

/// By which of the two ways a question travels; its answer comes back by the same one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Lane {
    /// All but probes. At most `MAX_FRAME` bytes, or as much as the largest message needs.
    Control,
    /// Probes, before which nothing may queue. At most `MAX_PROBE` bytes.
    Probe,
}

/// What is around a message that is repaired: the head and the signature of its batch, and the
/// answer itself.
const MAX_AROUND: usize = 8 * 1024;

impl Lane {
    /// Largest question or answer, in bytes, where messages may have `max_message` bytes: one that
    /// is repaired has to fit into the answer.
    pub fn max_bytes(self, max_message: usize) -> usize {
        match self {
            Self::Control => MAX_FRAME.max(max_message.saturating_add(MAX_AROUND)),
            Self::Probe => MAX_PROBE,
        }
    }
}

impl Message {
    /// The way it takes as a question.
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Membership(message) if message.is_probe() => Lane::Probe,
            Self::Membership(_) | Self::Discovery(_) | Self::Topic(_) => Lane::Control,
        }
    }
}

/// A request on the wire: does the sender want an answer?
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Request {
    /// Yes.
    #[serde(rename = "a")]
    Ask(Message),
    /// No; the empty response only says that it arrived.
    #[serde(rename = "t")]
    Tell(Message),
}

impl Request {
    /// What is asked or told.
    pub const fn message(&self) -> &Message {
        match self {
            Self::Ask(message) | Self::Tell(message) => message,
        }
    }
}

/// A response on the wire. Empty for `Tell`, and for a question that has no answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Response(pub Option<Message>);

/// What travels by the streams of the tree carrier.
#[derive(Clone, Debug)]
pub enum Packet {
    /// Messages of one author, signed.
    Batch(Arc<Batch>),
    /// What the tree rooms of two neighbours say to each other. At most `MAX_TREE_MESSAGE` bytes.
    Message(tree::Message),
}

/// Which room.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Room {
    /// Membership.
    Membership,
    /// Discovery.
    Discovery,
    /// Topic.
    Topic,
}

/// Names a question over all rooms, so that its answer comes back to the right one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket {
    /// Who asked.
    pub room: Room,
    /// Which of its questions.
    pub token: Token,
}
