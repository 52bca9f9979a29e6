//! What may happen to topics.

use std::sync::Arc;

use bytes::Bytes;

use super::command::Command;
use super::wire::Message;
use crate::base::batch::Batch;
use crate::base::group::Interests;
use crate::base::id::NodeId;
use crate::base::token::Token;

/// One of the few gossipsub topics ours are spread over.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bucket(pub u16);

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
    /// The first copy of a batch that came by the tree carrier, its author proved.
    Grown {
        /// The neighbour that passed it on.
        from: NodeId,
        /// What came.
        batch: Arc<Batch>,
    },
    /// A linked peer has a stream of the tree carrier from now on, or no more.
    Branch {
        /// Whom.
        peer: NodeId,
        /// Whether it does.
        up: bool,
    },
    /// The tree carrier takes batches of ours, or they have to wait.
    Room(bool),
    /// What became of a broadcast of ours.
    Carried {
        /// Which.
        token: Token,
        /// How it went.
        outcome: Carried,
    },
    /// A linked peer joined a bucket: broadcasts in it now reach somebody.
    Joined {
        /// Who.
        peer: NodeId,
        /// Which.
        bucket: Bucket,
    },
    /// A linked peer left a bucket.
    Parted {
        /// Who.
        peer: NodeId,
        /// Which.
        bucket: Bucket,
    },
    /// A peer is linked. With `relay_all` topics travel over the link once it is a neighbour.
    Linked {
        /// Who.
        peer: NodeId,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
    /// Topics travel over the link with a peer from now on, or no more. Only with `relay_all`:
    /// without, they travel over every link.
    Neighbour {
        /// Who.
        peer: NodeId,
        /// Whether they do.
        joined: bool,
    },
    /// What another node reads, by its newest card.
    Reads {
        /// Who.
        node: NodeId,
        /// Topics and patterns, in groups or in none.
        topics: Interests,
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
    /// An `Output::Tell` arrived.
    Arrived {
        /// Which.
        token: Token,
    },
    /// No answer will come to an `Output::Ask`, or an `Output::Tell` did not arrive.
    NoAnswer {
        /// Which.
        token: Token,
    },
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
