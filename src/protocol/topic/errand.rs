//! Messages that a member of a group was chosen for, until it confirms.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::command::Envelope;
use super::config::TopicConfig;
use super::record::Key;
use super::strategy::Strategy;
use crate::base::group::Group;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// One message for one group.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) topic: String,
    /// The message's number, and what names it here.
    pub(crate) number: u64,
    pub(crate) first: Key,
    pub(crate) payload: Bytes,
    pub(crate) envelope: Envelope,
    pub(crate) strategy: Strategy,
    /// It does not wait for a new member when nobody is left.
    pub(crate) if_read: bool,
    /// `None` while the message waits for a first reader: its groups are those it has then.
    pub(crate) group: Option<Group>,
    /// Who has to confirm it; `None` while there is nobody.
    pub(crate) holder: Option<NodeId>,
    /// Who had it before and did not confirm.
    pub(crate) tried: BTreeSet<NodeId>,
    /// What names the messages that brought it to one of them.
    pub(crate) sent: BTreeSet<Key>,
    /// When it is somebody else's turn.
    pub(crate) due: Time,
    /// When it is given up.
    pub(crate) ends: Time,
}

/// All open errands, by rising number of acceptance. Bounded by count and by bytes.
#[derive(Debug)]
pub(crate) struct Errands {
    max: usize,
    max_bytes: usize,
    open: BTreeMap<u64, Errand>,
    bytes: usize,
    due: BTreeSet<(Time, u64)>,
    by_holder: BTreeMap<NodeId, BTreeSet<u64>>,
    by_sent: BTreeMap<Key, BTreeSet<u64>>,
    /// Those without a holder.
    idle: BTreeSet<u64>,
    last: u64,
}

impl Errands {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self {
            max: config.max_unconfirmed,
            max_bytes: config.max_unconfirmed_bytes,
            open: BTreeMap::new(),
            bytes: 0,
            due: BTreeSet::new(),
            by_holder: BTreeMap::new(),
            by_sent: BTreeMap::new(),
            idle: BTreeSet::new(),
            last: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there is room for one message more that is for so many groups.
    pub(crate) fn has_room(&self, bytes: usize, groups: usize) -> bool {
        // A message of more groups than there is room for passes when nothing else is here.
        self.open.is_empty()
            || self.open.len() + groups <= self.max
                && self.bytes.saturating_add(bytes.saturating_mul(groups)) <= self.max_bytes
    }

    /// How many a node has still to confirm.
    pub(crate) fn held_by(&self, node: &NodeId) -> usize {
        self.by_holder.get(node).map_or(0, BTreeSet::len)
    }

    /// Opens one, behind all others. Returns its place.
    pub(crate) fn open(&mut self, errand: Errand) -> u64 {
        self.last += 1;
        self.put(self.last, errand);
        self.last
    }

    /// Puts one back in its place.
    pub(crate) fn put(&mut self, place: u64, errand: Errand) {
        self.bytes = self.bytes.saturating_add(errand.payload.len());
        self.due.insert((errand.due, place));
        match errand.holder {
            Some(node) => self.by_holder.entry(node).or_default().insert(place),
            None => self.idle.insert(place),
        };
        for key in &errand.sent {
            self.by_sent.entry(*key).or_default().insert(place);
        }
        self.open.insert(place, errand);
    }

    /// Takes one out.
    pub(crate) fn take(&mut self, place: u64) -> Option<Errand> {
        let errand = self.open.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(errand.payload.len());
        self.due.remove(&(errand.due, place));
        self.idle.remove(&place);
        if let Some(node) = &errand.holder {
            forget(&mut self.by_holder, node, place);
        }
        for key in &errand.sent {
            forget(&mut self.by_sent, key, place);
        }
        Some(errand)
    }

    /// Takes out what one of these confirms by a receipt for the message of this key: it need not
    /// be the one whose turn it is by now.
    pub(crate) fn confirm(&mut self, key: &Key, readers: &[NodeId]) -> Vec<(Errand, NodeId)> {
        let places: Vec<u64> = self.by_sent.get(key).into_iter().flatten().copied().collect();
        let mut confirmed = Vec::new();
        for place in places {
            let Some(errand) = self.open.get(&place) else { continue };
            let had_it = |node: &&NodeId| {
                errand.holder.as_ref() == Some(node) || errand.tried.contains(node)
            };
            if let Some(reader) = readers.iter().find(had_it).copied()
                && let Some(errand) = self.take(place)
            {
                confirmed.push((errand, reader));
            }
        }
        confirmed
    }

    /// The first whose time has come.
    pub(crate) fn next_due(&self, now: Time) -> Option<u64> {
        self.due.first().filter(|(due, _)| *due <= now).map(|(_, place)| *place)
    }

    /// Those that a node holds for a group which it is not in any more.
    pub(crate) fn deserted(
        &self,
        node: &NodeId,
        is_member: impl Fn(&str, &Group) -> bool,
    ) -> Vec<u64> {
        let held = self.by_holder.get(node).into_iter().flatten().copied();
        held.filter(|place| {
            let errand = self.open.get(place);
            errand.is_none_or(|e| e.group.as_ref().is_none_or(|g| !is_member(&e.topic, g)))
        })
        .collect()
    }

    /// A node that left a group is a new member when it comes back.
    pub(crate) fn forgive(&mut self, node: &NodeId, is_member: impl Fn(&str, &Group) -> bool) {
        for errand in self.open.values_mut().filter(|errand| errand.tried.contains(node)) {
            if errand.group.as_ref().is_none_or(|group| !is_member(&errand.topic, group)) {
                errand.tried.remove(node);
            }
        }
    }

    /// Those without a holder, of topics that are wanted.
    pub(crate) fn idle(&self, wanted: impl Fn(&str) -> bool) -> Vec<u64> {
        let of_topic = |place: &u64| self.open.get(place).is_some_and(|e| wanted(&e.topic));
        self.idle.iter().copied().filter(of_topic).collect()
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }
}

fn forget<K: Ord>(index: &mut BTreeMap<K, BTreeSet<u64>>, key: &K, place: u64) {
    if let Some(places) = index.get_mut(key) {
        places.remove(&place);
        if places.is_empty() {
            index.remove(key);
        }
    }
}
