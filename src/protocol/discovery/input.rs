//! What may happen to discovery.

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use super::topology::Topology;
use super::wire::Message;
use crate::base::group::Interests;
use crate::base::id::{Life, NodeId};
use crate::base::token::Token;

/// Who told us of an address.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The bootstrap list.
    Bootstrap,
    /// mDNS on the local network.
    Mdns,
    /// Kademlia.
    Kademlia,
    /// The peer itself, by identify.
    Identify,
    /// A source of the user's own.
    Custom,
}

/// Why a dial led to no link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DialFailure {
    /// Nobody answered, or the way broke.
    Unreachable(String),
    /// It is not of our network: it refused us, or we refused it.
    Stranger(String),
    /// We reached ourselves.
    Ourselves,
    /// Another node than the one wanted lives at the address; its id, when it told.
    WrongPeer(Option<NodeId>),
    /// Our own limits forbade it for now.
    Limited(String),
}

/// What the node's user asks of the room.
#[derive(Clone, Debug)]
pub enum Command {
    /// Link with whoever lives at this address (`/p2p/…` at its end pins the id). Replied with
    /// `Output::Connected` when linked or failed; the address is remembered and redialled like a
    /// bootstrap address.
    Connect {
        /// Names the reply.
        token: Token,
        /// Where.
        address: Multiaddr,
    },
    /// Close the link to a peer, and have none with it until told to connect again.
    Disconnect {
        /// Whom.
        peer: NodeId,
    },
    /// Forget a node: its card, its addresses, its place among the neighbours.
    Forget {
        /// Whom.
        peer: NodeId,
    },
    /// Change whom to be linked with.
    Rewire(Topology),
}

/// Everything that can happen to the room.
#[derive(Clone, Debug)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// The user wants something.
    Command(Command),
    /// Our own addresses as others can dial them.
    Listening {
        /// All of them.
        addresses: Vec<Multiaddr>,
    },
    /// What this node reads; goes into its card.
    Reads {
        /// Topics and patterns, in groups or in none.
        topics: Interests,
    },
    /// Somebody told where a node is.
    Sighting {
        /// Who told.
        source: Source,
        /// Who is there, when known.
        peer: Option<NodeId>,
        /// Where.
        addresses: Vec<Multiaddr>,
    },
    /// A peer is linked (hello done, one link kept).
    Linked {
        /// Who.
        peer: NodeId,
        /// Its life.
        life: Life,
        /// Where we dialled it; `None` when it dialled us.
        address: Option<Multiaddr>,
    },
    /// A peer is not linked any more.
    Unlinked {
        /// Who.
        peer: NodeId,
    },
    /// A dial reached a node, whether or not the connection is kept. `Linked` may come before or
    /// after; a `Linked` that names an address of the dial says the same.
    Dialled {
        /// Which `Output::Dial`.
        token: Token,
        /// Who lives there.
        peer: NodeId,
    },
    /// Another room needs a link with this peer, now. Unless it is linked or comes to be,
    /// `Output::Unreached` follows.
    Wanted {
        /// With whom.
        peer: NodeId,
    },
    /// A dial ended without a link.
    DialFailed {
        /// Which `Output::Dial`.
        token: Token,
        /// Why.
        failure: DialFailure,
    },
    /// A member said good-bye in this life.
    Left {
        /// Who.
        peer: NodeId,
        /// The life that ended.
        life: Life,
    },
    /// A member was found dead. It counts as dead until it is linked or begins a new life.
    Down {
        /// Who.
        peer: NodeId,
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
