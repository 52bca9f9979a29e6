//! What the dialer is told to do by the node's user, and by nodes that leave.

use multiaddr::Multiaddr;

use super::address;
use super::dialer::Dialer;
use super::error::ConnectError;
use super::fixed::Fixed;
use super::mend::Mend;
use super::output::Output;
use super::target::{Key, Stays};
use super::topology::Topology;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

impl Dialer {
    /// Link with whoever lives at an address.
    pub fn connect(
        &mut self,
        now: Time,
        token: Token,
        address: Multiaddr,
        out: &mut Outbox<Output>,
    ) {
        if let Err(error) = self.try_connect(now, token, address) {
            out.push(Output::Connected { token, result: Err(error) });
        }
    }

    fn try_connect(
        &mut self,
        now: Time,
        token: Token,
        address: Multiaddr,
    ) -> Result<(), ConnectError> {
        let (place, named) = address::split(address.clone());
        if named == Some(self.own) || self.is_ours(&place) {
            return Err(ConnectError::Ourselves(address));
        }
        if place.is_empty() {
            let reason = "the address names a node but no place".to_owned();
            return Err(ConnectError::Unreachable { address, reason });
        }
        let key = Key::Address(place);
        let there = named.or_else(|| self.targets.get(&key).and_then(|target| target.peer));
        if let Some(peer) = there.filter(|peer| self.is_linked(*peer)) {
            return Err(ConnectError::AlreadyLinked(peer));
        }
        if !self.may_stay(&key) {
            return Err(ConnectError::Limited("too many addresses to remember".to_owned()));
        }
        self.stay(&key, Stays::Connect, named, now);
        if let Some(target) = self.targets.get_mut(&key) {
            target.waiting.push(token);
        }
        if let Some(peer) = there {
            self.refused.remove(&Key::Peer(peer));
            self.hold_off(peer, false);
        }
        Ok(())
    }

    /// Close the link and do not dial until told to.
    pub fn disconnect(&mut self, peer: NodeId, out: &mut Outbox<Output>) {
        self.hold_off(peer, true);
        for key in self.entries_of(peer) {
            self.reply(&key, &called_off(&key), out);
        }
        if self.is_linked(peer) {
            out.push(Output::Unlink { peer });
        }
    }

    /// Drop all that is known of a peer, and its link.
    pub fn forget(&mut self, peer: NodeId, out: &mut Outbox<Output>) {
        for key in self.entries_of(peer) {
            self.reply(&key, &called_off(&key), out);
            self.remove(&key);
        }
        self.remove(&Key::Peer(peer));
        if let Some(mend) = &mut self.mend {
            mend.forget(peer);
            mend.not_down(peer);
        }
        self.dials.retain(|_, dial| dial.peer != Some(peer));
        if self.fixed.as_mut().is_some_and(|fixed| fixed.forget(peer)) {
            out.push(Output::Neighbour { peer, joined: false });
        }
        if self.is_linked(peer) {
            out.push(Output::Unlink { peer });
        }
    }

    /// A node said good-bye. Entry points of the operator stay, for whoever lives there next, but
    /// are dialled as rarely as can be.
    pub fn left(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.remove(&Key::Peer(peer));
        for key in self.entries_of(peer) {
            self.reply(&key, &called_off(&key), out);
            let Some(target) = self.targets.get_mut(&key) else { continue };
            if target.stays == Some(Stays::Bootstrap) {
                target.peer = target.peer.filter(|_| target.pinned);
                target.failures = u32::MAX;
                target.due = now + self.config.backoff_max;
                self.settle(&key);
            } else {
                self.remove(&key);
            }
        }
        self.not_down(peer);
        // One that only stood in for another has no place to come back to.
        let keeps_place = self.mend.as_ref().is_none_or(|mend| mend.is_drawn(peer));
        let part = if keeps_place { Fixed::part } else { Fixed::forget };
        if self.fixed.as_mut().is_some_and(|fixed| part(fixed, peer)) {
            out.push(Output::Neighbour { peer, joined: false });
        }
    }

    /// A node that had left lives again, in a new life.
    pub fn revived(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        let Some(places) = self.fixed.as_mut().and_then(|fixed| fixed.rejoin(peer)) else {
            return;
        };
        self.want_neighbour(now, peer, &places);
        if self.is_linked(peer) {
            out.push(Output::Neighbour { peer, joined: true });
        }
    }

    /// Changes whom to be linked with. `has_left` nodes are neighbours when they come back.
    pub fn rewire(
        &mut self,
        now: Time,
        topology: Topology,
        has_left: impl Fn(NodeId) -> bool,
        out: &mut Outbox<Output>,
    ) {
        let before = self.fixed.take();
        self.call_off_candidate();
        let down = self.mend.take().map(Mend::into_down).unwrap_or_default();
        let degrees = topology.degrees();
        if let Some(mut map) = topology.into_neighbours() {
            map.remove(&self.own);
            self.mend = degrees.map(|degrees| Mend::new(degrees, map.keys().copied(), down));
            let absent: Vec<NodeId> = map.keys().copied().filter(|peer| has_left(*peer)).collect();
            let mut fixed = Fixed::new(map);
            absent.into_iter().for_each(|peer| {
                fixed.part(peer);
            });
            self.fixed = Some(fixed);
        }
        let old: Vec<NodeId> = before.iter().flat_map(Fixed::ids).collect();
        let new: Vec<(NodeId, Vec<Multiaddr>)> =
            self.fixed.iter().flat_map(Fixed::iter).map(|(p, a)| (p, a.to_vec())).collect();
        let gone = old.iter().copied().filter(|peer| !self.is_neighbour(*peer));
        for peer in gone.collect::<Vec<_>>() {
            out.push(Output::Neighbour { peer, joined: false });
            self.no_more_vouched(peer);
            if self.fixed.is_some() && self.is_linked(peer) {
                out.push(Output::Unneeded { peer });
            }
        }
        for (peer, places) in new {
            self.want_neighbour(now, peer, &places);
            if self.is_linked(peer) && !old.contains(&peer) {
                out.push(Output::Neighbour { peer, joined: true });
            }
        }
        self.settle_all();
    }

    /// No neighbour any more: without a card only a sighting speaks for it.
    pub(super) fn no_more_vouched(&mut self, peer: NodeId) {
        let key = Key::Peer(peer);
        if let Some(target) = self.targets.get_mut(&key) {
            target.given.clear();
            if target.card.is_empty() {
                self.only_sighted(&key);
            }
        }
    }

    fn want_neighbour(&mut self, now: Time, peer: NodeId, places: &[Multiaddr]) {
        let key = Key::Peer(peer);
        let due = now + self.courtesy(peer);
        self.vouched(&key);
        let target = self.peer_target(now, peer);
        target.given = places.iter().map(|a| address::of_peer(peer, a.clone())).collect();
        (target.due, target.failures) = (target.due.min(due), 0);
        self.settle(&key);
    }
}

fn called_off(key: &Key) -> Result<NodeId, ConnectError> {
    let address = match key {
        Key::Address(place) => place.clone(),
        Key::Peer(_) => Multiaddr::empty(),
    };
    Err(ConnectError::Unreachable { address, reason: "called off".to_owned() })
}
