//! What the node's user asks of the room, and what a query of kept messages can say.

use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::strategy::Strategy;
use crate::base::group::Group;
use crate::base::id::NodeId;
use crate::base::token::Token;
use crate::base::trace_context::TraceContext;

/// How a message travels, and what travels with it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Envelope {
    /// Compress the batch it travels in.
    pub compressed: bool,
    /// The place in a trace of the application that it belongs to.
    pub trace_context: Option<TraceContext>,
}

impl Envelope {
    /// That of a piece of a message: the context is with the first one.
    pub(super) fn of_piece(self, later: bool) -> Self {
        Self { trace_context: self.trace_context.filter(|_| !later), ..self }
    }
}

/// What the node's user asks of the room.
#[derive(Clone, Debug)]
pub enum Command {
    /// Send a payload to all who read the topic. Replied with `Output::Published`, and, when
    /// receipts are asked for, later once with `Output::Confirmed`.
    Publish {
        /// Names the replies.
        token: Token,
        /// The topic's name.
        topic: String,
        /// What is sent.
        payload: Bytes,
        /// How often every neighbour passes it on.
        relays: NonZeroU8,
        /// Ask the readers to confirm, and wait this long for the last of them.
        receipts: Option<Duration>,
        /// A topic that doors carry too.
        foreign: bool,
        /// How the member is chosen that gets it in a queue group.
        strategy: Strategy,
        /// Refuse it while no other node reads the topic, instead of letting it wait for one.
        if_read: bool,
        /// How it travels.
        envelope: Envelope,
    },
    /// Send a payload as `Publish` does, without a reply: the caller has asked `has_room`, and has
    /// checked the name of the topic and the size.
    Send {
        /// The topic's name.
        topic: String,
        /// What is sent.
        payload: Bytes,
        /// A topic that doors carry too.
        foreign: bool,
        /// How it travels.
        envelope: Envelope,
    },
    /// Deliver what comes on a topic, or on all topics of a pattern, from now on. Replied with
    /// `Output::Subscribed`.
    Subscribe {
        /// Names the subscription, and the reply.
        subscription: Token,
        /// The topic's name, or a pattern.
        topic: String,
        /// Also what this node publishes itself.
        own: bool,
        /// Share the messages with the other members of this group.
        group: Option<Group>,
        /// First what was said before; not in a group.
        earlier: Earlier,
    },
    /// Stop delivering. Deliveries stop at once.
    Unsubscribe {
        /// Which one.
        subscription: Token,
    },
    /// Read kept messages. Replied with `Output::Kept`.
    Read {
        /// Names the reply.
        token: Token,
        /// Which messages, and what of them.
        query: Query,
    },
}

/// How much a subscription wants of what was said before it: what is within both. Nothing, with
/// neither.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Earlier {
    /// The newest, so many.
    pub last: Option<u64>,
    /// What is so old at most.
    pub since: Option<Duration>,
}

impl Earlier {
    /// Whether anything is wanted.
    pub(super) const fn is_wanted(self) -> bool {
        self.last.is_some() || self.since.is_some()
    }
}

/// Which kept messages to return, oldest first.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// Only of this topic; all topics without.
    pub topic: Option<String>,
    /// Which by their mark.
    pub which: Which,
    /// Which of their paths to find out.
    pub paths: Paths,
    /// Only the message with this [`TraceId`](super::TraceId), or those whose begins so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Only those of this author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<NodeId>,
    /// Only those of this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Of all these only the newest, so many; all without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<usize>,
    /// Leave the marks as they are, even for messages returned.
    pub peek: bool,
}

/// Kept messages by their mark. Only `Unread` and `All` mark what they return as read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Not yet returned by any query.
    #[default]
    Unread,
    /// Returned before.
    Read,
    /// Both.
    All,
}

/// How much of the ways a query wants to know.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Paths {
    /// Nothing; no other node is asked.
    #[default]
    None,
    /// The way of every copy that came here.
    All,
}
