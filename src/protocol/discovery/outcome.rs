//! What the dialer learns: of links, of dials that failed, of nodes and where they are.

use std::time::Duration;

use multiaddr::Multiaddr;

use super::address;
use super::card::{Card, MAX_ADDRESS};
use super::dialer::{Dial, Dialer};
use super::error::ConnectError;
use super::input::{DialFailure, Source};
use super::output::Output;
use super::target::{Key, Stays, Target, backoff};
use crate::base::id::{Life, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

impl Dialer {
    /// A peer is linked, by our dial or by its own.
    pub fn linked(
        &mut self,
        now: Time,
        (peer, life): (NodeId, Life),
        address: Option<Multiaddr>,
        out: &mut Outbox<Output>,
    ) {
        let place = address.map(|address| address::of_peer(peer, address));
        let again = self.links.get(&peer).is_some_and(|link| link.life == life);
        if !again {
            self.link(now, peer, life);
        }
        self.not_down(peer);
        self.refused.remove(&Key::Peer(peer));
        self.not_wanted(peer);
        let dialled = self.end_dials(peer, place.as_ref());
        if let Some(place) = place {
            self.reached(now, peer, place);
        }
        for key in self.entries_of(peer) {
            let result = if again { Err(ConnectError::AlreadyLinked(peer)) } else { Ok(peer) };
            if self.reply(&key, &result, out) {
                self.hold_off(peer, false);
            }
        }
        dialled.iter().for_each(|key| self.settle(key));
        self.settle_peer(peer);
        if self.is_held_off(peer) {
            // It dialled us, or our dial was under way when the user said not to.
            out.push(Output::Unlink { peer });
        } else if self.is_neighbour(peer) && !again {
            out.push(Output::Neighbour { peer, joined: true });
        }
    }

    /// A link is gone: the next dial is due soon, later when links break at once. Of who said
    /// good-bye nothing is due but what was before.
    pub(super) fn unlink(&mut self, now: Time, peer: NodeId, has_left: bool) {
        let Some(link) = self.links.remove(&peer) else { return };
        if has_left {
            return self.settle_peer(peer);
        }
        let lasted = now.since(link.since) >= STEADY;
        let courtesy = self.courtesy(peer);
        let mut keys = self.entries_of(peer);
        keys.push(Key::Peer(peer));
        for key in keys {
            let Some(target) = self.targets.get_mut(&key) else { continue };
            target.failures = if lasted { 0 } else { target.failures };
            let pause = backoff(&self.config, target.failures, &mut self.rng);
            target.failures = target.failures.saturating_add(u32::from(!lasted));
            target.due = now + pause + courtesy;
            self.settle(&key);
        }
    }

    /// A dial reached a node. The link may be there already, or be told of in a moment.
    pub fn dialled(&mut self, now: Time, token: Token, peer: NodeId, out: &mut Outbox<Output>) {
        let Some(dial) = self.dials.remove(&token).filter(|_| peer != self.own) else { return };
        let [place, ..] = dial.places.as_slice() else { return };
        if dial.places.len() == 1 {
            self.reached(now, peer, place.clone());
        }
        // Until there is a link it is a failure like any other: a peer that closes at once must
        // not be dialled in circles.
        let failures = self.pause(now, &dial.key);
        let result = match self.links.get(&peer) {
            Some(link) if link.since < dial.begun => Err(ConnectError::AlreadyLinked(peer)),
            Some(_) => Ok(peer),
            None if failures == 0 => return self.settle_peer(peer),
            None => {
                let reason = "the peer does not keep the link".to_owned();
                Err(ConnectError::Unreachable { address: place.clone(), reason })
            }
        };
        if self.reply(&dial.key, &result, out) {
            self.hold_off(peer, false);
        }
        self.settle_peer(peer);
    }

    /// The next dial of a target comes after its backoff; how many failures there were before.
    fn pause(&mut self, now: Time, key: &Key) -> u32 {
        let Some(target) = self.targets.get_mut(key) else { return 0 };
        let before = target.failures;
        target.due = now + backoff(&self.config, before, &mut self.rng);
        target.failures = before.saturating_add(1);
        self.settle(key);
        before
    }

    /// The dials this link ends, by their targets.
    fn end_dials(&mut self, peer: NodeId, place: Option<&Multiaddr>) -> Vec<Key> {
        let is_over = |dial: &Dial| match dial.asked {
            Some(asked) => asked == peer,
            None => {
                dial.peer == Some(peer) || place.is_some_and(|place| dial.places.contains(place))
            }
        };
        let over = self.dials.iter().filter(|(_, dial)| is_over(dial));
        let over: Vec<Token> = over.map(|(token, _)| *token).collect();
        over.iter().filter_map(|token| self.dials.remove(token)).map(|dial| dial.key).collect()
    }

    /// A peer answered at an address.
    fn reached(&mut self, now: Time, peer: NodeId, place: Multiaddr) {
        let entry = Key::Address(place.clone());
        self.refused.remove(&entry);
        match self.targets.get_mut(&entry) {
            Some(target) if target.stays.is_none() => {
                self.remove(&entry);
            }
            Some(target) if !target.pinned => target.peer = Some(peer),
            _ => {}
        }
        let target = self.sighted_peer(now, peer);
        target.see(place.clone());
        target.wrong.retain(|wrong| *wrong != place);
        target.one_by_one = false;
    }

    /// The target of a peer; a new one has only a sighting to vouch for it until its card comes.
    fn sighted_peer(&mut self, now: Time, peer: NodeId) -> &mut Target {
        let key = Key::Peer(peer);
        if !self.targets.contains_key(&key) && !self.is_neighbour(peer) {
            self.only_sighted(&key);
        }
        self.peer_target(now, peer)
    }

    /// A dial led to no link.
    pub fn failed(
        &mut self,
        now: Time,
        token: Token,
        failure: DialFailure,
        out: &mut Outbox<Output>,
    ) {
        let Some(dial) = self.dials.remove(&token) else { return };
        self.failed += 1;
        self.not_reached(dial.peer, out);
        self.pause(now, &dial.key);
        if let Some(place) = dial.places.first() {
            let result = Err(refusal(&failure, place.clone(), dial.asked));
            self.reply(&dial.key, &result, out);
        }
        match failure {
            DialFailure::Unreachable(_) | DialFailure::Limited(_) => {}
            DialFailure::Stranger(_) => self.was_stranger(now, &dial),
            DialFailure::Ourselves => self.was_elsewhere(now, &dial, Some(self.own)),
            DialFailure::WrongPeer(told) => self.was_elsewhere(now, &dial, told),
        }
        self.settle(&dial.key);
    }

    fn was_stranger(&mut self, now: Time, dial: &Dial) {
        self.refuse(now, &dial.key);
        if let Some(peer) = dial.asked {
            self.refuse(now, &Key::Peer(peer));
        }
    }

    /// Not the node that was wanted but another lives there.
    fn was_elsewhere(&mut self, now: Time, dial: &Dial, other: Option<NodeId>) {
        let [place] = dial.places.as_slice() else {
            // It was one of several addresses: the next dials find out which.
            if let Some(target) = self.targets.get_mut(&dial.key) {
                target.one_by_one = true;
            }
            return;
        };
        match (&dial.key, other) {
            (_, Some(other)) if other == self.own => {
                self.reached_ourselves(place.clone());
                if matches!(dial.key, Key::Address(_)) {
                    self.remove(&dial.key);
                }
                return;
            }
            (Key::Peer(_), _) => {
                if let Some(target) = self.targets.get_mut(&dial.key) {
                    target.is_not_at(place.clone());
                }
            }
            // The operator's address stays; who was wanted may come back to it.
            (Key::Address(_), _) => {}
        }
        if let Some(other) = other {
            self.seen_at(now, other, place.clone());
        }
    }

    /// Answers all `Connect` commands that wait for this target; true when there were any.
    pub(super) fn reply(
        &mut self,
        key: &Key,
        result: &Result<NodeId, ConnectError>,
        out: &mut Outbox<Output>,
    ) -> bool {
        let waiting = self.targets.get_mut(key).map(|target| std::mem::take(&mut target.waiting));
        let waiting = waiting.unwrap_or_default();
        for token in &waiting {
            out.push(Output::Connected { token: *token, result: result.clone() });
        }
        !waiting.is_empty()
    }

    /// Somebody told where a node is.
    pub fn sighting(
        &mut self,
        now: Time,
        source: Source,
        peer: Option<NodeId>,
        addresses: Vec<Multiaddr>,
        has_left: impl Fn(NodeId) -> bool,
    ) {
        for address in addresses.into_iter().take(MAX_SIGHTED) {
            let (place, named) = address::split(address.clone());
            let unusable = place.is_empty() || place.len() > MAX_ADDRESS || self.is_ours(&place);
            if unusable || peer.or(named).is_some_and(&has_left) {
                continue;
            }
            match peer {
                _ if source == Source::Bootstrap => self.entry_point(now, address),
                Some(peer) => self.seen_at(now, peer, address::of_peer(peer, address)),
                None if named.is_some() => {
                    named.into_iter().for_each(|peer| self.seen_at(now, peer, place.clone()));
                }
                None => self.someone_at(now, place),
            }
        }
    }

    /// The operator names an address to join by.
    pub fn entry_point(&mut self, now: Time, address: Multiaddr) {
        let (place, named) = address::split(address);
        let key = Key::Address(place.clone());
        let known = self.targets.get(&key).is_some_and(|t| t.stays == Some(Stays::Bootstrap));
        if place.is_empty() || named == Some(self.own) || known || !self.may_stay(&key) {
            return;
        }
        self.stay(&key, Stays::Bootstrap, named, now);
    }

    fn seen_at(&mut self, now: Time, peer: NodeId, place: Multiaddr) {
        if peer == self.own {
            return;
        }
        let soon = now + self.courtesy(peer);
        let target = self.sighted_peer(now, peer);
        if target.see(place) {
            (target.due, target.failures) = (target.due.min(soon), 0);
        }
        self.settle(&Key::Peer(peer));
    }

    fn someone_at(&mut self, now: Time, place: Multiaddr) {
        let key = Key::Address(place);
        if !self.targets.contains_key(&key) {
            self.only_sighted(&key);
            self.targets.insert(key.clone(), Target::new(None, now));
            self.settle(&key);
        }
    }

    /// A new card of another node came. In a new life old failures mean nothing.
    pub fn carded(&mut self, now: Time, card: &Card, new_life: bool) {
        let peer = card.node;
        let soon = now + self.courtesy(peer);
        let target = self.peer_target(now, peer);
        if new_life || target.card != card.addresses {
            target.wrong.clear();
            target.card.clone_from(&card.addresses);
            (target.due, target.failures) = (target.due.min(soon), 0);
        }
        self.vouched(&Key::Peer(peer));
        self.settle(&Key::Peer(peer));
        if new_life {
            self.not_down(peer);
        }
    }

    /// The card of a node is gone: nothing was heard of it for long, or another one took its place.
    pub fn gone(&mut self, peer: NodeId) {
        self.not_down(peer);
        if !self.is_neighbour(peer) {
            self.remove(&Key::Peer(peer));
        }
    }
}

/// What a failed dial means to who asked for it.
fn refusal(failure: &DialFailure, address: Multiaddr, wanted: Option<NodeId>) -> ConnectError {
    match (failure.clone(), wanted) {
        (DialFailure::Unreachable(reason), _) => ConnectError::Unreachable { address, reason },
        (DialFailure::Stranger(reason), _) => ConnectError::Stranger { address, reason },
        (DialFailure::Ourselves, _) => ConnectError::Ourselves(address),
        (DialFailure::WrongPeer(_), Some(wanted)) => ConnectError::WrongPeer { wanted, address },
        (DialFailure::WrongPeer(_), None) => {
            ConnectError::Unreachable { address, reason: "another node answered".to_owned() }
        }
        (DialFailure::Limited(reason), _) => ConnectError::Limited(reason),
    }
}

/// A link that lasted this long was a good one: the next wait is short again. (Guess.)
const STEADY: Duration = Duration::from_secs(5);

/// Addresses of one sighting looked at. (Guess: a node has a few.)
const MAX_SIGHTED: usize = 32;
