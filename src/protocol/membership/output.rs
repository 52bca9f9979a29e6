//! What membership wants done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::wire::{Certificate, Message, News};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::token::Token;

/// Everything the room can want.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Output {
    /// Have a link with this peer; `Input::Linked` or `Input::Unreached` follows.
    Reach {
        /// With whom.
        peer: NodeId,
    },
    /// End the link with this peer.
    Unlink {
        /// With whom.
        peer: NodeId,
    },
    /// This is our incarnation from now on; say so in every hello.
    Incarnation(Incarnation),
    /// Refuse this incarnation and those before it at the hello, with the proof.
    Bar {
        /// Of whom.
        node: NodeId,
        /// Up to which.
        incarnation: Incarnation,
        /// Why.
        certificate: Certificate,
    },
    /// Refuse it no more.
    Unbar {
        /// Whom.
        node: NodeId,
    },
    /// A node left in this life.
    Left {
        /// Who.
        node: NodeId,
        /// The life that ended.
        life: Life,
    },
    /// A node is there (again).
    Online {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// A node cannot be reached from here.
    Unreachable {
        /// Who.
        node: NodeId,
    },
    /// An incarnation of a node was put out.
    Down {
        /// Of whom.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// Something was found out or done.
    Found(Finding),
    /// Ask a linked peer.
    Ask {
        /// Whom.
        to: NodeId,
        /// Names the question.
        token: Token,
        /// The question.
        message: Message,
    },
    /// Tell a linked peer something.
    Tell {
        /// Whom.
        to: NodeId,
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
    /// Remember this for the next start.
    Save(Saved),
    /// All peers know that we leave, or had time enough to hear it.
    MayStop,
}

/// What a node remembers of membership from one start to the next.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Saved {
    /// The records of other nodes, at most `max_members`.
    pub records: Vec<News>,
    /// Whose votes counted.
    pub agreed: BTreeSet<NodeId>,
}
