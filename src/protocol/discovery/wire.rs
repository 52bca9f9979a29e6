//! What nodes say about nodes.

use serde::{Deserialize, Serialize};

use crate::base::id::{Life, NodeId};

/// A card as it travels: the bytes its owner signed, and the signature.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SignedCard {
    /// The card in CBOR, at most `MAX_CARD` bytes.
    #[serde(with = "serde_bytes")]
    pub card: Vec<u8>,
    /// The owner's signature over the domain prefix and these bytes.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// How long ago its owner signed it, in milliseconds, as far as the teller knows. Not signed:
    /// it only makes a card end everywhere at about the same time.
    pub age_ms: u64,
}

/// Which version of a node's card somebody holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Held {
    /// Whose card.
    pub node: NodeId,
    /// Of which life.
    pub life: Life,
    /// Which version.
    pub version: u64,
}

/// Questions and answers of the discovery room. Each is at most `MAX_FRAME` bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Message {
    /// "My cards hash to this. And yours?"
    Compare {
        /// Hash over all (node, life, version) held.
        digest: u64,
        /// Asks for what comes after this id (the next page of `Holds`); `None` begins.
        after: Option<NodeId>,
    },
    /// Answer to `Compare`: the same.
    Same,
    /// Answer to `Compare`: not the same; this is what the answering node holds, in the order of
    /// ids and without a hole from the asked `after` on. `more` when it does not reach the end.
    Holds {
        /// What it holds.
        held: Vec<Held>,
        /// The list ends before the last card.
        more: bool,
    },
    /// "Give me the cards of these nodes." Answered with `Cards`: as many as fit, in any order.
    Fetch {
        /// Whose.
        nodes: Vec<NodeId>,
    },
    /// Cards: an answer to `Fetch`, or pushed on a change without being asked.
    Cards {
        /// The cards.
        cards: Vec<SignedCard>,
    },
    /// "Let us be neighbours." Asked by a node that lost some, answered with `Adopted` or `Full`.
    Adopt {
        /// No chain of neighbours leads from the one to the other, as far as the asking node
        /// knows. A node keeps its last place for such a wish.
        cut_off: bool,
    },
    /// Answer to `Adopt`: from now on we are neighbours.
    Adopted,
    /// Answer to `Adopt`: no; there are neighbours enough, or they are not to change.
    Full,
    /// "We are neighbours no more": others took your place while you were away.
    Dropped,
}
