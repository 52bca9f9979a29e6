//! What is remembered of every message, so that its copies are dropped and its ways are known.

use std::sync::Arc;

use super::bounded::Bounded;
use super::config::TopicConfig;
use super::names::Names;
use super::wire::MessageId;
use crate::base::batch::Head;
use crate::base::group::Group;
use crate::base::id::{Life, NodeId};
use crate::base::time::{Time, WallTime};

/// A message in few bytes: half a BLAKE3 hash of its id. Nobody can make two ids with one key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key([u8; 16]);

impl Key {
    pub(crate) fn of(id: &MessageId) -> Self {
        Self::of_parts(&id.author, id.life, &id.topic, id.number)
    }

    /// A batch, by its first message: what is said of ways and copies is said of batches.
    pub(crate) fn of_batch(head: &Head) -> Self {
        Self::of_parts(&head.author, head.life, &head.topic, head.first)
    }

    fn of_parts(author: &NodeId, life: Life, topic: &str, number: u64) -> Self {
        let (life, number) = (life.0.to_be_bytes(), number.to_be_bytes());
        Self::digest(&[b"id", &author.to_bytes(), &life, &number, topic.as_bytes()])
    }

    /// gossipsub's own name of a broadcast.
    fn of_sequence(author: &NodeId, sequence: u64) -> Self {
        Self::digest(&[b"sequence", &author.to_bytes(), &sequence.to_be_bytes()])
    }

    /// The name a message has among foreigners.
    fn of_origin(topic: &str, origin: &[u8]) -> Self {
        Self::digest(&[b"origin", topic.as_bytes(), origin])
    }

    /// One reader's receipt of the message.
    pub(crate) fn of_receipt(self, reader: &NodeId) -> Self {
        Self::digest(&[b"receipt", &self.0, &reader.to_bytes()])
    }

    /// The message, handed to a group here.
    pub(crate) fn of_group(self, group: &Group) -> Self {
        let host = group.host.as_deref().unwrap_or_default();
        Self::digest(&[b"group", &self.0, group.name.as_bytes(), host.as_bytes()])
    }

    fn digest(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // With the lengths, no two lists of parts look alike.
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
        let mut half = [0; 16];
        hasher.finalize_xof().fill(&mut half);
        Self(half)
    }
}

/// One copy that came here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copy {
    pub(crate) from: NodeId,
    /// gossipsub's number of it, when it came that way.
    pub(crate) sequence: Option<u64>,
    pub(crate) at: Time,
}

/// What is remembered of one message, read here or not.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    author: Arc<NodeId>,
    pub(crate) sent: WallTime,
    /// In the order they came; none for a message of our own.
    copies: Vec<Held>,
}

/// A copy, in few bytes.
#[derive(Clone, Debug)]
struct Held {
    from: Arc<NodeId>,
    sequence: Option<u64>,
    at: Time,
}

impl Record {
    pub(crate) fn author(&self) -> NodeId {
        *self.author
    }

    /// The copies that came here, the first one first; none of a message of our own.
    pub(crate) fn copies(&self) -> impl Iterator<Item = Copy> + '_ {
        let copy = |held: &Held| Copy { from: *held.from, sequence: held.sequence, at: held.at };
        self.copies.iter().map(copy)
    }
}

/// The memory of messages. Bounded by count and by time, in each of its three maps.
#[derive(Debug)]
pub(crate) struct Records {
    by_key: Bounded<Key, Record>,
    /// The carrier's name to ours, for copies that come without a header.
    by_sequence: Bounded<Key, Key>,
    origins: Bounded<Key, ()>,
    names: Names,
    max_copies: usize,
}

impl Records {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        // Ways are asked for as long as messages are kept, also from nodes that only relayed.
        let age = config.seen_for.max(config.keep_for);
        Self {
            by_key: Bounded::new(config.max_seen, age),
            by_sequence: Bounded::new(config.max_seen, config.seen_for),
            origins: Bounded::new(config.max_seen, config.seen_for),
            names: Names::new(),
            max_copies: config.max_copies.max(1),
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Record> {
        self.by_key.get(key)
    }

    /// Remembers a message of our own.
    pub(crate) fn publish(&mut self, now: Time, key: Key, author: NodeId, sent: WallTime) {
        let author = self.names.share(author);
        self.by_key.insert(now, key, Record { author, sent, copies: Vec::new() });
    }

    /// Remembers a copy whose header was read. True when it is the message's first.
    pub(crate) fn hear(&mut self, key: Key, author: NodeId, sent: WallTime, copy: Copy) -> bool {
        if let Some(sequence) = copy.sequence {
            self.by_sequence.insert(copy.at, Key::of_sequence(&author, sequence), key);
        }
        if self.by_key.contains(&key) {
            self.add(&key, copy);
            return false;
        }
        let author = self.names.share(author);
        let copies = vec![self.held(copy)];
        self.by_key.insert(copy.at, key, Record { author, sent, copies });
        true
    }

    /// Remembers a copy of which only the carrier's name is known. True when it is a further one.
    pub(crate) fn copy(&mut self, author: &NodeId, copy: Copy) -> bool {
        let named = copy.sequence.map(|sequence| Key::of_sequence(author, sequence));
        let key = named.and_then(|name| self.by_sequence.get(&name).copied());
        key.is_some_and(|key| self.add(&key, copy))
    }

    /// True the first time, for each message of foreigners.
    pub(crate) fn is_new_origin(&mut self, now: Time, topic: &str, origin: &[u8]) -> bool {
        let key = Key::of_origin(topic, origin);
        let new = !self.origins.contains(&key);
        if new {
            self.origins.insert(now, key, ());
        }
        new
    }

    /// The same broadcast from the same neighbour is the same copy.
    fn add(&mut self, key: &Key, copy: Copy) -> bool {
        let held = self.held(copy);
        let Some(record) = self.by_key.get_mut(key) else { return false };
        let same = |old: &Held| old.from == held.from && old.sequence == held.sequence;
        if record.copies.iter().any(same) {
            return false;
        }
        if record.copies.len() < self.max_copies {
            record.copies.push(held);
        }
        true
    }

    fn held(&mut self, Copy { from, sequence, at }: Copy) -> Held {
        Held { from: self.names.share(from), sequence, at }
    }

    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 3] {
        [self.by_key.len(), self.by_sequence.len(), self.origins.len()]
    }
}
