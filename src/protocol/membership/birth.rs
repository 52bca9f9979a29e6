//! How a node becomes a member, stops being one, and becomes one again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::desk::Errand;
use super::finding::{Finding, GoingDownReason};
use super::machine::{Due, MembershipMachine, Output};
use super::roll::State;
use super::wire::{Alive, Certificate, Message, News, Phase, Pulse, Resigned};
use crate::base::id::{Incarnation, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Known nodes with smaller ids that a node waits for, at most, before it founds.
const MAX_TURNS: u32 = 20;

/// A node that remembers a membership waits this long for more than half of it.
const REMEMBERED: u32 = 100;

/// Timeouts until another member is asked to take this node in.
const PATIENCE: u32 = 10;

/// Downs in a row count as such within this time.
const CALM: Duration = Duration::from_secs(600);

/// The longest wait between two tries of an isolated node.
const LONGEST_SEEK: Duration = Duration::from_secs(30);

/// What a node remembers on its way in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Birth {
    /// There is nobody to join.
    alone: bool,
    /// Since when it looks for members.
    since: Time,
    /// Whose votes counted before the last stop.
    remembered: BTreeSet<NodeId>,
    /// Those of them met, which remember the same.
    met: BTreeSet<NodeId>,
    /// Who is asked to take this node in, and the D it tells, page by page.
    through: Option<NodeId>,
    agreed: BTreeSet<NodeId>,
    /// The last member tried, and how often in vain.
    last_tried: Option<NodeId>,
    tries: u32,
    /// Downs in a row, and the last one.
    downs: u32,
    last_down: Option<Time>,
    /// Whose records are being fetched, and since when.
    fetching: Option<(NodeId, Time)>,
    /// The D told with them, page by page, and whether any of them was refused.
    told: (BTreeSet<NodeId>, bool),
    /// Of whom the one that takes this node in told.
    present: BTreeSet<NodeId>,
}

impl Birth {
    pub fn new(alone: bool, remembered: BTreeSet<NodeId>) -> Self {
        Self {
            alone,
            since: Time::ZERO,
            remembered,
            met: BTreeSet::new(),
            through: None,
            agreed: BTreeSet::new(),
            last_tried: None,
            tries: 0,
            downs: 0,
            last_down: None,
            fetching: None,
            told: (BTreeSet::new(), false),
            present: BTreeSet::new(),
        }
    }

    /// One page at a time, from one peer at a time. True when it may begin now.
    pub fn may_fetch(&mut self, now: Time, peer: NodeId, timeout: Duration) -> bool {
        let busy = self.fetching.is_some_and(|(_, since)| now.since(since) < timeout * 20);
        if !busy {
            self.fetching = Some((peer, now));
            self.told = (BTreeSet::new(), false);
        }
        !busy
    }

    /// One more page from a peer: the part of D it tells, and whether anything was refused. False
    /// when it is not this peer's turn, or tells of more than there may be.
    pub fn turn_page(
        &mut self,
        peer: NodeId,
        agreed: Vec<NodeId>,
        refused: bool,
        most: usize,
    ) -> bool {
        self.told.1 |= refused;
        self.told.0.extend(agreed);
        let fits = self.told.0.len() <= most;
        if !fits {
            self.told.0.clear();
        }
        fits && self.fetching.is_some_and(|(from, _)| from == peer)
    }

    /// The D told in all pages, and whether anything was refused.
    pub fn told(&mut self) -> (BTreeSet<NodeId>, bool) {
        std::mem::take(&mut self.told)
    }

    pub fn fetched(&mut self, peer: NodeId) {
        if self.fetching.is_some_and(|(from, _)| from == peer) {
            self.fetching = None;
        }
    }
}

impl MembershipMachine {
    /// Founds a mesh when it is this node's turn and no other is active.
    pub(super) fn maybe_found(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.phase != Phase::Joining || self.birth.downs > 0 {
            return;
        }
        let timeout = self.config.timeout;
        self.agenda.set_by(Due::Seek, now + timeout * 5);
        let remembers = self.birth.remembered.len() > 1;
        let found_after = self.config.found_after();
        let turns = found_after / 2 * self.turn();
        let wait = if remembers {
            timeout * REMEMBERED + turns
        } else if self.birth.alone {
            Duration::ZERO
        } else {
            found_after + turns
        };
        let at = self.birth.since + wait;
        if now < at || self.birth.through.is_some() {
            return self.agenda.set(Due::Found, at.max(now + timeout));
        }
        self.drop_absent(now, &BTreeSet::new());
        self.roll.agree_on(&BTreeSet::from([self.me]));
        self.begin(now, None, out);
    }

    /// Those remembered that did not come back are no members of what begins now: their votes
    /// would be counted on for ever.
    fn drop_absent(&mut self, now: Time, present: &BTreeSet<NodeId>) {
        if self.birth.remembered.is_empty() || self.birth.downs > 0 {
            return;
        }
        let is_absent = |node: &NodeId| *node != self.me && !present.contains(node);
        let absent: Vec<NodeId> =
            self.roll.alive().map(|(node, _)| node).filter(is_absent).collect();
        for node in absent {
            self.roll.forget(node);
            self.view_changed(now, node, false);
        }
    }

    /// How many known nodes come before this one.
    fn turn(&self) -> u32 {
        let before = self.acquaintances.keys().filter(|node| **node < self.me).count();
        u32::try_from(before).unwrap_or(MAX_TURNS).min(MAX_TURNS)
    }

    /// A node that looks for members, too. When more than half of a membership that stopped have
    /// met again, it goes on as it was.
    pub(super) fn meets_again(
        &mut self,
        now: Time,
        from: NodeId,
        pulse: &Pulse,
        out: &mut Outbox<Output>,
    ) {
        let (_, agreed) = self.roll.digests();
        let remembered = &self.birth.remembered;
        if pulse.agreed != agreed || !remembered.contains(&from) || !remembered.contains(&self.me) {
            return;
        }
        self.birth.met.insert(from);
        if (self.birth.met.len() + 1) * 2 > self.birth.remembered.len() {
            self.begin(now, Some(from), out);
        }
    }

    /// Isolated, and another member answered that looks for members, too: neither is alone. The
    /// membership is as it was, so what may be decided with it still needs a majority of it.
    pub(super) fn meets_fellow(
        &mut self,
        now: Time,
        peer: NodeId,
        phase: Phase,
        out: &mut Outbox<Output>,
    ) {
        let looks = matches!(phase, Phase::Isolated | Phase::Joining);
        let is_member = self.roll.is_agreed(peer) && self.roll.is_alive(peer);
        if self.phase == Phase::Isolated && looks && is_member {
            self.begin(now, Some(peer), out);
        }
    }

    /// From here on this node is a member.
    fn begin(&mut self, now: Time, through: Option<NodeId>, out: &mut Outbox<Output>) {
        self.phase = Phase::Active;
        self.birth.through = None;
        self.birth.tries = 0;
        self.birth.fetching = None;
        self.agenda.cancel(Due::Found);
        self.agenda.cancel(Due::Join);
        self.agenda.cancel(Due::Seek);
        self.found(Finding::Rejoined { incarnation: self.incarnation, through }, out);
        if let Some(own) = self.own_record() {
            self.pass_on(None, &[own], out);
        }
        self.watch_anew(now);
        self.agenda.set_by(Due::Push, now);
        self.agenda.set_by(Due::Save, now + self.config.timeout * 10);
        self.agenda.set_by(Due::Expire, now + Duration::from_secs(60));
        self.agenda.set_by(Due::Meet, now + self.config.timeout * 10);
        let linked: Vec<NodeId> = self.desk.linked().collect();
        for peer in linked {
            // Those that look for members learn that there is one.
            self.probe(now, peer, out);
        }
    }

    /// The mesh stands already.
    pub(super) fn begin_formed(&mut self, now: Time) {
        self.told_view = self.roll.sizes();
        self.watch_anew(now);
        self.agenda.set_by(Due::Expire, now + Duration::from_secs(60));
        self.agenda.set_by(Due::Meet, now + self.config.timeout * 10);
    }

    fn own_record(&self) -> Option<News> {
        self.roll.record(self.me).map(super::roll::Record::news)
    }

    /// Asks an active member to take this node in.
    pub(super) fn join(&mut self, now: Time, through: NodeId, out: &mut Outbox<Output>) {
        if self.birth.through.is_some() || !self.desk.is_linked(through) {
            return;
        }
        if self.phase == Phase::Isolated {
            // It may have been given up while it was away.
            self.renew(now, out);
        }
        let Some(News::Alive(alive)) = self.own_record() else { return };
        self.birth.through = Some(through);
        self.birth.agreed.clear();
        self.birth.present.clear();
        self.agenda.set(Due::Join, now + self.config.timeout * PATIENCE);
        self.ask_linked(through, Message::Join(alive), Errand::Join, out);
    }

    pub(super) fn join_failed(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.agenda.cancel(Due::Join);
        if self.birth.through.take().is_some() && self.phase != Phase::Active {
            self.agenda.set_by(Due::Seek, now + self.config.timeout);
            let _ = out;
        }
    }

    /// A node asks to be taken in.
    pub(super) fn admit(
        &mut self,
        now: Time,
        from: NodeId,
        alive: Alive,
        out: &mut Outbox<Output>,
    ) -> Message {
        if !self.is_active() || alive.node != from {
            return Message::NotActive;
        }
        let news = News::Alive(alive.clone());
        match self.note_alive(now, alive.clone(), out) {
            Ok(true) => self.pass_on(Some(from), &[news], out),
            Ok(false) => {
                if let Some(record) = self.roll.record(from).filter(|record| !record.is_alive()) {
                    return Message::News(vec![record.news()]);
                }
            }
            Err(flaw) => {
                self.reject(from, from, flaw, out);
                return Message::NotActive;
            }
        }
        self.page(None)
    }

    /// A member took this node in and tells what it holds.
    pub(super) fn taken_in(
        &mut self,
        now: Time,
        peer: NodeId,
        records: Vec<News>,
        agreed: Vec<NodeId>,
        more: bool,
        out: &mut Outbox<Output>,
    ) {
        if self.birth.through != Some(peer) {
            return;
        }
        let last = records.last().map(News::node);
        self.birth.present.extend(records.iter().map(News::node));
        self.hear_news(now, peer, records, out);
        if self.birth.through != Some(peer) {
            return;
        }
        self.birth.agreed.extend(agreed);
        if self.birth.present.len().max(self.birth.agreed.len()) > self.config.max_members {
            return self.join_failed(now, out);
        }
        if let Some(after) = last.filter(|_| more) {
            self.agenda.set(Due::Join, now + self.config.timeout * PATIENCE);
            let rest = Message::Fetch { after: Some(after) };
            self.ask_linked(peer, rest, Errand::Join, out);
            return;
        }
        let present = std::mem::take(&mut self.birth.present);
        self.drop_absent(now, &present);
        let agreed = std::mem::take(&mut self.birth.agreed);
        self.roll.agree_on(&agreed);
        self.begin(now, Some(peer), out);
    }

    /// Looks for a member that takes this node in.
    pub(super) fn seek(&mut self, now: Time, out: &mut Outbox<Output>) {
        if !matches!(self.phase, Phase::Joining | Phase::Isolated) {
            return;
        }
        let timeout = self.config.timeout;
        if self.birth.through.is_none() {
            if self.phase == Phase::Joining {
                const AT_ONCE: usize = 8;
                let linked: Vec<NodeId> = self.desk.linked().take(AT_ONCE).collect();
                linked.into_iter().for_each(|peer| self.probe(now, peer, out));
            }
            if self.phase == Phase::Isolated || self.birth.downs > 0 {
                self.try_next(now, out);
            }
        }
        let wait = match self.phase {
            Phase::Isolated => self.jitter(timeout, self.birth.tries),
            _ => timeout * 5,
        };
        self.agenda.set(Due::Seek, now + wait);
    }

    /// The next member in turn, one at a time.
    fn try_next(&mut self, now: Time, out: &mut Outbox<Output>) {
        let after = self.birth.last_tried;
        let others = |node: &NodeId| *node != self.me;
        let next = self
            .roll
            .records_after(after)
            .map(|(node, _)| node)
            .chain(self.roll.records().map(|(node, _)| node))
            .find(others);
        let Some(next) = next else { return };
        self.birth.last_tried = Some(next);
        self.birth.tries = self.birth.tries.saturating_add(1);
        self.probe(now, next, out);
    }

    /// Anywhere up to `timeout * 2^tries`, at most half a minute.
    fn jitter(&mut self, timeout: Duration, tries: u32) -> Duration {
        let most = timeout.saturating_mul(1 << tries.min(16)).min(LONGEST_SEEK);
        most.mul_f64(self.chance()).max(Duration::from_millis(1))
    }

    /// Nobody answers: the fault is here, or this node is alone.
    pub(super) fn isolated(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        self.found(Finding::ConsideredSelfDown { node: subject }, out);
        self.rest(Phase::Isolated);
        self.birth.tries = 0;
        self.agenda.set(Due::Seek, now);
    }

    /// Stops watching, asking and voting.
    fn rest(&mut self, phase: Phase) {
        self.phase = phase;
        self.rounds.clear();
        self.checks.clear();
        self.sweeps.clear();
        self.guard = super::guard::Guard::default();
        self.watches.clear();
        self.holds.clear();
        self.condemned.clear();
        self.birth.through = None;
        self.agenda.retain(|due| {
            matches!(due, Due::Missed(_) | Due::Leave | Due::Expire | Due::Save | Due::Meet)
        });
        self.troubles.retain(|_, (standing, _)| *standing != super::machine::Standing::Suspected);
    }

    /// Somebody says that this node was put out. True never: it is no news for others.
    pub(super) fn taken_down(
        &mut self,
        now: Time,
        from: Option<NodeId>,
        certificate: Certificate,
        out: &mut Outbox<Output>,
    ) -> Result<bool, super::Flaw> {
        if certificate.incarnation < self.incarnation {
            return Ok(false);
        }
        self.check_own_takedown(&certificate, from)?;
        if self.phase != Phase::Active {
            // On its way in already: with an incarnation that nobody put out.
            self.overtake(now, certificate.incarnation, out);
            return Ok(false);
        }
        let certificate = Box::new(certificate);
        self.found(Finding::TakedownReceived { certificate, from }, out);
        self.go_down(now, GoingDownReason::Takedown, out);
        Ok(false)
    }

    /// Refused at the hello, with a proof.
    pub(super) fn barred(
        &mut self,
        now: Time,
        by: Option<NodeId>,
        certificate: Certificate,
        out: &mut Outbox<Output>,
    ) {
        if certificate.subject != self.me {
            return;
        }
        if let Err(flaw) = self.taken_down(now, by, certificate, out) {
            self.reject(by.unwrap_or(self.me), self.me, flaw, out);
        }
    }

    /// This node stops being a member, and comes back later.
    pub(super) fn go_down(&mut self, now: Time, reason: GoingDownReason, out: &mut Outbox<Output>) {
        let in_a_row = self.birth.last_down.is_some_and(|last| now.since(last) < CALM);
        self.birth.downs = if in_a_row { self.birth.downs.saturating_add(1) } else { 1 };
        self.birth.last_down = Some(now);
        // Should all go down together, more than half of them go on when they meet again.
        self.birth.remembered = self.roll.agreed().map(|(node, _)| node).collect();
        self.birth.met.clear();
        self.stats.resets += 1;
        let doubled =
            self.config.rejoin_backoff.saturating_mul(1 << (self.birth.downs - 1).min(16));
        let back_in = doubled.min(self.config.rejoin_max);
        let back_in = back_in + back_in.mul_f64(self.chance() / 4.0);
        let incarnation = self.incarnation;
        self.found(Finding::GoingDown { incarnation, reason, back_in }, out);
        let linked: Vec<NodeId> = self.desk.linked().collect();
        if reason == GoingDownReason::SelfDoubt {
            // The others end the links when they have heard it.
            let resigned = Resigned { node: self.me, incarnation, signature: Vec::new() };
            let resigned = News::Resigned(resigned.sign(&mut self.signer));
            self.pass_on(None, &[resigned], out);
        } else {
            linked.into_iter().for_each(|peer| out.push(Output::Unlink { peer }));
        }
        self.rest(Phase::Downed);
        self.renew(now, out);
        self.agenda.set(Due::Back, now + back_in);
    }

    pub(super) fn come_back(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.phase == Phase::Downed {
            self.phase = Phase::Joining;
            self.birth.since = now;
            self.birth.tries = 0;
            self.seek(now, out);
        }
    }

    /// The next incarnation of this node.
    pub(super) fn renew(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.overtake(now, self.incarnation, out);
    }

    /// An incarnation of this node above `seen`.
    pub(super) fn overtake(&mut self, now: Time, seen: Incarnation, out: &mut Outbox<Output>) {
        let seen = seen.max(self.incarnation);
        let next = match seen.refutations.checked_add(1) {
            Some(refutations) => Incarnation { life: seen.life, refutations },
            None => match seen.life.0.checked_add(1) {
                Some(life) => Incarnation { life: crate::base::id::Life(life), refutations: 0 },
                // Above the last there is none, and an incarnation never falls.
                None => return,
            },
        };
        self.become_incarnation(now, next, Vec::new(), out);
    }

    pub(super) fn become_incarnation(
        &mut self,
        now: Time,
        incarnation: Incarnation,
        vouchers: Vec<super::wire::Statement>,
        out: &mut Outbox<Output>,
    ) {
        self.incarnation = incarnation;
        self.refusers.clear();
        let tick = self.tick(now);
        let alive = Alive { node: self.me, incarnation, tick, signature: Vec::new(), vouchers };
        let alive = alive.sign(&mut self.signer);
        self.roll.apply(now, self.me, State::Alive(Arc::new(alive)));
        out.push(Output::Incarnation(incarnation));
    }
}
