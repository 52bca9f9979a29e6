//! What may happen to membership.

use serde::{Deserialize, Serialize};

use super::wire::{Certificate, Message};
use crate::base::id::{Life, NodeId};
use crate::base::token::Token;

/// Everything that can happen to the room.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A peer is linked.
    Linked {
        /// Who.
        peer: NodeId,
        /// In which life.
        life: Life,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
    /// The link wanted by `Output::Reach` cannot be had now.
    Unreached {
        /// With whom.
        peer: NodeId,
    },
    /// No other room has a use for the link with this peer.
    Unneeded {
        /// With whom.
        peer: NodeId,
    },
    /// A peer refused us at the hello, with the proof that we were put out.
    Barred {
        /// Who, if known.
        by: Option<NodeId>,
        /// The proof.
        certificate: Certificate,
    },
    /// Something else came from a linked peer; see [`MembershipMachine::wants_heard`].
    Heard {
        /// From whom.
        peer: NodeId,
    },
    /// A node is known by its card.
    Known {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// A node is not known by a card any more.
    Forgotten {
        /// Who.
        node: NodeId,
    },
    /// This node wants to leave. Ends with `Output::MayStop`.
    Leave,
    /// A peer asks; answer with `Output::Answer`.
    Asked {
        /// Who.
        from: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// A peer tells something.
    Told {
        /// Who.
        from: NodeId,
        /// What.
        message: Message,
    },
    /// The answer to an `Output::Ask`.
    Answer {
        /// To which.
        token: Token,
        /// The answer.
        message: Message,
    },
    /// An `Output::Ask` was heard without an answer, or will have none.
    Settled {
        /// Which.
        token: Token,
    },
}
