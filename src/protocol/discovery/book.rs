//! The cards this node holds, its own among them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::card::{self, Card};
use super::wire::{Held, SignedCard};
use crate::base::id::{Life, NodeId};
use crate::base::time::Time;

/// The newest card of every node known.
///
/// A card ends `keep` after its owner signed it, wherever it travelled meanwhile (its age travels
/// along), so a node that is gone for good cannot live on by being told round in circles.
#[derive(Debug)]
pub(super) struct Book {
    entries: BTreeMap<NodeId, Entry>,
    /// Lives that ended with a good-bye, and until when that is remembered.
    ended: BTreeMap<NodeId, Ended>,
    /// XOR over the hashes of all (node, life, version): cheap to keep up to date.
    digest: u64,
    max: usize,
    /// What all cards cost, by `cost`, and how much that may be.
    bytes: usize,
    max_bytes: usize,
    /// A card was too large for what is left, and no room was made since. While it lasts no peer is
    /// asked for cards: the ones that do not fit would be fetched with every comparison.
    is_cramped: bool,
    keep: Duration,
}

#[derive(Debug)]
struct Entry {
    card: Card,
    signed: SignedCard,
    ends: Time,
    cost: usize,
}

#[derive(Debug)]
struct Ended {
    life: Life,
    until: Time,
}

/// What became of a card somebody told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    /// It is in the book now. A first card begins a life that is new to us, too. The cards of
    /// `gone` had to leave for it.
    New { node: NodeId, new_life: bool, gone: Vec<NodeId> },
    /// We hold it or a newer one, or its life ended, or it is too old.
    Stale(NodeId),
    /// There is no room for one more node, or for so large a card.
    Full(NodeId),
    /// No proper card, or not signed by its owner.
    Refused,
}

impl Book {
    /// Room for `max` cards that cost `max_bytes` together.
    pub fn new(max: usize, max_bytes: usize, keep: Duration) -> Self {
        let (entries, ended) = (BTreeMap::new(), BTreeMap::new());
        let max = max.max(1);
        Self { entries, ended, digest: 0, max, bytes: 0, max_bytes, is_cramped: false, keep }
    }

    /// Takes a card somebody told, when it is genuine and news. Who `stays` (this node itself, and
    /// the linked) finds room in the place of others and makes room for nobody.
    pub fn take(&mut self, now: Time, signed: SignedCard, stays: impl Fn(NodeId) -> bool) -> Taken {
        let Some(card) = card::read(&signed) else { return Taken::Refused };
        let node = card.node;
        let age = Duration::from_millis(signed.age_ms);
        if !self.is_news(node, card.rank()) || age >= self.keep {
            return Taken::Stale(node);
        }
        let cost = cost(&card, &signed);
        let Some(leaving) = self.leaving(node, cost, stays) else {
            self.is_cramped |= self.bytes.saturating_add(cost) > self.max_bytes;
            return Taken::Full(node);
        };
        if !card::is_genuine(&card, &signed) {
            return Taken::Refused;
        }
        let new_life = self.card(node).is_none_or(|held| held.life < card.life);
        leaving.iter().for_each(|oldest| {
            self.remove(*oldest);
        });
        self.put(now + self.keep.saturating_sub(age), card, signed);
        Taken::New { node, new_life, gone: leaving }
    }

    /// Puts our own card in, whatever the limits say.
    pub fn put_own(&mut self, now: Time, card: Card, signed: SignedCard) {
        self.put(now + self.keep, card, signed);
    }

    fn put(&mut self, ends: Time, card: Card, signed: SignedCard) {
        let node = card.node;
        let (bytes, was_cramped) = (self.bytes, self.is_cramped);
        self.remove(node);
        self.ended.remove(&node);
        self.digest ^= fingerprint(&held(&card));
        let cost = cost(&card, &signed);
        self.bytes = self.bytes.saturating_add(cost);
        self.is_cramped = was_cramped && self.bytes >= bytes;
        self.entries.insert(node, Entry { card, signed, ends, cost });
    }

    fn remove(&mut self, node: NodeId) -> bool {
        let removed = self.entries.remove(&node);
        if let Some(old) = &removed {
            self.digest ^= fingerprint(&held(&old.card));
            self.bytes = self.bytes.saturating_sub(old.cost);
            self.is_cramped = false;
        }
        removed.is_some()
    }

    /// True when a card of this rank would be newer than what we know of the node.
    pub fn is_news(&self, node: NodeId, rank: (Life, u64)) -> bool {
        self.entries.get(&node).is_none_or(|entry| entry.card.rank() < rank)
            && self.ended.get(&node).is_none_or(|ended| ended.life < rank.0)
    }

    /// Who has to leave so that a card of this cost fits, in the place of what is held of the node.
    /// `None` when it cannot come in: only who `stays` makes others leave, of those who do not, the
    /// one whose card would end first.
    fn leaving(
        &self,
        node: NodeId,
        cost: usize,
        stays: impl Fn(NodeId) -> bool,
    ) -> Option<Vec<NodeId>> {
        let before = self.entries.get(&node).map(|entry| entry.cost);
        let mut count = self.entries.len() + usize::from(before.is_none());
        let mut bytes = self.bytes.saturating_sub(before.unwrap_or(0)).saturating_add(cost);
        let fit = |count, bytes| count <= self.max && bytes <= self.max_bytes;
        let mut leaving = Vec::new();
        if fit(count, bytes) {
            return Some(leaving);
        } else if !stays(node) {
            return None;
        }
        let others = self.entries.iter().filter(|(other, _)| **other != node && !stays(**other));
        let mut others: Vec<_> = others.map(|(other, e)| (e.ends, *other, e.cost)).collect();
        others.sort_unstable();
        for (_, oldest, cost) in others {
            leaving.push(oldest);
            (count, bytes) = (count.saturating_sub(1), bytes.saturating_sub(cost));
            if fit(count, bytes) {
                return Some(leaving);
            }
        }
        None
    }

    /// True when a card of the node is worth asking for: it is in the book or may still come in.
    pub fn has_room_for(&self, node: NodeId) -> bool {
        !self.is_cramped && (self.entries.len() < self.max || self.entries.contains_key(&node))
    }

    /// True when one more node may come in.
    pub fn has_room(&self) -> bool {
        !self.is_cramped && self.entries.len() < self.max
    }

    /// A life of a node ended: its card goes, and nothing of that life comes back. True when there
    /// was a card.
    pub fn end(&mut self, now: Time, node: NodeId, life: Life) -> bool {
        if self.ended.len() >= self.max && !self.ended.contains_key(&node) {
            let first = self.ended.iter().min_by_key(|(_, ended)| ended.until);
            if let Some(first) = first.map(|(node, _)| *node) {
                self.ended.remove(&first);
            }
        }
        let life = self.ended.get(&node).map_or(life, |ended| ended.life.max(life));
        self.ended.insert(node, Ended { life, until: now + self.keep });
        self.remove(node)
    }

    /// The last life of a node known to have ended, when nothing newer is known.
    pub fn ended(&self, node: NodeId) -> Option<Life> {
        self.ended.get(&node).map(|ended| ended.life)
    }

    /// A node lives in this life: whatever ended before is no matter any more.
    pub fn revive(&mut self, node: NodeId, life: Life) -> bool {
        let over = self.ended.get(&node).is_some_and(|ended| ended.life < life);
        over && self.ended.remove(&node).is_some()
    }

    /// Drops what is too old and tells whose cards those were. `alive` nodes keep theirs.
    pub fn sweep(&mut self, now: Time, alive: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        self.ended.retain(|_, ended| ended.until > now);
        let mut over = Vec::new();
        for (node, entry) in &mut self.entries {
            if entry.ends <= now && alive(*node) {
                entry.ends = now + self.keep;
            } else if entry.ends <= now {
                over.push(*node);
            }
        }
        over.iter().for_each(|node| {
            self.remove(*node);
        });
        over
    }

    pub fn card(&self, node: NodeId) -> Option<&Card> {
        self.entries.get(&node).map(|entry| &entry.card)
    }

    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.entries.values().map(|entry| &entry.card)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Equal on two nodes that hold the same cards (and else different, but for one in 2^64).
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// What we hold of the ids after `after`, in their order, at most `max` of them.
    pub fn page(&self, after: Option<NodeId>, max: usize) -> Vec<Held> {
        self.after(after).take(max).collect()
    }

    /// What we hold of the ids after `after`.
    pub fn after(&self, after: Option<NodeId>) -> impl Iterator<Item = Held> + '_ {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.entries.range((from, Unbounded)).map(|(_, entry)| held(&entry.card))
    }

    /// The cards of these nodes as they travel, in batches of at most `max` bytes each.
    pub fn batches(
        &self,
        now: Time,
        nodes: impl IntoIterator<Item = NodeId>,
        max: usize,
    ) -> Vec<Vec<SignedCard>> {
        let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
        for entry in nodes.into_iter().filter_map(|node| self.entries.get(&node)) {
            let size = entry.signed.card.len() + entry.signed.signature.len() + OVERHEAD;
            if bytes + size > max && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                bytes = 0;
            }
            bytes += size;
            let age = self.keep.saturating_sub(entry.ends.since(now));
            let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            batch.push(SignedCard { age_ms, ..entry.signed.clone() });
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        batches
    }
}

/// What a card costs in memory, in bytes, roughly: what was signed, and the list entries, texts and
/// addresses it was read into.
fn cost(card: &Card, signed: &SignedCard) -> usize {
    let groups: usize = card.groups.values().map(|groups| 1 + 2 * groups.len()).sum();
    let lists = card.addresses.len() + card.topics.len() + groups + card.labels.len();
    let parts = lists + card.neighbours.len();
    signed.card.len() + signed.signature.len() + parts * PART
}

fn held(card: &Card) -> Held {
    Held { node: card.node, life: card.life, version: card.version }
}

/// Hash of one (node, life, version), the first 8 bytes of BLAKE3.
fn fingerprint(held: &Held) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&held.node.to_bytes());
    hasher.update(&held.life.0.to_le_bytes());
    hasher.update(&held.version.to_le_bytes());
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

/// Bytes one address, topic, label or neighbour costs beside its signed form: a tree's slot, an
/// allocation and the text once more. (Guess.)
const PART: usize = 100;

/// Bytes CBOR adds to a signed card: field names, lengths, the age.
const OVERHEAD: usize = 64;
