//! What the user of a node may want to know, in the past tense.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::id::{Life, NodeId};
use crate::protocol::topic::MessageId;

/// Something that happened, as `node.events()` and `gossip events` tell it.
///
/// As JSON it is one object with the name in `event`, e.g.
/// `{"event":"left","node":"12D3…","life":3}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A node is there, or there again.
    Online {
        /// Who.
        node: NodeId,
        /// In which life.
        life: Life,
    },
    /// This node lost its link to another one and tries to get it back.
    Unreachable {
        /// Whom.
        node: NodeId,
    },
    /// A node left on purpose.
    Left {
        /// Who.
        node: NodeId,
        /// The life that ended.
        life: Life,
    },
    /// A connection ended at the hello: one side refused the other.
    Refused {
        /// The other side.
        peer: Option<NodeId>,
        /// True when this node refused, false when it was refused.
        by_us: bool,
        /// Why, in one sentence.
        reason: String,
    },
    /// A subscription took its messages too slowly and missed some.
    Lagged {
        /// Its topic.
        topic: String,
        /// How many it missed since the last such event.
        missed: u64,
    },
    /// A payload could not be decoded into the subscriber's type.
    Undecodable {
        /// Its topic.
        topic: String,
        /// Who sent it.
        author: NodeId,
        /// What the codec said.
        reason: String,
    },
    /// A callback of a subscription panicked; it goes on with the next message.
    HandlerPanicked {
        /// Its topic.
        topic: String,
        /// The message of the panic.
        message: String,
    },
    /// A message found no reader in time and was dropped.
    Unread {
        /// Which.
        id: MessageId,
    },
    /// All queues were full when a message was to go out; it may be lost.
    NotSent {
        /// Which.
        id: MessageId,
    },
    /// The book of cards is full; this node is not remembered.
    CardsFull {
        /// Who.
        node: NodeId,
    },
    /// This node's own id is in use in a newer life: it runs twice, or from an old copy.
    OurselvesNewer {
        /// The life seen.
        life: Life,
    },
    /// This reader of events was too slow and missed some.
    EventsLagged {
        /// How many.
        missed: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Online { node, .. } => write!(f, "{node} is online"),
            Self::Unreachable { node } => write!(f, "{node} cannot be reached from here"),
            Self::Left { node, .. } => write!(f, "{node} left"),
            Self::Refused { peer, by_us, reason } => {
                let peer = peer.map_or_else(|| "a peer".to_owned(), |peer| peer.to_string());
                match by_us {
                    true => write!(f, "{peer} was refused: {reason}"),
                    false => write!(f, "{peer} refused this node: {reason}"),
                }
            }
            Self::Lagged { topic, missed } => {
                write!(f, "a subscription of `{topic}` was too slow and missed {missed} messages")
            }
            Self::Undecodable { topic, author, reason } => {
                write!(f, "a message of {author} on `{topic}` {reason}")
            }
            Self::HandlerPanicked { topic, message } => {
                write!(f, "a handler of `{topic}` panicked: {message}")
            }
            Self::Unread { id } => {
                write!(f, "message {} on `{}` found no reader and was dropped", id.number, id.topic)
            }
            Self::NotSent { id } => write!(
                f,
                "message {} on `{}` met full queues everywhere and may be lost",
                id.number, id.topic
            ),
            Self::CardsFull { node } => {
                write!(
                    f,
                    "too many nodes are known to remember {node}: raise `discovery.max_cards` and \
                     `discovery.max_card_bytes`"
                )
            }
            Self::OurselvesNewer { life } => {
                write!(f, "this node's key is in use elsewhere (life {life}): stop one of the two")
            }
            Self::EventsLagged { missed } => write!(f, "{missed} events were missed"),
        }
    }
}
