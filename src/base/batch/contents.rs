//! What a body holds: the table and the payloads, as they are before compression.

use bytes::Bytes;

use super::{Head, Item, varint};
use crate::base::time::WallTime;

/// The messages of a batch. Invariant: the spans lie inside the payloads, in order, and cover them.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    pub payloads: Bytes,
    pub spans: Vec<Span>,
}

/// Where a message lies among the payloads, and when it was sent after the first one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
    pub later: u32,
}

impl Contents {
    /// Takes the body of so many messages apart; `None` when it breaks a rule of the format, or
    /// has more than `max` bytes of payload.
    pub fn read(body: &Bytes, count: usize, max: usize) -> Option<Self> {
        let mut behind = &body[..];
        let spans = spans(&mut behind, count)?;
        let length = behind.len();
        if length > max || spans.last()?.end as usize != length {
            return None;
        }
        // The payloads are the end of the body.
        Some(Self { payloads: body.slice(body.len() - length..), spans })
    }

    /// The messages of a batch with this head from a number on, in order.
    pub fn items(&self, head: &Head, from: u64) -> impl Iterator<Item = Item> {
        let skipped = usize::try_from(from.saturating_sub(head.first)).unwrap_or(usize::MAX);
        (head.first..).zip(&self.spans).skip(skipped).map(|(number, span)| Item {
            number,
            sent: WallTime(head.sent.0.saturating_add(u64::from(span.later))),
            payload: self.payloads.slice(span.start as usize..span.end as usize),
            trace_context: head.context_of(number),
        })
    }
}

/// Reads the table, and leaves what is behind it.
fn spans(from: &mut &[u8], count: usize) -> Option<Vec<Span>> {
    if count == 1 {
        return Some(vec![Span { start: 0, end: u32::try_from(from.len()).ok()?, later: 0 }]);
    }
    // A message costs two bytes of the table at least: the count cannot promise more.
    let mut spans = Vec::with_capacity(count.min(from.len() / 2));
    let mut start = 0_u32;
    for _ in 0..count {
        let (length, later) = (varint::read(from)?, varint::read(from)?);
        let end = start.checked_add(length)?;
        spans.push(Span { start, end, later });
        start = end;
    }
    Some(spans)
}
