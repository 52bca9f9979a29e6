//! Large messages: cut into pieces where they leave in a burst, and put together where they are
//! read.
//!
//! A piece is a batch of its own, with a number of its own: so it is passed on before the next one
//! is there, repaired alone, and put in order like any message. The message has the number of its
//! first piece.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hashlink::LinkedHashMap;

use super::config::TopicConfig;
use super::wire::Feed;
use crate::base::batch::{Item, MAX_GATHERED, Piece};
use crate::base::time::{Time, WallTime};
use crate::base::trace_context::TraceContext;

/// Most messages of which not all pieces are here. (Guess: of so many authors or topics at once.)
const MAX_PARTIAL: usize = 1_024;

/// A payload as it travels: whole, or in pieces, in order.
pub(super) fn cut(payload: Bytes) -> impl Iterator<Item = (Option<Piece>, Bytes)> {
    let count = payload.len().div_ceil(MAX_GATHERED).max(1);
    // Messages are far smaller than 2^32 pieces.
    let of = u32::try_from(count).unwrap_or(u32::MAX);
    (0..of).zip((0..).step_by(MAX_GATHERED)).map(move |(index, begin)| {
        let end = payload.len().min(begin + MAX_GATHERED);
        ((of > 1).then_some(Piece { index, of }), payload.slice(begin..end))
    })
}

/// Messages of which not all pieces are here, one of each feed at most.
#[derive(Debug)]
pub(super) struct Pieces {
    /// The one that waits for longest first.
    partial: LinkedHashMap<Feed, Partial>,
    bytes: usize,
    max_message: usize,
    max_bytes: usize,
    wait_for: Duration,
}

/// The pieces of one message that are here: all from the first on.
#[derive(Debug)]
struct Partial {
    first: u64,
    sent: WallTime,
    trace_context: Option<TraceContext>,
    of: u32,
    parts: Vec<Bytes>,
    bytes: usize,
    /// Messages before it that were lost, and its own pieces once one of them is lost.
    missed: u64,
    is_lost: bool,
    at: Time,
}

/// A message that was put together.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Whole {
    pub(super) first: u64,
    pub(super) sent: WallTime,
    pub(super) payload: Bytes,
    pub(super) trace_context: Option<TraceContext>,
    pub(super) missed: u64,
}

impl Pieces {
    pub(super) fn new(config: &TopicConfig) -> Self {
        Self {
            partial: LinkedHashMap::new(),
            bytes: 0,
            max_message: config.max_message_bytes,
            max_bytes: config.max_early_bytes,
            wait_for: config.repair_for,
        }
    }

    /// Takes the next piece of a feed, before which `missed` messages were lost. The message, when
    /// this was the last of its pieces.
    pub(super) fn add(
        &mut self,
        now: Time,
        feed: &Feed,
        piece: Piece,
        item: Item,
        missed: u64,
    ) -> Option<Whole> {
        let mut partial = match self.take(feed) {
            Some(partial) if partial.continues(piece, item.number) => partial,
            // A feed that begins here in the middle of a message has lost nothing.
            None if missed == 0 && piece.index > 0 => return None,
            before => {
                let missed = missed.saturating_add(before.map_or(0, |partial| partial.lost()));
                Partial::begin(now, piece, &item, missed)
            }
        };
        partial.push(now, item.payload, self.max_message);
        if !partial.is_lost && piece.index + 1 == piece.of {
            return Some(partial.join());
        }
        self.put(feed, partial);
        None
    }

    /// The next batch of a feed has whole messages: how many were lost right before it.
    pub(super) fn interrupt(&mut self, feed: &Feed) -> u64 {
        // Nearly always there is nothing.
        if self.partial.is_empty() {
            0
        } else {
            self.take(feed).map_or(0, |partial| partial.lost())
        }
    }

    /// Gives up a message that waits for too long, or for which there is no room: its feed, the
    /// number of its first piece and the one after those that were here. What else comes of it is
    /// lost, too, and told with the next message.
    pub(super) fn expire(&mut self, now: Time) -> Option<(Feed, u64, u64)> {
        while self.bytes > self.max_bytes
            || self.partial.len() > MAX_PARTIAL
            || self.deadline().is_some_and(|due| due <= now)
        {
            let (feed, mut partial) = self.partial.pop_front()?;
            self.bytes = self.bytes.saturating_sub(partial.bytes);
            if !partial.is_lost {
                let end = partial.first.saturating_add(partial.parts.len() as u64);
                let first = partial.first;
                partial.give_up();
                partial.at = now;
                self.put(&feed, partial);
                return Some((feed, first, end));
            }
        }
        None
    }

    /// Forgets what is not read any more.
    pub(super) fn retain(&mut self, is_read: impl Fn(&str) -> bool) {
        self.partial.retain(|feed, _| is_read(&feed.topic));
        self.bytes = self.partial.values().map(|partial| partial.bytes).sum();
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.partial.front().map(|(_, partial)| partial.at + self.wait_for)
    }

    fn take(&mut self, feed: &Feed) -> Option<Partial> {
        let partial = self.partial.remove(feed)?;
        self.bytes = self.bytes.saturating_sub(partial.bytes);
        Some(partial)
    }

    fn put(&mut self, feed: &Feed, partial: Partial) {
        self.bytes = self.bytes.saturating_add(partial.bytes);
        self.partial.insert(feed.clone(), partial);
    }
}

impl Partial {
    /// With this piece; it is lost when that is not the first one.
    fn begin(now: Time, piece: Piece, item: &Item, missed: u64) -> Self {
        Self {
            first: item.number,
            sent: item.sent,
            trace_context: item.trace_context,
            of: piece.of,
            parts: Vec::new(),
            bytes: 0,
            missed,
            is_lost: piece.index > 0,
            at: now,
        }
    }

    /// Whether this is its next piece. A lost one takes every piece that is not another's first.
    fn continues(&self, piece: Piece, number: u64) -> bool {
        let here = self.parts.len();
        let next = self.of == piece.of
            && piece.index as usize == here
            && self.first.checked_add(here as u64) == Some(number);
        if self.is_lost { piece.index > 0 } else { next }
    }

    fn push(&mut self, now: Time, part: Bytes, max: usize) {
        self.at = now;
        if self.is_lost {
            self.missed = self.missed.saturating_add(1);
            return;
        }
        self.bytes = self.bytes.saturating_add(part.len());
        self.parts.push(part);
        if self.bytes > max {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        (self.missed, self.is_lost, self.bytes) = (self.lost(), true, 0);
        self.parts = Vec::new();
    }

    /// How many messages are lost with it, each piece counted as one.
    fn lost(&self) -> u64 {
        self.missed.saturating_add(self.parts.len() as u64)
    }

    fn join(self) -> Whole {
        let mut payload = BytesMut::with_capacity(self.bytes);
        for part in &self.parts {
            payload.extend_from_slice(part);
        }
        let Self { first, sent, trace_context, missed, .. } = self;
        Whole { first, sent, payload: payload.freeze(), trace_context, missed }
    }
}
