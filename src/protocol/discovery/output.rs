//! What discovery wants done.

use multiaddr::Multiaddr;

use super::card::Card;
use super::error::ConnectError;
use super::wire::Message;
use crate::base::id::{Life, NodeId};
use crate::base::token::Token;

/// Everything the room can want.
#[derive(Clone, Debug)]
pub enum Output {
    /// Dial. Ended by `Input::Dialled`, by an `Input::Linked` that names one of the addresses
    /// exactly as written here, or by `Input::DialFailed`.
    Dial {
        /// Names the dial.
        token: Token,
        /// Whom, when known.
        peer: Option<NodeId>,
        /// Where, the best first, at most 8. None ends in the `/p2p/…` of the peer itself.
        addresses: Vec<Multiaddr>,
    },
    /// The link asked for by `Input::Wanted` cannot be had now.
    Unreached {
        /// With whom.
        peer: NodeId,
    },
    /// Close the link to a peer.
    Unlink {
        /// Whom.
        peer: NodeId,
    },
    /// This room has no use for the link with this peer any more; another may have one.
    Unneeded {
        /// With whom.
        peer: NodeId,
    },
    /// Topics travel directly to this peer from now on, or no more (fixed topology only).
    Neighbour {
        /// Who.
        peer: NodeId,
        /// From now on, or no more.
        joined: bool,
    },
    /// A node is known, or known better: its newest card.
    Card(Card),
    /// A node is not known any more.
    Gone {
        /// Who.
        node: NodeId,
    },
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
    /// Reply to `Command::Connect`.
    Connected {
        /// Which.
        token: Token,
        /// Who lives there, or why there is no link.
        result: Result<NodeId, ConnectError>,
    },
    /// Something the node's user should know.
    Notice(Notice),
}

/// What the user of the node should know about other nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// The card store is full, by count or by bytes; this node, or its new card, is not remembered.
    CardsFull {
        /// Who.
        node: NodeId,
    },
    /// A node with our own id and a higher life is out there: this one runs twice, or from an old
    /// copy of its folder.
    OurselvesNewer {
        /// The life seen.
        life: Life,
    },
}
