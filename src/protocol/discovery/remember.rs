//! Which targets the dialer remembers, on whose word, and within which bounds.

use std::time::Duration;

use multiaddr::Multiaddr;
use rand::RngExt;

use super::address;
use super::dialer::Dialer;
use super::target::{Key, Stays, Target};
use crate::base::id::NodeId;
use crate::base::time::Time;

impl Dialer {
    pub(super) fn peer_target(&mut self, now: Time, peer: NodeId) -> &mut Target {
        let key = Key::Peer(peer);
        let due = now + self.courtesy(peer);
        self.targets.entry(key).or_insert_with(|| Target::new(Some(peer), due))
    }

    /// How long to wait before a first dial, so that two nodes do not dial each other at once. In
    /// a crowd that is rare, and chance spreads the links instead.
    pub(super) fn courtesy(&mut self, peer: NodeId) -> Duration {
        let crowd = self.targets.len() > self.config.target_links.saturating_mul(2);
        if self.fixed.is_none() && crowd {
            COURTESY.mul_f64(self.rng.random_range(0.0..=1.0))
        } else if self.own < peer {
            Duration::ZERO
        } else {
            COURTESY
        }
    }

    /// The addresses behind which this peer lives, as far as known.
    pub(super) fn entries_of(&self, peer: NodeId) -> Vec<Key> {
        // `Key` orders all addresses before all peers.
        let entries = self.targets.iter().take_while(|(key, _)| matches!(key, Key::Address(_)));
        let theirs = entries.filter(|(_, target)| target.peer == Some(peer));
        theirs.map(|(key, _)| key.clone()).collect()
    }

    /// Only a sighting vouches for this target. The oldest such leaves when there are too many.
    pub(super) fn only_sighted(&mut self, key: &Key) {
        if self.sighted.contains(key) {
            return;
        }
        self.sighted.insert(key.clone());
        if self.sighted.len() > self.config.max_sightings
            && let Some(oldest) = self.sighted.pop_front()
        {
            self.remove(&oldest);
        }
    }

    pub(super) fn vouched(&mut self, key: &Key) {
        self.sighted.remove(key);
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Target> {
        self.sighted.remove(key);
        let target = self.targets.remove(key)?;
        if let Some(queued) = target.queued {
            let place = (queued, key.clone());
            self.must.remove(&place);
            self.pool.remove(&place);
        }
        Some(target)
    }

    /// Leaves a target alone for a while, whoever speaks for it.
    pub(super) fn refuse(&mut self, now: Time, key: &Key) {
        self.refused.retain(|_, until| *until > now);
        if self.refused.len() >= self.config.max_sightings.max(1) {
            let first = self.refused.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                self.refused.remove(&first);
            }
        }
        self.refused.insert(key.clone(), now + self.config.refused_for);
        self.settle(key);
    }

    /// Addresses a user or an operator may name at most.
    pub(super) fn may_stay(&self, key: &Key) -> bool {
        let stays = |target: &Target| target.stays.is_some();
        self.targets.get(key).is_some_and(stays)
            || self.targets.values().filter(|target| stays(target)).count() < MAX_STAYING
    }

    pub(super) fn stay(&mut self, key: &Key, stays: Stays, peer: Option<NodeId>, now: Time) {
        self.vouched(key);
        self.refused.remove(key);
        let target = self.targets.entry(key.clone()).or_insert_with(|| Target::new(None, now));
        target.stays = Some(target.stays.map_or(stays, |before| match (before, stays) {
            (Stays::Connect, Stays::Connect) => Stays::Connect,
            _ => Stays::Bootstrap,
        }));
        if peer.is_some() {
            (target.peer, target.pinned) = (peer, true);
        }
        (target.due, target.failures) = (now, 0);
        self.settle(key);
    }

    pub(super) fn is_ours(&self, place: &Multiaddr) -> bool {
        self.listening.contains(place) || self.reached_ourselves.contains(place)
    }

    pub(super) fn reached_ourselves(&mut self, place: Multiaddr) {
        self.reached_ourselves.insert(place);
        if self.reached_ourselves.len() > MAX_OURS {
            self.reached_ourselves.pop_front();
        }
    }

    pub fn listening(&mut self, addresses: &[Multiaddr]) {
        let own = self.own;
        self.listening =
            addresses.iter().map(|place| address::of_peer(own, place.clone())).collect();
    }
}

/// What the node with the larger id waits before it dials one it was told of.
const COURTESY: Duration = Duration::from_millis(300);

/// Addresses remembered at which we met ourselves.
const MAX_OURS: usize = 64;

/// Addresses of the operator and of `Connect` held at once.
const MAX_STAYING: usize = 1024;
