//! What travels between two nodes outside of broadcasts: one message type over all rooms.

use serde::{Deserialize, Serialize};

use crate::base::token::Token;
use crate::protocol::{discovery, membership, topic};

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

/// A response on the wire. Empty for `Tell`, and for a question that has no answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Response(pub Option<Message>);

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
