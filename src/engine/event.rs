//! What the user of a node may want to know, in the past tense.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::id::{Life, NodeId};
use crate::protocol::membership::Finding;
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
    /// Messages on a topic that is read here are lost: nobody could give them in time.
    Gap {
        /// Who published them.
        author: NodeId,
        /// On which topic.
        topic: String,
        /// The number of the first.
        from: u64,
        /// One above the number of the last.
        to: u64,
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
    /// Membership found something out, or did something: suspicions, witnesses, verdicts,
    /// refutations. As JSON it is as flat as the others.
    #[serde(untagged)]
    Membership(Finding),
}

impl Event {
    /// The sentence for people, with nodes named by `name`.
    ///
    /// ```
    /// # use gossip_mesh::{Event, SecretKey};
    /// let event = Event::Unreachable { node: SecretKey::generate().id() };
    /// assert_eq!(event.tell(&|_| "ada".to_owned()), "ada cannot be reached from here");
    /// ```
    pub fn tell(&self, name: &dyn Fn(NodeId) -> String) -> String {
        match self {
            Self::Online { node, .. } => format!("{} is online", name(*node)),
            Self::Unreachable { node } => format!("{} cannot be reached from here", name(*node)),
            Self::Left { node, .. } => format!("{} left", name(*node)),
            Self::Refused { peer, by_us, reason } => {
                let peer = peer.map_or_else(|| "a peer".to_owned(), name);
                match by_us {
                    true => format!("{peer} was refused: {reason}"),
                    false => format!("{peer} refused this node: {reason}"),
                }
            }
            Self::Lagged { topic, missed } => {
                format!("a subscription of `{topic}` was too slow and missed {missed} messages")
            }
            Self::Undecodable { topic, author, reason } => {
                format!("a message of {} on `{topic}` {reason}", name(*author))
            }
            Self::HandlerPanicked { topic, message } => {
                format!("a handler of `{topic}` panicked: {message}")
            }
            Self::Unread { id } => {
                format!("message {} on `{}` found no reader and was dropped", id.number, id.topic)
            }
            Self::NotSent { id } => format!(
                "message {} on `{}` met full queues everywhere and may be lost",
                id.number, id.topic
            ),
            Self::Gap { author, topic, from, to } => format!(
                "{} messages of {} on `{topic}` are lost, from number {from} on",
                to.saturating_sub(*from),
                name(*author)
            ),
            Self::CardsFull { node } => format!(
                "too many nodes are known to remember {}: raise `discovery.max_cards` and \
                 `discovery.max_card_bytes`",
                name(*node)
            ),
            Self::OurselvesNewer { life } => {
                format!("this node's key is in use elsewhere (life {life}): stop one of the two")
            }
            Self::EventsLagged { missed } => format!("{missed} events were missed"),
            Self::Membership(finding) => finding.tell(name),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tell(&|node| node.to_string()))
    }
}
