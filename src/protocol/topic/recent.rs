//! What was heard and written of late, so that others can be given what they miss.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::config::TopicConfig;
use super::wire::Feed;
use crate::base::batch::Batch;
use crate::base::time::Time;

/// More messages than these use a quarter of the room only. (Of 64 KiB they take 20 MiB.)
const MANY: usize = 320;

/// Batches of the last while, of all feeds that came by. Bounded by bytes and age; the oldest
/// leaves first.
#[derive(Debug)]
pub(crate) struct Recent {
    feeds: BTreeMap<Feed, BTreeMap<u64, Entry>>,
    /// The order of arrival.
    arrived: VecDeque<(Time, Feed, u64)>,
    bytes: usize,
    messages: usize,
    max_bytes: usize,
    keep_for: Duration,
}

#[derive(Debug)]
struct Entry {
    at: Time,
    batch: Arc<Batch>,
}

impl Recent {
    /// What others wrote.
    pub(crate) fn of_others(config: &TopicConfig) -> Self {
        Self::new(config.max_recent_bytes, config)
    }

    /// What this node wrote: as much as may wait to go out, because nobody else may have it yet.
    pub(crate) fn of_own(config: &TopicConfig) -> Self {
        Self::new(config.max_recent_bytes.max(2 * config.max_waiting_bytes), config)
    }

    fn new(max_bytes: usize, config: &TopicConfig) -> Self {
        Self {
            feeds: BTreeMap::new(),
            arrived: VecDeque::new(),
            bytes: 0,
            messages: 0,
            max_bytes,
            keep_for: config.repair_for * 2,
        }
    }

    /// Keeps a batch; one that was here before is kept for longer.
    pub(crate) fn keep(&mut self, now: Time, feed: &Feed, batch: &Arc<Batch>) {
        let entry = Entry { at: now, batch: Arc::clone(batch) };
        let entries = match self.feeds.get_mut(feed) {
            Some(entries) => entries,
            None => self.feeds.entry(feed.clone()).or_default(),
        };
        self.bytes = self.bytes.saturating_add(batch.wire().len());
        self.messages = self.messages.saturating_add(batch.begins());
        if let Some(before) = entries.insert(batch.first(), entry) {
            self.bytes = self.bytes.saturating_sub(before.batch.wire().len());
            self.messages = self.messages.saturating_sub(before.batch.begins());
            if before.at == now {
                return;
            }
        }
        self.arrived.push_back((now, feed.clone(), batch.first()));
        while self.is_over() {
            self.drop_oldest();
        }
    }

    /// The batches with numbers from `from` to `to`, exclusive, that are here since `within` at
    /// most: the earliest, of `max` bytes together, at least one.
    pub(crate) fn between(
        &self,
        now: Time,
        feed: &Feed,
        from: u64,
        to: u64,
        within: Option<Duration>,
        max: usize,
    ) -> Vec<Arc<Batch>> {
        let Some(entries) = self.feeds.get(feed).filter(|_| from < to) else { return Vec::new() };
        // The batch that begins before `from` may reach over it.
        let begin = entries.range(..=from).next_back().map_or(from, |(first, _)| *first);
        let mut bytes = 0_usize;
        let fresh = |entry: &&Entry| within.is_none_or(|within| now.since(entry.at) <= within);
        let wanted = entries.range(begin..to).map(|(_, entry)| entry);
        wanted
            .filter(|entry| entry.batch.end() > from)
            .filter(fresh)
            .take_while(|entry| {
                let is_first = bytes == 0;
                bytes = bytes.saturating_add(entry.batch.wire().len());
                is_first || bytes <= max
            })
            .map(|entry| Arc::clone(&entry.batch))
            .collect()
    }

    /// Most of the room is for large messages: of these as many bytes are sooner under way.
    fn is_over(&self) -> bool {
        let many = self.messages > MANY;
        self.bytes > if many { self.max_bytes / 4 } else { self.max_bytes }
    }

    /// Drops what is too old.
    pub(crate) fn expire(&mut self, now: Time) {
        while self.deadline().is_some_and(|due| due <= now) {
            self.drop_oldest();
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.arrived.front().map(|(at, ..)| *at + self.keep_for)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_oldest(&mut self) {
        let Some((at, feed, first)) = self.arrived.pop_front() else {
            self.bytes = 0;
            return;
        };
        if let Some(entries) = self.feeds.get_mut(&feed) {
            if entries.get(&first).is_some_and(|entry| entry.at == at)
                && let Some(entry) = entries.remove(&first)
            {
                self.bytes = self.bytes.saturating_sub(entry.batch.wire().len());
                self.messages = self.messages.saturating_sub(entry.batch.begins());
            }
            if entries.is_empty() {
                self.feeds.remove(&feed);
            }
        }
    }
}
