//! The node's own card: what is in it, and when a new version is due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use multiaddr::Multiaddr;

use super::address;
use super::card::{Card, MAX_ADDRESS, MAX_NEIGHBOURS};
use super::wire::SignedCard;
use crate::base::codec::to_cbor;
use crate::base::group::{Group, Interests};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::limits::{MAX_ADDRESSES, MAX_CARD, MAX_LABELS, MAX_TOPICS};
use crate::base::machine::earliest;
use crate::base::name::check_name;
use crate::base::pattern::check_readable;
use crate::base::time::Time;

/// Changes within this span become one version.
pub(super) const GATHER: Duration = Duration::from_millis(5);

/// Neighbours come one after another, and nobody waits for the map that is drawn of them.
const GATHER_NEIGHBOURS: Duration = Duration::from_millis(100);

/// The node's own card.
#[derive(Debug)]
pub(super) struct OwnCard {
    key: SecretKey,
    card: Card,
    /// All that it reads and all labels it has; the card holds what fits.
    interests: Interests,
    labels: BTreeMap<String, String>,
    /// When the gathered changes become a version.
    change_due: Option<Time>,
    /// When the card is signed anew without a change, to show that the node still lives.
    refresh_due: Time,
    refresh: Duration,
}

impl OwnCard {
    /// A first version without addresses and topics.
    pub fn new(
        key: SecretKey,
        life: Life,
        name: String,
        labels: BTreeMap<String, String>,
        refresh: Duration,
    ) -> Self {
        let node = key.id();
        // Others refuse a card with a bad name. The builder refuses the name before it comes here.
        let name = if check_name(&name).is_ok() { name } else { node.short() };
        let card = Card {
            node,
            life,
            version: 1,
            name,
            addresses: Vec::new(),
            topics: BTreeSet::new(),
            groups: BTreeMap::new(),
            labels: BTreeMap::new(),
            neighbours: BTreeSet::new(),
        };
        let refresh_due = Time::ZERO + refresh;
        let interests = Interests::default();
        let change_due = None;
        let mut own = Self { key, card, interests, labels, change_due, refresh_due, refresh };
        own.fill();
        own
    }

    pub fn card(&self) -> &Card {
        &self.card
    }

    pub fn signed(&self) -> SignedCard {
        self.card.sign(&self.key)
    }

    /// Where others can dial this node. Beyond 32 addresses the last are left out.
    pub fn set_addresses(&mut self, now: Time, addresses: Vec<Multiaddr>) {
        let mut kept: Vec<Multiaddr> = Vec::new();
        for address in addresses.into_iter().map(|a| address::of_peer(self.card.node, a)) {
            let fits = !address.is_empty() && address.len() <= MAX_ADDRESS;
            if fits && kept.len() < MAX_ADDRESSES && !kept.contains(&address) {
                kept.push(address);
            }
        }
        if kept != self.card.addresses {
            self.card.addresses = kept;
            self.touch(now, GATHER);
        }
    }

    /// What this node reads.
    pub fn set_interests(&mut self, now: Time, interests: Interests) {
        if interests != self.interests {
            self.interests = interests;
            self.touch(now, GATHER);
        }
    }

    /// Its living neighbours. Beyond 256 the last are left out.
    pub fn set_neighbours(&mut self, now: Time, neighbours: BTreeSet<NodeId>) {
        let neighbours: BTreeSet<NodeId> = neighbours.into_iter().take(MAX_NEIGHBOURS).collect();
        if neighbours != self.card.neighbours {
            self.card.neighbours = neighbours;
            self.touch(now, GATHER_NEIGHBOURS);
        }
    }

    /// Somebody holds this or a later version of this life which we never made, or have forgotten:
    /// the next version must be above it.
    pub fn outrank(&mut self, now: Time, version: u64) {
        self.card.version = self.card.version.max(version);
        self.touch(now, GATHER);
    }

    fn touch(&mut self, now: Time, gather: Duration) {
        self.change_due = earliest(self.change_due, Some(now + gather));
    }

    /// Makes the next version when it is due; true when it did.
    pub fn renew(&mut self, now: Time) -> bool {
        if self.deadline().is_none_or(|due| due > now) {
            return false;
        }
        self.change_due = None;
        self.refresh_due = now + self.refresh;
        self.card.version = self.card.version.saturating_add(1);
        self.fill();
        true
    }

    pub fn deadline(&self) -> Option<Time> {
        earliest(self.change_due, Some(self.refresh_due))
    }

    /// Puts as many labels, topics and groups into the card as fit and others accept.
    fn fill(&mut self) {
        self.card.labels.clear();
        self.card.topics.clear();
        self.card.groups.clear();
        let mut room = MAX_CARD.saturating_sub(to_cbor(&self.card).len() + SLACK);
        let mut fits = |bytes: usize| {
            let left = room.checked_sub(bytes);
            room = left.unwrap_or(0);
            left.is_some()
        };
        let labels = self.labels.iter().filter(|(label, _)| check_name(label).is_ok());
        let labels = labels.take(MAX_LABELS).take_while(|(k, v)| fits(written(k) + written(v)));
        self.card.labels = labels.map(|(k, v)| (k.clone(), v.clone())).collect();
        let topics = self.interests.topics.iter().filter(|topic| check_readable(topic).is_ok());
        let topics = topics.take(MAX_TOPICS).take_while(|topic| fits(written(topic)));
        self.card.topics = topics.cloned().collect();
        let left = MAX_TOPICS.saturating_sub(self.card.topics.len());
        let wishes = self.interests.groups.iter();
        let wishes = wishes.flat_map(|(name, groups)| groups.iter().map(move |g| (name, g)));
        let wishes = wishes.filter(|(name, g)| check_readable(name).is_ok() && g.is_valid());
        for (name, group) in wishes.take(left).take_while(|(name, g)| fits(written_in(name, g))) {
            self.card.groups.entry(name.clone()).or_default().insert(group.clone());
        }
    }
}

/// Bytes of a text in CBOR, for any text that fits into a card.
fn written(text: &str) -> usize {
    let head = match text.len() {
        0..24 => 1,
        24..256 => 2,
        _ => 3,
    };
    head + text.len()
}

/// Bytes of a name with one of its groups in CBOR, at most.
fn written_in(name: &str, group: &Group) -> usize {
    // The name, a list, a map with two keys of one letter.
    let host = group.host.as_deref().map_or(0, |host| 2 + written(host));
    written(name) + 3 + 1 + 2 + written(&group.name) + host
}

/// Bytes the card grows by besides its texts: longer lengths, a longer version.
const SLACK: usize = 32;
