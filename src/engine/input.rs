//! Everything that can happen to a node.

use std::time::Duration;

use bytes::Bytes;
use multiaddr::Multiaddr;

use super::frame::{Message, Packet, Ticket};
use crate::base::id::{Life, NodeId};
use crate::base::token::Token;
use crate::protocol::discovery::{self, DialFailure, Source};
use crate::protocol::link::{Link, LinkId};
use crate::protocol::topic::{self, Bucket, Carried};

/// Everything that can happen to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// The deadline came.
    Tick,

    /// A connection is up and its hello done.
    Opened { peer: NodeId, life: Life, link: Link },
    /// A connection is gone.
    Closed { peer: NodeId, link: LinkId },
    /// A ping on a connection ended.
    Pinged { peer: NodeId, link: LinkId, answered: Option<Duration> },
    /// The carrier dropped messages because this peer takes them too slowly.
    Slow { peer: NodeId },
    /// A dial led to a connection, whether it is kept or not.
    Dialled { token: Token, peer: NodeId },
    /// A dial ended without a connection.
    DialFailed { token: Token, failure: DialFailure },
    /// A connection ended at the hello: one side refused the other.
    Refused { peer: Option<NodeId>, by_us: bool, reason: String },
    /// A peer refused this node, because a quorum put out the incarnation that our hello says. The
    /// certificate is as the peer sent it: at most `MAX_CERTIFICATE` bytes, and not checked.
    Barred { by: Option<NodeId>, certificate: Bytes },
    /// Our own addresses as others can dial them.
    Listening { addresses: Vec<Multiaddr> },
    /// Somebody told where a node is.
    Sighting { source: Source, peer: Option<NodeId>, addresses: Vec<Multiaddr> },

    /// The first copy of a broadcast, signed by its author.
    Heard { from: NodeId, author: NodeId, sequence: u64, frame: Bytes },
    /// Any copy of a broadcast, the first one too.
    Copy { from: NodeId, author: NodeId, sequence: u64 },
    /// What became of a broadcast of ours.
    Carried { token: Token, outcome: Carried },
    /// A linked peer takes part in a bucket.
    Joined { peer: NodeId, bucket: Bucket },
    /// A linked peer takes part no more.
    Parted { peer: NodeId, bucket: Bucket },
    /// A foreign peer published at our door.
    Door { topic: String, author: String, origin: Bytes, payload: Bytes },

    /// Our stream to a linked peer is open: the tree may send to it.
    TreeUp { peer: NodeId },
    /// Our stream to a peer ended, or its link did. What was sent and not read is lost.
    TreeDown { peer: NodeId },
    /// A packet came by a peer's stream. A batch in it is signed by its author.
    TreePacket { from: NodeId, packet: Packet },
    /// So many bytes of the batches for a peer were written, in the order they were sent.
    TreeSent { peer: NodeId, bytes: usize },
    /// A peer's stream was closed, because what came by it broke a rule or was forged.
    TreeRefused { peer: NodeId },

    /// A peer asks; answer with `Output::Answer`.
    Asked { from: NodeId, token: Token, message: Message },
    /// A peer tells something that needs no answer.
    Told { from: NodeId, message: Message },
    /// The answer to an `Output::Ask`.
    Answer { from: NodeId, ticket: Ticket, message: Message },
    /// An `Output::Tell` arrived, or a question was heard without an answer.
    Arrived { from: NodeId, ticket: Ticket },
    /// No answer will come, or what was told did not arrive.
    NoAnswer { ticket: Ticket },

    /// The user wants something of discovery.
    Discovery(discovery::Command),
    /// The user wants something of topics.
    Topic(topic::Command),
    /// The user wants this node to leave.
    Leave,
}

impl Input {
    /// The peer that was alive a moment ago, because it said or passed on what this tells of.
    /// `None` for what happens here, and for ends.
    pub const fn sign_of_life(&self) -> Option<NodeId> {
        match self {
            Self::Opened { peer, .. }
            | Self::Pinged { peer, answered: Some(_), .. }
            | Self::Joined { peer, .. }
            | Self::Parted { peer, .. }
            | Self::Heard { from: peer, .. }
            | Self::Copy { from: peer, .. }
            | Self::TreePacket { from: peer, .. }
            | Self::Asked { from: peer, .. }
            | Self::Told { from: peer, .. }
            | Self::Answer { from: peer, .. }
            | Self::Arrived { from: peer, .. } => Some(*peer),
            _ => None,
        }
    }
}
