//! How far feeds go, told to neighbours when a feed falls silent: nobody misses a last message
//! unless somebody says that it exists.

use std::time::Duration;

use hashlink::LinkedHashMap;

use super::wire::Feed;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// How long a feed is silent before its end is told. While it goes on, the next message tells
/// what is missing before it.
const QUIET: Duration = Duration::from_millis(300);

/// The least time between two digests of a node.
const INTERVAL: Duration = Duration::from_secs(1);

/// Most feeds in one digest: some 30 kB.
pub(crate) const MAX_ENDS: usize = 256;

/// Most neighbours that one digest goes to, others the next time. (Guess: what one of them does
/// not lack it tells on.)
pub(crate) const MAX_TOLD: usize = 4;

/// Most feeds whose end is known here. The one that is silent for longest is forgotten first.
const MAX_FEEDS: usize = 1_024;

/// The ends of the feeds that passed here.
#[derive(Debug)]
pub(crate) struct Digests {
    ends: LinkedHashMap<Feed, End>,
    /// When the next digest is due, while something is to be told.
    due: Option<Time>,
    last: Option<Time>,
    turn: usize,
    keep_for: Duration,
}

#[derive(Clone, Copy, Debug)]
struct End {
    /// One above the highest number.
    end: u64,
    at: Time,
    told: bool,
}

impl Digests {
    pub(crate) fn new(keep_for: Duration) -> Self {
        Self { ends: LinkedHashMap::new(), due: None, last: None, turn: 0, keep_for }
    }

    /// A feed goes up to `end`, exclusive, as a batch that was here shows.
    pub(crate) fn note(&mut self, now: Time, feed: &Feed, end: u64) {
        if self.ends.to_back(feed).is_none_or(|known| end > known.end) {
            self.renew(now, feed, end);
        }
    }

    /// What was known of a feed is news now: it goes up to `end`, exclusive, at least.
    pub(crate) fn renew(&mut self, now: Time, feed: &Feed, end: u64) {
        let known = self.ends.get(feed).map_or(0, |known| known.end);
        self.ends.insert(feed.clone(), End { end: end.max(known), at: now, told: false });
        if self.ends.len() > MAX_FEEDS {
            self.ends.pop_front();
        }
        if self.due.is_none() {
            let rested = self.last.map_or(now, |last| last + INTERVAL);
            self.due = Some(rested.max(now + QUIET));
        }
    }

    /// What is to be told now, the newest first.
    pub(crate) fn tick(&mut self, now: Time) -> Vec<(Feed, u64)> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let mut told = Vec::new();
        let mut later: Option<Time> = None;
        for (feed, end) in self.ends.iter_mut().rev().filter(|(_, end)| !end.told) {
            let silent_at = end.at + QUIET;
            if silent_at > now || told.len() >= MAX_ENDS {
                later = Some(later.map_or(silent_at, |later| later.min(silent_at)));
            } else {
                end.told = true;
                told.push((feed.clone(), end.end));
            }
        }
        if !told.is_empty() {
            self.last = Some(now);
        }
        let rested = self.last.map_or(now, |last| last + INTERVAL);
        self.due = later.map(|later| later.max(rested));
        told
    }

    /// All that a new neighbour may have missed.
    pub(crate) fn for_newcomer(&self, now: Time) -> Vec<(Feed, u64)> {
        let fresh = self.ends.iter().rev().filter(|(_, end)| now.since(end.at) <= self.keep_for);
        fresh.take(MAX_ENDS).map(|(feed, end)| (feed.clone(), end.end)).collect()
    }

    /// Whom to tell now, of these: each in its turn.
    pub(crate) fn choose(&mut self, mut peers: Vec<NodeId>) -> Vec<NodeId> {
        if !peers.is_empty() {
            let turn = self.turn % peers.len();
            peers.rotate_left(turn);
            self.turn = self.turn.wrapping_add(MAX_TOLD);
        }
        peers.truncate(MAX_TOLD);
        peers
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.due
    }
}
