//! In which queue of the dialer a target stands, or in none.

use super::dialer::{Dialer, Want};
use super::output::Output;
use super::target::Key;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl Dialer {
    pub(super) fn postpone(&mut self, key: &Key, due: Time) {
        if let Some(target) = self.targets.get_mut(key) {
            target.due = due;
        }
        self.settle(key);
    }

    /// Puts a target into the queue it belongs to now. Called after every change around it.
    pub(super) fn settle(&mut self, key: &Key) {
        let want = self.want(key);
        let refused = self.refused.get(key).copied().unwrap_or_default();
        let Some(target) = self.targets.get_mut(key) else { return };
        if let Some(queued) = target.queued.take() {
            let place = (queued, key.clone());
            self.must.remove(&place);
            self.pool.remove(&place);
        }
        let Some(want) = want else { return };
        let due = target.due.max(refused);
        target.queued = Some(due);
        match want {
            Want::Must => self.must.insert((due, key.clone())),
            Want::Pool => self.pool.insert((due, key.clone())),
        };
    }

    fn want(&self, key: &Key) -> Option<Want> {
        let target = self.targets.get(key)?;
        let out_of_question = |peer| self.is_linked(peer) || self.held_off.contains(&peer);
        if target.peer.is_some_and(out_of_question) || self.is_dialling(key) {
            return None;
        }
        match (&self.fixed, key) {
            _ if target.stays.is_some() => Some(Want::Must),
            (_, Key::Peer(peer)) if self.wanted.contains(peer) => Some(Want::Must),
            (Some(fixed), Key::Peer(peer)) => {
                let wanted = fixed.has(*peer) || self.candidate == Some(*peer);
                wanted.then_some(Want::Must)
            }
            (Some(_), Key::Address(_)) => None,
            (None, _) => Some(Want::Pool),
        }
    }

    pub(super) fn settle_all(&mut self) {
        let keys: Vec<Key> = self.targets.keys().cloned().collect();
        keys.iter().for_each(|key| self.settle(key));
    }

    /// Settles whatever leads to this peer.
    pub(super) fn settle_peer(&mut self, peer: NodeId) {
        self.settle(&Key::Peer(peer));
        self.entries_of(peer).iter().for_each(|key| self.settle(key));
    }

    /// Another room needs a link with this peer: it is dialled now, whatever its backoff says.
    pub(super) fn want_now(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        let key = Key::Peer(peer);
        if self.is_linked(peer) || peer == self.own {
            return;
        }
        let refused = self.refused.get(&key).is_some_and(|until| *until > now);
        let place_known = self
            .targets
            .get(&key)
            .is_some_and(|target| !target.places(|place| self.is_ours(place)).is_empty());
        if !place_known || refused || self.held_off.contains(&peer) {
            return out.push(Output::Unreached { peer });
        }
        self.wanted.insert(peer);
        if let Some(target) = self.targets.get_mut(&key) {
            target.due = target.due.min(now);
        }
        self.settle(&key);
    }

    /// It is linked, or will not be now.
    pub(super) fn not_wanted(&mut self, peer: NodeId) -> bool {
        self.wanted.remove(&peer)
    }

    pub(super) fn not_reached(&mut self, peer: Option<NodeId>, out: &mut Outbox<Output>) {
        if let Some(peer) = peer.filter(|peer| self.wanted.remove(peer)) {
            out.push(Output::Unreached { peer });
        }
    }

    pub(super) fn is_held_off(&self, peer: NodeId) -> bool {
        self.held_off.contains(&peer)
    }

    pub(super) fn hold_off(&mut self, peer: NodeId, off: bool) {
        if off {
            self.held_off.insert(peer);
        } else {
            self.held_off.remove(&peer);
        }
        self.settle_peer(peer);
    }
}
