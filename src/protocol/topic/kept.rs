//! Messages kept to be read again, with their marks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::{Query, Which};
use super::config::TopicConfig;
use super::received::Received;
use super::record::Key;
use crate::base::time::Time;

/// Received messages, the oldest first. Bounded by count, bytes and age; the oldest leaves first.
#[derive(Debug)]
pub(crate) struct Shelf {
    entries: VecDeque<Entry>,
    bytes: usize,
    config: TopicConfig,
}

#[derive(Debug)]
struct Entry {
    at: Time,
    read: bool,
    message: Arc<Received>,
}

/// A kept message that a query selected.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    /// Of the batch it came in.
    pub(crate) key: Key,
    pub(crate) was_read: bool,
    pub(crate) message: Arc<Received>,
}

impl Shelf {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, config: config.clone() }
    }

    /// Keeps a message. One that alone is above the bound of bytes is not kept, and moves no other
    /// out.
    pub(crate) fn keep(&mut self, now: Time, message: Arc<Received>) {
        let bytes = message.payload.len();
        if bytes > self.config.max_kept_bytes {
            return;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries.push_back(Entry { at: now, read: false, message });
        while self.entries.len() > self.config.max_kept || self.bytes > self.config.max_kept_bytes {
            self.drop_oldest();
        }
        self.expire(now);
    }

    /// Selects what the query wants, oldest first, and marks exactly that as read, unless the query
    /// only peeks or only looks at what was read.
    pub(crate) fn select(&mut self, now: Time, query: &Query) -> Vec<Selected> {
        self.expire(now);
        let marks = !query.peek && query.which != Which::Read;
        let mut selected = Vec::new();
        let older = query.last.map_or(0, |last| {
            self.entries.iter().filter(|entry| entry.matches(query)).count().saturating_sub(last)
        });
        for entry in self.entries.iter_mut().filter(|entry| entry.matches(query)).skip(older) {
            let message = Arc::clone(&entry.message);
            let key = Key::of(&message.batch_id());
            selected.push(Selected { key, was_read: entry.read, message });
            entry.read |= marks;
        }
        selected
    }

    /// Drops what is too old.
    pub(crate) fn expire(&mut self, now: Time) {
        while self.deadline().is_some_and(|due| due <= now) {
            self.drop_oldest();
        }
    }

    /// When the oldest becomes too old.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.entries.front().map(|entry| entry.at + self.config.keep_for)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes = self.bytes.saturating_sub(entry.message.payload.len());
        }
    }
}

impl Entry {
    fn matches(&self, query: &Query) -> bool {
        let mark = match query.which {
            Which::Unread => !self.read,
            Which::Read => self.read,
            Which::All => true,
        };
        let id = &self.message.id;
        mark && query.topic.as_ref().is_none_or(|topic| *topic == id.topic)
            && query.author.is_none_or(|author| author == id.author)
            && query.number.is_none_or(|number| number == id.number)
            // The only one that costs something to look at.
            && query.trace.as_ref().is_none_or(|begin| id.trace().begins(begin))
    }
}
