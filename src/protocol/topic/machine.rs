//! What may happen to topics, and what they want done.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::TopicError;
use super::wire::{Hop, Message, MessageId};
use crate::base::id::NodeId;
use crate::base::time::WallTime;
use crate::base::token::Token;

/// One of the few gossipsub topics ours are spread over.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bucket(pub u16);

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
    },
    /// Deliver what comes on a topic, from now on. Replied with `Output::Subscribed`.
    Subscribe {
        /// Names the subscription, and the reply.
        subscription: Token,
        /// The topic's name.
        topic: String,
        /// Also what this node publishes itself.
        own: bool,
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

/// Which kept messages to return, oldest first.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Query {
    /// Only of this topic; all topics without.
    pub topic: Option<String>,
    /// Which by their mark.
    pub which: Which,
    /// Which of their paths to find out.
    pub paths: Paths,
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

/// A message as it was received, before its payload is decoded for a subscriber.
#[derive(Clone, Debug)]
pub struct Received {
    /// Names it.
    pub id: MessageId,
    /// The author outside the members, when it came in through a door: its libp2p peer id.
    pub foreign_author: Option<String>,
    /// When the author sent it, on the author's clock.
    pub sent: WallTime,
    /// When the first copy came here, on this node's clock.
    pub received: WallTime,
    /// What was sent.
    pub payload: Bytes,
}

/// A kept message as a query returns it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The message.
    pub message: Arc<Received>,
    /// Whether it had been returned before this query.
    pub was_read: bool,
    /// The ways its copies took, each from the author to this node; the first copy's way is first.
    /// Empty when not asked for. A way that could not be found out in full misses its beginning
    /// and says so by `complete`.
    pub ways: Vec<Way>,
}

/// One way from the author to this node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Way {
    /// The nodes, the author first, this node last.
    pub hops: Vec<Hop>,
    /// False when some node on the way did not answer: then `hops` begins after the gap.
    pub complete: bool,
}

/// How far a message with receipts came.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    /// Readers that confirmed, with the author itself where it reads the topic.
    pub holders: Vec<NodeId>,
    /// Readers by their cards that did not confirm in time.
    pub missing: Vec<NodeId>,
    /// From acceptance to the last confirmation counted here (or to the deadline, when some are
    /// missing).
    pub elapsed: Duration,
}

/// What became of one `Output::Broadcast`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carried {
    /// On its way to at least one peer.
    Out,
    /// No linked peer has joined the bucket; nothing was sent.
    NoPeers,
    /// The queues to all peers are full; it may still go out by gossip.
    QueuesFull,
    /// The carrier refused it for another reason; nothing was sent.
    Refused,
}

/// Everything that can happen to the room.
#[derive(Clone, Debug)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// The user wants something.
    Command(Command),
    /// The first copy of a broadcast. The carrier has checked the author's signature.
    Heard {
        /// The neighbour that passed it on.
        from: NodeId,
        /// Who signed it.
        author: NodeId,
        /// The carrier's number of it.
        sequence: u64,
        /// The envelope.
        frame: Bytes,
    },
    /// Any copy of a broadcast, the first one too; always after its `Heard`.
    Copy {
        /// The neighbour that passed it on.
        from: NodeId,
        /// Who signed it.
        author: NodeId,
        /// The carrier's number of it.
        sequence: u64,
    },
    /// What became of a broadcast of ours.
    Carried {
        /// Which.
        token: Token,
        /// How it went.
        outcome: Carried,
    },
    /// A linked peer joined a bucket: broadcasts in it now reach somebody.
    Joined {
        /// The bucket.
        bucket: Bucket,
    },
    /// A peer is linked.
    Linked {
        /// Who.
        peer: NodeId,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
    /// What another node reads, by its newest card.
    Reads {
        /// Who.
        node: NodeId,
        /// The names of the topics.
        topics: BTreeSet<String>,
    },
    /// A node left or was forgotten: it reads nothing any more.
    Gone {
        /// Who.
        node: NodeId,
    },
    /// A foreign peer published at our door.
    Door {
        /// The topic.
        topic: String,
        /// The foreign author's libp2p peer id.
        author: String,
        /// What names the message among foreigners: author bytes and sequence number.
        origin: Bytes,
        /// The bare payload.
        payload: Bytes,
    },
    /// A peer asks; answer with `Output::Answer`.
    Asked {
        /// Who.
        from: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// A peer tells something that needs no answer.
    Told {
        /// Who.
        from: NodeId,
        /// What.
        message: Message,
    },
    /// The answer to an `Output::Ask`.
    Answer {
        /// Which.
        token: Token,
        /// The answer.
        message: Message,
    },
    /// No answer will come to an `Output::Ask`, or an `Output::Tell` did not arrive.
    NoAnswer {
        /// Which.
        token: Token,
    },
}

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
    /// Hand a message to a subscription.
    Deliver {
        /// Which.
        subscription: Token,
        /// The message.
        message: Arc<Received>,
    },
    /// This node now reads these topics; goes into its card.
    Reads(BTreeSet<String>),
    /// Ask a linked peer.
    Ask {
        /// Whom.
        to: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// Tell a linked peer; `Input::NoAnswer` when it did not arrive, nothing when it did.
    Tell {
        /// Whom.
        to: NodeId,
        /// Names it.
        token: Token,
        /// What.
        message: Message,
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
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TopicStats {
    /// Messages published here.
    pub published: u64,
    /// Messages received, each once.
    pub received: u64,
    /// Copies dropped because the message had been received.
    pub duplicates: u64,
    /// Messages of topics nobody here reads.
    pub unread: u64,
    /// Frames that are not an envelope.
    pub malformed: u64,
    /// Messages handed to subscriptions.
    pub delivered: u64,
    /// Messages waiting for a first reader now.
    pub waiting: u64,
    /// Messages kept now.
    pub kept: u64,
    /// Bytes of kept payloads now.
    pub kept_bytes: u64,
}
