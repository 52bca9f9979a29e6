//! What nodes say about topics: the frame a broadcast carries, and the questions beside it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::command::Earlier;
use crate::base::batch::Head;
use crate::base::id::{Life, NodeId};
use crate::base::pattern::check_topic;
use crate::base::time::WallTime;

/// Names one message for ever: who wrote it, in which life, and the how-manyth on its topic.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct MessageId {
    /// Who published it.
    pub author: NodeId,
    /// In which of its lives.
    pub life: Life,
    /// On which topic.
    pub topic: String,
    /// Counted per author, life and topic, from 1.
    pub number: u64,
}

/// What one author writes on one topic in one of its lives.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Feed {
    /// Who writes.
    #[serde(rename = "a")]
    pub author: NodeId,
    /// In which of its lives.
    #[serde(rename = "l")]
    pub life: Life,
    /// On which topic.
    #[serde(rename = "t")]
    pub topic: String,
}

impl Feed {
    /// The feed of a batch.
    pub(super) fn of(head: &Head) -> Self {
        Self { author: head.author, life: head.life, topic: head.topic.clone() }
    }

    /// Whether it can be the feed of anything.
    pub(super) fn is_valid(&self) -> bool {
        check_topic(&self.topic).is_ok()
    }

    /// The id of its message of this number.
    pub(super) fn message(&self, number: u64) -> MessageId {
        let Self { author, life, topic } = self.clone();
        MessageId { author, life, topic, number }
    }
}

/// One step of the way a message took: the node, and when the message came there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hop {
    /// Where it came.
    pub node: NodeId,
    /// When, on that node's wall clock. For the author: when it was sent.
    pub at: WallTime,
}

/// Where in the history of one node a batch is. It means nothing to another node.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Point {
    /// When it came to the first who has it, on this node's clock.
    #[serde(rename = "a")]
    pub at: WallTime,
    /// The how-manyth it was here.
    #[serde(rename = "n")]
    pub nth: u64,
}

/// A batch of a history.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Aged {
    /// How long ago it came to the first who has it: a span, because clocks differ.
    #[serde(rename = "a")]
    pub age: Duration,
    /// The signed batch.
    #[serde(rename = "b")]
    pub batch: ByteBuf,
}

/// Questions and answers of the topic room. Each is at most `MAX_FRAME` bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Message {
    /// "By which way did the first copy of each of these reach you?" At most 256 ids. `budget` is
    /// the number of further nodes the question may still travel to, so that it ends.
    Trace {
        /// The messages.
        ids: Vec<MessageId>,
        /// How many hops are left to the question.
        budget: u16,
    },
    /// The answer: for each id in the order asked, the hops from the author to the answering node;
    /// empty when it does not know the message. Hops that do not begin at the author miss their
    /// beginning, because a node before them did not answer.
    Traced {
        /// One way per id.
        ways: Vec<Vec<Hop>>,
    },
    /// "These readers hold this message." Travels back the way the message came, to its author.
    Receipt {
        /// The message.
        id: MessageId,
        /// Who holds it.
        readers: Vec<NodeId>,
    },
    /// "These feeds go up to here": one above the highest number of each. At most 256.
    Ends(Vec<(Feed, u64)>),
    /// "I lack these messages."
    Want {
        /// Of which feed.
        feed: Feed,
        /// The first number.
        from: u64,
        /// One above the last.
        to: u64,
        /// Only what reached the other so long ago at most.
        within: Option<Duration>,
    },
    /// The answer: signed batches, the earliest first, as far as they fit into one answer; empty
    /// when there is none.
    Batches(Vec<ByteBuf>),
    /// "What was said here before?"
    Earlier {
        /// On this topic, or on all topics of a pattern.
        name: String,
        /// How much of it, all authors together.
        wish: Earlier,
        /// Nothing of this author.
        except: Option<NodeId>,
        /// Only what is before this in the other's history.
        before: Option<Point>,
    },
    /// The answer: what the other keeps of it, the newest first, as far as it fits into one answer.
    Kept {
        /// Signed batches.
        batches: Vec<Aged>,
        /// Where to go on asking, when there is more.
        older: Option<Point>,
    },
}
