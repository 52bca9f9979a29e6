//! How neighbours are found in a topology that mends itself, and given back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;

use super::book::Book;
use super::dialer::Dialer;
use super::fixed::Fixed;
use super::mend::{Asking, Mend};
use super::output::Output;
use super::target::Key;
use super::wire::Message;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

impl Dialer {
    /// Does what the state of the neighbourhood calls for.
    pub fn mend(&mut self, now: Time, book: &Book, tokens: &mut Tokens, out: &mut Outbox<Output>) {
        let Some(mut mend) = self.mend.take() else { return };
        let patience = self.config.mend_after;
        let soon = SPREAD.mul_f64(self.rng.random_range(0.0..=1.0));
        mend.look(now, &self.neighbourhood(), patience, soon);
        for peer in mend.lost() {
            self.no_neighbour(&mut mend, peer, out);
        }
        for peer in mend.one_sided(now, self.own, patience, book) {
            self.no_neighbour(&mut mend, peer, out);
            if self.is_linked(peer) {
                out.push(Output::Unneeded { peer });
            }
        }
        if let Some(peer) = mend.surplus(now, self.own, book) {
            self.no_neighbour(&mut mend, peer, out);
            // The link is closed by whoever hears this, so that it arrives.
            let token = tokens.next();
            out.push(Output::Tell { to: peer, token, message: Message::Dropped });
        }
        mend.look(now, &self.neighbourhood(), patience, soon);
        self.go_on_asking(now, &mut mend, tokens, out);
        if mend.wants(now) {
            self.begin_asking(now, &mut mend, book, tokens, out);
        }
        mend.due = mend.next_due(now, patience);
        self.mend = Some(mend);
    }

    /// When mending has something to do.
    pub fn mend_deadline(&self) -> Option<Time> {
        self.mend.as_ref().and_then(|mend| mend.due)
    }

    /// The neighbours to be named in the own card; none in a topology that does not mend itself.
    pub fn living_neighbours(&self, now: Time) -> BTreeSet<NodeId> {
        let mend = self.mend.as_ref();
        mend.map(|mend| mend.living(now, self.config.mend_after)).unwrap_or_default()
    }

    /// Every neighbour, and whether it is linked.
    fn neighbourhood(&self) -> BTreeMap<NodeId, bool> {
        let neighbours = self.fixed.iter().flat_map(Fixed::ids);
        neighbours.map(|peer| (peer, self.is_linked(peer))).collect()
    }

    fn begin_asking(
        &mut self,
        now: Time,
        mend: &mut Mend,
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        // A dial that failed shortly before is not worth repeating: its target is not due yet.
        let may_be_asked = |peer| {
            let key = Key::Peer(peer);
            let due = self.targets.get(&key).is_some_and(|target| target.due <= now);
            let barred = self.is_held_off(peer) || self.refused.contains_key(&key);
            !barred && (due || self.is_linked(peer))
        };
        let mut rng = self.rng.clone();
        let chosen = mend.choose(now, self.own, book, may_be_asked, || rng.random());
        self.rng = rng;
        let Some((peer, cut_off)) = chosen else { return mend.failed(now) };
        let key = Key::Peer(peer);
        let failures = self.targets.get(&key).map_or(0, |target| target.failures);
        let (dialled, until) = (!self.is_linked(peer), now + PATIENCE);
        mend.asking = Some(Asking { peer, cut_off, token: None, dialled, failures, until });
        self.candidate = Some(peer);
        self.settle(&key);
        self.go_on_asking(now, mend, tokens, out);
    }

    fn go_on_asking(
        &mut self,
        now: Time,
        mend: &mut Mend,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        let Some(asking) = &mut mend.asking else { return };
        let peer = asking.peer;
        let key = Key::Peer(peer);
        let failures = self.targets.get(&key).map(|target| target.failures);
        if self.is_neighbour(peer) {
            // It asked us meanwhile.
            self.end_asking(mend);
            mend.succeeded(now);
        } else if asking.until <= now || self.is_held_off(peer) {
            self.turned_down(now, mend, out);
        } else if asking.token.is_some() {
            // The answer comes, or the news that there will be none.
        } else if self.is_linked(peer) {
            let token = tokens.next();
            asking.token = Some(token);
            let message = Message::Adopt { cut_off: asking.cut_off };
            out.push(Output::Ask { to: peer, token, message });
        } else if failures.is_none_or(|failures| failures > asking.failures) {
            self.end_asking(mend);
            mend.unmet(now);
        }
    }

    fn end_asking(&mut self, mend: &mut Mend) -> Option<Asking> {
        self.call_off_candidate();
        mend.asking.take()
    }

    /// It does not become a neighbour. A link that was made for this is not needed.
    fn turned_down(&mut self, now: Time, mend: &mut Mend, out: &mut Outbox<Output>) {
        let Some(asking) = self.end_asking(mend) else { return };
        let peer = asking.peer;
        mend.refused_by(now, peer);
        if asking.dialled && self.is_linked(peer) && !self.is_neighbour(peer) {
            out.push(Output::Unneeded { peer });
        }
    }

    pub(super) fn call_off_candidate(&mut self) {
        if let Some(peer) = self.candidate.take() {
            self.settle(&Key::Peer(peer));
        }
    }

    /// What came of our question, when it was ours.
    pub fn adoption_answered(
        &mut self,
        now: Time,
        token: Token,
        adopted: bool,
        out: &mut Outbox<Output>,
    ) {
        let Some(mut mend) = self.mend.take() else { return };
        let asked = mend.asking.as_ref().filter(|asking| asking.token == Some(token));
        if let Some(peer) = asked.map(|asking| asking.peer) {
            if !adopted {
                self.turned_down(now, &mut mend, out);
            } else {
                self.end_asking(&mut mend);
                mend.succeeded(now);
                // Without the link it is asked again, or drops us when it sees our card.
                if self.is_linked(peer) {
                    self.new_neighbour(now, &mut mend, peer, out);
                }
            }
        }
        self.mend = Some(mend);
    }

    /// A linked peer wants to be a neighbour: true when it is one now.
    pub fn asked_to_adopt(
        &mut self,
        now: Time,
        peer: NodeId,
        cut_off: bool,
        out: &mut Outbox<Output>,
    ) -> bool {
        if self.is_neighbour(peer) {
            return true;
        }
        let Some(mut mend) = self.mend.take() else { return false };
        let possible = self.is_linked(peer) && !self.is_held_off(peer);
        let adopts = possible && mend.has_room(now, peer, cut_off, self.config.mend_after);
        if adopts {
            self.new_neighbour(now, &mut mend, peer, out);
        }
        self.mend = Some(mend);
        adopts
    }

    /// A neighbour does not take us for one any more.
    pub fn dropped_by(&mut self, peer: NodeId, out: &mut Outbox<Output>) {
        // An operator's graph is not changed by its nodes.
        let Some(mut mend) = self.mend.take() else { return };
        self.no_neighbour(&mut mend, peer, out);
        self.mend = Some(mend);
        // Two that drop each other at once are neighbours no more, and still linked.
        if self.is_linked(peer) {
            out.push(Output::Unneeded { peer });
        }
    }

    /// A member was found dead.
    pub fn found_down(&mut self, peer: NodeId) {
        let linked = self.is_linked(peer);
        if let Some(mend) = self.mend.as_mut().filter(|_| !linked) {
            mend.found_down(peer);
        }
    }

    /// A member that was found dead lives in a new life, or is not known any more.
    pub(super) fn not_down(&mut self, peer: NodeId) {
        if let Some(mend) = &mut self.mend {
            mend.not_down(peer);
        }
    }

    fn new_neighbour(
        &mut self,
        now: Time,
        mend: &mut Mend,
        peer: NodeId,
        out: &mut Outbox<Output>,
    ) {
        let Some(fixed) = &mut self.fixed else { return };
        fixed.adopt(peer);
        mend.adopt(now, peer);
        self.vouched(&Key::Peer(peer));
        self.settle(&Key::Peer(peer));
        out.push(Output::Neighbour { peer, joined: true });
    }

    fn no_neighbour(&mut self, mend: &mut Mend, peer: NodeId, out: &mut Outbox<Output>) {
        mend.forget(peer);
        if self.fixed.as_mut().is_some_and(|fixed| fixed.forget(peer)) {
            out.push(Output::Neighbour { peer, joined: false });
            self.no_more_vouched(peer);
            self.settle(&Key::Peer(peer));
        }
    }
}

/// Within this the neighbours of a lost node begin to ask, not all of them at once.
const SPREAD: Duration = Duration::from_millis(200);

/// How long it may take to link with somebody and be answered.
const PATIENCE: Duration = Duration::from_secs(5);
