//! Messages as they were received, and what is known of their ways.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::wire::{Hop, MessageId};
use crate::base::id::NodeId;
use crate::base::time::WallTime;
use crate::base::trace_context::TraceContext;

/// A message as it was received, before its payload is decoded for a subscriber.
#[derive(Clone, Debug)]
pub struct Received {
    /// Names it.
    pub id: MessageId,
    /// The author outside the members, when it came in through a door: its libp2p peer id.
    pub foreign_author: Option<String>,
    /// When the author sent it, on the author's clock.
    pub sent: WallTime,
    /// When the first copy came here, on this node's clock.
    pub received: WallTime,
    /// What was sent.
    pub payload: Bytes,
    /// The place in a trace that its publisher gave it.
    pub trace_context: Option<TraceContext>,
    /// The number of the first message of the batch it came in.
    pub first: u64,
    /// How many messages of its author on its topic, right before it, were lost.
    pub missed: u64,
    /// It was said before the subscription it is delivered to.
    pub earlier: bool,
}

impl Received {
    /// A message that came into the mesh at this node, in a batch of its own.
    pub(super) fn from_here(id: MessageId, sent: WallTime, payload: Bytes) -> Self {
        let first = id.number;
        Self {
            id,
            foreign_author: None,
            sent,
            received: sent,
            payload,
            trace_context: None,
            first,
            missed: 0,
            earlier: false,
        }
    }

    /// What names the batch it came in: the id of its first message.
    pub(super) fn batch_id(&self) -> MessageId {
        MessageId { number: self.first, ..self.id.clone() }
    }

    /// The message as a subscriber gets it, with its decoded payload.
    pub fn deliver<T>(&self, value: T) -> Delivery<T> {
        Delivery {
            id: self.id.clone(),
            author: self.id.author,
            foreign_author: self.foreign_author.clone(),
            value,
            sent: self.sent,
            received: self.received,
            missed: self.missed,
            lagged: 0,
            trace_context: self.trace_context,
            earlier: self.earlier,
        }
    }
}

/// A kept message as a query returns it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The message.
    pub message: Arc<Received>,
    /// Whether it had been returned before this query.
    pub was_read: bool,
    /// The ways its copies took, each from the author to this node; the first copy's way is first.
    /// Empty when not asked for. A way that could not be found out in full misses its beginning
    /// and says so by `complete`.
    pub ways: Vec<Way>,
}

/// One way from the author to this node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Way {
    /// The nodes, the author first, this node last.
    pub hops: Vec<Hop>,
    /// False when some node on the way did not answer: then `hops` begins after the gap.
    pub complete: bool,
}

/// How far a message with receipts came.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    /// Readers that confirmed, with the author itself where it reads the topic.
    pub holders: Vec<NodeId>,
    /// Readers by their cards that did not confirm in time.
    pub missing: Vec<NodeId>,
    /// From acceptance to the last confirmation counted here (or to the deadline, when some are
    /// missing).
    pub elapsed: Duration,
}
