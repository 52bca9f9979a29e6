//! Looking at a batch.

use bytes::Bytes;

use super::{Batch, Head, Item};
use crate::base::id::NodeId;
use crate::base::time::WallTime;

impl Batch {
    /// What it says of itself.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Who signed it.
    pub fn author(&self) -> NodeId {
        self.head.author
    }

    /// The bytes that travel.
    pub fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// The number of the first message.
    pub fn first(&self) -> u64 {
        self.head.first
    }

    /// The number behind that of the last message.
    pub fn end(&self) -> u64 {
        self.head.first.saturating_add(self.spans.len() as u64)
    }

    /// How many messages it has; at least one.
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// The messages from this number on, in order.
    pub fn items_from(&self, number: u64) -> impl Iterator<Item = Item> + '_ {
        let skipped = usize::try_from(number.saturating_sub(self.head.first)).unwrap_or(usize::MAX);
        let numbered = (self.head.first..).zip(&self.spans).skip(skipped);
        numbered.map(|(number, span)| Item {
            number,
            sent: WallTime(self.head.sent.0.saturating_add(u64::from(span.later))),
            // Spans lie inside the body: `read` and `seal` see to it.
            payload: self.body.slice(span.start as usize..span.end as usize),
        })
    }
}
