//! Pulses: what peers believe, and how they come to believe the same.

use serde_bytes::ByteBuf;

use super::catch_up::Told;
use super::desk::Errand;
use super::due::Due;
use super::machine::MembershipMachine;
use super::output::Output;
use super::wire::{Message, News, Phase, Pulse};
use crate::base::id::{Life, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Bytes of records in one page, about: half of what a frame may hold.
const PAGE_BYTES: usize = 512 * 1024;

impl MembershipMachine {
    /// How this node is and what it believes.
    pub(super) fn pulse(&mut self, now: Time) -> Pulse {
        let (active, agreed) = self.roll.digests();
        let holders = self.roll.holders(self.me).map(|bits| ByteBuf::from(bits.to_vec()));
        Pulse {
            incarnation: self.incarnation,
            tick: self.tick(now),
            phase: self.phase,
            active,
            agreed,
            holders,
        }
    }

    /// A peer told how it is and what it believes.
    pub(super) fn meet(&mut self, now: Time, from: NodeId, pulse: Pulse, out: &mut Outbox<Output>) {
        self.ticks.insert(from, (pulse.tick, now));
        match (self.phase, pulse.phase) {
            (Phase::Joining | Phase::Isolated, Phase::Active) => self.join(now, from, out),
            (Phase::Joining, Phase::Joining) => self.meets_again(now, from, &pulse, out),
            (Phase::Active, Phase::Active) => self.compare(now, from, &pulse, out),
            _ => {}
        }
    }

    fn compare(&mut self, now: Time, from: NodeId, pulse: &Pulse, out: &mut Outbox<Output>) {
        let timeout = self.config.timeout;
        match self.roll.record(from) {
            None => self.agenda.set_by(Due::Sync(from), now),
            Some(record) if !record.is_alive() && pulse.incarnation <= record.incarnation() => {
                let proof = vec![record.news()];
                return out.push(Output::Tell { to: from, message: Message::News(proof) });
            }
            Some(_) => {}
        }
        self.views.insert(from, pulse.active);
        self.beliefs.insert(from, (pulse.active, pulse.agreed));
        self.note_kin(from, pulse.agreed);
        if pulse.active != self.roll.digests().0 {
            return self.agenda.set_by(Due::Sync(from), now + timeout * 2);
        }
        if self.roll.is_settled() {
            return;
        }
        if pulse.agreed == self.roll.settled_digest() && self.may_settle_after(now, from) {
            // It saw a majority of the members before hold what both of us hold now.
            return self.settle(now, out);
        }
        if !self.roll.is_agreed(from) {
            return;
        }
        let same = pulse.agreed == self.roll.digests().1;
        let bits = pulse.holders.as_ref().filter(|_| same).map(|bits| bits.as_slice());
        let learned = self.roll.learn_holders(self.me, from, bits);
        if self.roll.is_held_by_majority(self.me) {
            self.settle(now, out);
        } else if learned {
            self.agenda.set_by(Due::Push, now + timeout / 2);
        }
    }

    /// A peer holds other records: fetches them, unless they have become the same.
    pub(super) fn sync(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        if !self.is_active() || !self.desk.is_linked(peer) {
            return;
        }
        // What it told before our view changed says nothing any more: it is asked again when the
        // view rests. In one that never does it is believed to differ now and then, so that no hole
        // stays.
        let told = self.views.get(&peer).copied();
        let same = told == Some(self.roll.digests().0);
        if same && self.roll.is_alive(peer) {
            return;
        }
        if told.is_none() && self.roll.is_alive(peer) && self.chance() * 32.0 >= 1.0 {
            let timeout = self.config.timeout;
            return match self.settling.rests(now, timeout) {
                true => self.probe(now, peer, out),
                false => self.agenda.set_by(Due::Sync(peer), now + timeout * 2),
            };
        }
        if self.birth.may_fetch(now, peer, self.config.timeout) {
            self.ask_linked(peer, Message::Fetch { after: None }, Errand::Fetch, out);
        } else {
            self.agenda.set_by(Due::Sync(peer), now + self.config.timeout * 2);
        }
    }

    /// The records after a node, as many as fit.
    pub(super) fn page(&self, after: Option<NodeId>) -> Message {
        if !self.is_active() {
            return Message::NotActive;
        }
        let mut records = Vec::new();
        let mut agreed = Vec::new();
        let mut bytes = 0;
        let mut more = false;
        for (node, record) in self.roll.records_after(after) {
            if records.len() >= super::MAX_PAGE || bytes > PAGE_BYTES {
                more = true;
                break;
            }
            if record.agreed {
                agreed.push(node);
            }
            // Good-byes are told with every link, with their age.
            if !record.is_left() {
                let news = record.news();
                bytes += size(&news);
                records.push(news);
            }
        }
        Message::Page { records, agreed, more }
    }

    pub(super) fn fetched(
        &mut self,
        now: Time,
        peer: NodeId,
        records: Vec<News>,
        agreed: Vec<NodeId>,
        more: bool,
        out: &mut Outbox<Output>,
    ) {
        let last = records.last().map(News::node);
        let mut page = Told::of(&records, agreed);
        page.refused = self.hear_news(now, peer, records, out);
        if !self.birth.turn_page(peer, page, self.config.max_members) {
            return self.birth.fetched(peer);
        }
        if !more {
            let told = self.birth.told();
            self.catch_up(now, peer, told, out);
        }
        match last.filter(|_| more) {
            Some(after) => {
                let rest = Message::Fetch { after: Some(after) };
                self.ask_linked(peer, rest, Errand::Fetch, out);
            }
            None => self.birth.fetched(peer),
        }
    }

    pub(super) fn fetch_failed(&mut self, peer: NodeId) {
        self.birth.fetched(peer);
    }

    /// A node is known by its card.
    pub(super) fn known(&mut self, now: Time, node: NodeId, life: Life, out: &mut Outbox<Output>) {
        self.meets(now, node, life, false, out);
        if let Some(met) = self.acquaintances.get_mut(&node) {
            met.carded = true;
        }
        if !self.roll.is_alive(node) {
            self.agenda.set_by(Due::Meet, now + self.config.timeout * 10);
        }
    }

    /// Nodes with cards that are no members may be another mesh: meets one of them.
    pub(super) fn meet_strangers(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.is_active() {
            let is_stranger =
                |node: &NodeId| self.roll.record(*node).is_none() && !self.desk.is_linked(*node);
            let mut strangers: Vec<(NodeId, Time)> = self
                .acquaintances
                .iter()
                .filter(|(node, met)| met.carded && is_stranger(node))
                .map(|(node, met)| (*node, met.since))
                .collect();
            if strangers.is_empty() {
                return;
            }
            // Who came a moment ago is on its way in.
            let settled = now - self.config.timeout * 10;
            strangers.retain(|(_, since)| *since <= settled);
            let pick = (self.chance() * strangers.len() as f64) as usize;
            if let Some((stranger, _)) = strangers.get(pick).copied() {
                self.probe(now, stranger, out);
            }
        }
        self.agenda.set_by(Due::Meet, now + self.config.timeout * 10);
    }
}

/// About how many bytes it has on the wire.
fn size(news: &News) -> usize {
    const RECORD: usize = 256;
    const VOTE: usize = 192;
    RECORD
        + VOTE
            * match news {
                News::Alive(alive) => alive.vouchers.len(),
                News::Down(certificate) => certificate.votes.len(),
                News::Resigned(_) | News::Left(_) => 0,
            }
}
