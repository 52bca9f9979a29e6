//! What topics want done.

use std::sync::Arc;

use bytes::Bytes;

use super::error::TopicError;
use super::input::Bucket;
use super::received::{Kept, Received, Report};
use super::wire::{Message, MessageId};
use crate::base::batch::Batch;
use crate::base::group::Interests;
use crate::base::id::NodeId;
use crate::base::token::Token;

/// Everything the room can want.
#[derive(Clone, Debug)]
pub enum Output {
    /// Take part in a bucket of the carrier.
    Join(Bucket),
    /// Take part no more.
    Leave(Bucket),
    /// Broadcast a frame in a bucket; `Input::Carried` says what became of it.
    Broadcast {
        /// Names the broadcast.
        token: Token,
        /// Where.
        bucket: Bucket,
        /// The envelope.
        frame: Bytes,
    },
    /// Give a batch of ours to the tree carrier.
    Grow(Arc<Batch>),
    /// The tree carrier is to wait with more until what is missing here is repaired, or to go on.
    Behind(bool),
    /// Hand messages to a subscription, in order.
    Deliver {
        /// Which.
        subscription: Token,
        /// The messages.
        messages: Vec<Arc<Received>>,
    },
    /// This node now reads this; goes into its card.
    Reads(Interests),
    /// Ask a linked peer.
    Ask {
        /// Whom.
        to: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// Tell a linked peer; `Input::Arrived` when it arrived, `Input::NoAnswer` when it did not.
    Tell {
        /// Whom.
        to: NodeId,
        /// Names it.
        token: Token,
        /// What.
        message: Message,
    },
    /// A link with this node is wanted, which reads a topic.
    Reach {
        /// Whom.
        peer: NodeId,
    },
    /// Answer an `Input::Asked`.
    Answer {
        /// Which.
        token: Token,
        /// The answer.
        message: Message,
    },
    /// Publish the bare payload at our door.
    Door {
        /// The topic.
        topic: String,
        /// The payload.
        payload: Bytes,
    },
    /// Reply to `Command::Publish`: accepted under this id, or refused.
    Published {
        /// Which.
        token: Token,
        /// How it went.
        result: Result<MessageId, TopicError>,
    },
    /// Second reply to `Command::Publish` with receipts.
    Confirmed {
        /// Which.
        token: Token,
        /// Who has it.
        report: Report,
    },
    /// Reply to `Command::Subscribe`.
    Subscribed {
        /// Which.
        subscription: Token,
        /// How it went.
        result: Result<(), TopicError>,
    },
    /// Reply to `Command::Read`.
    Kept {
        /// Which.
        token: Token,
        /// The messages, oldest first.
        messages: Vec<Kept>,
    },
    /// Something the node's user should know.
    Notice(Notice),
}

/// What the user of the node should know about topics.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// A message found no reader within `wait_for` and was dropped.
    Unread {
        /// Which.
        id: MessageId,
    },
    /// The queues to all peers were full when this was to go out; it may be lost.
    NotSent {
        /// Which.
        id: MessageId,
    },
    /// Messages of an author on a topic that is read here are lost: they did not come, and nobody
    /// could give them within `repair_for`.
    Gap {
        /// Whose.
        author: NodeId,
        /// On which topic.
        topic: String,
        /// The first number.
        from: u64,
        /// One above the last.
        to: u64,
    },
}
