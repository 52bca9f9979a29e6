//! What all members shall know: checked, recorded, passed on once.

use std::sync::Arc;

use super::certificate::{Flaw, MAX_VOTES};
use super::electorate::{is_by_committee, may_vote, needed};
use super::finding::{Finding, Reprieve};
use super::machine::MembershipMachine;
use super::member::Standing;
use super::output::Output;
use super::roll::{Record, State};
use super::threshold::majority;
use super::wire::{Alive, Certificate, News, Resigned, Verdict};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Contradictions within the flap window after which somebody has to vouch.
pub const FREE_REFUTATIONS: usize = 3;

impl MembershipMachine {
    /// Records what is news, and passes it on. The first forgery ends the reading: to check costs
    /// more than to forge. Gives what is refused and may be true all the same.
    pub(super) fn hear_news(
        &mut self,
        now: Time,
        from: NodeId,
        news: Vec<News>,
        out: &mut Outbox<Output>,
    ) -> Vec<News> {
        let mut fresh = Vec::new();
        let mut left = Vec::new();
        let mut refused = Vec::new();
        for one in news.into_iter().take(super::MAX_NEWS.max(super::MAX_PAGE)) {
            let copy = one.clone();
            let outcome = match one {
                News::Alive(alive) => self.note_alive(now, alive, out),
                News::Down(certificate) => self.note_down(now, Some(from), certificate, out),
                News::Resigned(resigned) => self.note_resigned(now, resigned, out),
                News::Left(record) => {
                    left.push(record);
                    Ok(false)
                }
            };
            match outcome {
                Ok(true) => fresh.push(copy),
                Ok(false) => self.gathered.is_held_by(&copy, from),
                Err(flaw) => {
                    self.reject(from, copy.node(), flaw, out);
                    if flaw == Flaw::Forged {
                        break;
                    }
                    refused.push(copy);
                }
            }
        }
        if !fresh.is_empty() {
            self.pass_on(now, from, fresh, out);
        }
        if !left.is_empty() {
            self.note_left(now, from, left, out);
        }
        refused
    }

    pub(super) fn reject(
        &mut self,
        from: NodeId,
        node: NodeId,
        reason: Flaw,
        out: &mut Outbox<Output>,
    ) {
        self.stats.forged = self.stats.forged.saturating_add(1);
        self.found(Finding::Rejected { from, node, reason }, out);
    }

    /// A node says that it lives. True when that is news.
    pub(super) fn note_alive(
        &mut self,
        now: Time,
        alive: Alive,
        out: &mut Outbox<Output>,
    ) -> Result<bool, Flaw> {
        let node = alive.node;
        if node == self.me {
            if alive.incarnation > self.incarnation && alive.is_genuine(&self.verifier) {
                self.overtake(now, alive.incarnation, out);
            }
            return Ok(false);
        }
        let record = self.roll.record(node).cloned();
        let record = record.as_ref();
        let incarnation = alive.incarnation;
        match record {
            Some(record) if incarnation <= record.incarnation() => return Ok(false),
            None if self.roll.records().count() >= self.config.max_members => return Ok(false),
            _ => {}
        }
        if !alive.is_genuine(&self.verifier) {
            return Err(Flaw::Forged);
        }
        let refutes = record.is_some_and(|old| old.is_refuted_by(incarnation));
        if refutes && self.flaps_too_often(now, node) && !self.is_vouched(&alive) {
            return Err(Flaw::Unvouched);
        }
        self.record_alive(now, alive, out);
        Ok(true)
    }

    /// Most members believe a contradiction for which nobody vouches that this node counts. True
    /// when that is news.
    pub(super) fn believe_alive(
        &mut self,
        now: Time,
        alive: Alive,
        out: &mut Outbox<Output>,
    ) -> Result<bool, Flaw> {
        let known = self.roll.record(alive.node).map(Record::incarnation);
        if known.is_none_or(|known| alive.incarnation <= known) {
            return Ok(false);
        }
        if !alive.is_genuine(&self.verifier) {
            return Err(Flaw::Forged);
        }
        self.record_alive(now, alive, out);
        Ok(true)
    }

    fn record_alive(&mut self, now: Time, alive: Alive, out: &mut Outbox<Output>) {
        let (node, incarnation) = (alive.node, alive.incarnation);
        let record = self.roll.record(node);
        let refutes = record.is_some_and(|old| old.is_refuted_by(incarnation));
        let was_alive = record.is_some_and(Record::is_alive);
        let before = self.member(node);
        if refutes {
            self.flaps.entry(node).or_default().push(now);
        }
        self.ticks.insert(node, (alive.tick, now));
        self.roll.apply(now, node, State::Alive(Arc::new(alive)));
        self.lives_on(now, node, incarnation, refutes, out);
        if was_alive {
            self.view_moved(now);
        } else {
            out.push(Output::Unbar { node });
            self.view_changed(now, node, true);
        }
        let again = before.is_none_or(|before| {
            before.incarnation.life < incarnation.life
                || !matches!(before.standing, Standing::Alive | Standing::Suspected)
        });
        if again {
            out.push(Output::Online { node, life: incarnation.life });
        }
    }

    /// What was thought of its incarnations before is void.
    fn lives_on(
        &mut self,
        now: Time,
        node: NodeId,
        incarnation: crate::base::id::Incarnation,
        refutes: bool,
        out: &mut Outbox<Output>,
    ) {
        self.left.drop_of(node);
        if self.rounds.contains_key(&node) {
            self.end_round(node, Reprieve::Refuted, out);
            self.hold(now, node, self.config.timeout * 5, |_| ());
        }
        self.checks.remove(&node);
        self.condemned.remove(&node);
        self.troubles.remove(&node);
        if refutes {
            self.found(Finding::Refuted { node, incarnation }, out);
        }
    }

    fn flaps_too_often(&mut self, now: Time, node: NodeId) -> bool {
        let window = self.config.flap_window();
        let Some(times) = self.flaps.get_mut(&node) else { return false };
        times.retain(|at| now.since(*at) < window);
        times.len() >= FREE_REFUTATIONS
    }

    /// Enough members say that they reach it.
    fn is_vouched(&self, alive: &Alive) -> bool {
        let mut voters: Vec<NodeId> = alive
            .vouchers
            .iter()
            .take(MAX_VOTES)
            .filter(|voucher| {
                voucher.verdict == Verdict::Up
                    && voucher.subject == alive.node
                    && voucher.incarnation.life == alive.incarnation.life
                    && voucher.incarnation.refutations.checked_add(1)
                        == Some(alive.incarnation.refutations)
                    && self.roll.is_agreed(voucher.vote.voter)
                    && voucher.vote.voter != alive.node
                    && voucher.is_genuine(&self.verifier)
            })
            .map(|voucher| voucher.vote.voter)
            .collect();
        voters.sort_unstable();
        voters.dedup();
        voters.len() >= needed(&self.roll, &self.config) as usize
    }

    /// Puts a node out by the votes gathered here, and tells everybody.
    pub(super) fn put_out(
        &mut self,
        now: Time,
        certificate: Certificate,
        out: &mut Outbox<Output>,
    ) {
        let subject = certificate.subject;
        let news = News::Down(certificate.clone());
        // It, too, is told: by the link it may still have, and at the next hello.
        if self.desk.is_linked(subject) {
            out.push(Output::Tell {
                to: subject,
                message: super::wire::Message::News(vec![news.clone()]),
            });
        }
        match self.note_down(now, None, certificate, out) {
            Ok(true) => self.tell_all(&news, out),
            Ok(false) => {}
            Err(flaw) => {
                self.reject(self.me, subject, flaw, out);
                self.end_round(subject, Reprieve::Inconclusive, out);
                self.hold(now, subject, self.config.timeout * 5, |_| ());
            }
        }
    }

    /// A quorum put a node out, so it is claimed. True when that is true and news.
    pub(super) fn note_down(
        &mut self,
        now: Time,
        from: Option<NodeId>,
        certificate: Certificate,
        out: &mut Outbox<Output>,
    ) -> Result<bool, Flaw> {
        let (node, incarnation) = (certificate.subject, certificate.incarnation);
        if node == self.me {
            return self.taken_down(now, from, certificate, out);
        }
        let record = self.roll.record(node);
        let was_alive = match record {
            Some(record) => {
                let known = record.incarnation();
                if incarnation < known || (incarnation == known && !record.is_alive()) {
                    return Ok(false);
                }
                record.is_alive()
            }
            // A newcomer learns what was before it. A member that never knew the node needs no
            // verdict about it: anybody can make up nodes and put them out.
            None => {
                let room = self.roll.records().count() < self.config.max_members;
                if self.phase == super::wire::Phase::Active || !room {
                    return Ok(false);
                }
                false
            }
        };
        self.check_certificate(&certificate)?;
        self.record_down(now, certificate, was_alive, from.is_none(), out);
        Ok(true)
    }

    /// Others took a verdict of members that this node does not count, and they are most of those
    /// that it does. True when that is news.
    pub(super) fn believe_down(
        &mut self,
        now: Time,
        certificate: Certificate,
        out: &mut Outbox<Output>,
    ) -> Result<bool, Flaw> {
        let record = self.roll.record(certificate.subject);
        let known = record.filter(|record| record.is_alive()).map(Record::incarnation);
        if known.is_none_or(|known| certificate.incarnation < known) {
            return Ok(false);
        }
        certificate.check_shape()?;
        certificate.check_signatures(&self.verifier)?;
        self.record_down(now, certificate, true, false, out);
        Ok(true)
    }

    fn record_down(
        &mut self,
        now: Time,
        certificate: Certificate,
        was_alive: bool,
        by_us: bool,
        out: &mut Outbox<Output>,
    ) {
        let (node, incarnation) = (certificate.subject, certificate.incarnation);
        let voters = certificate.voters().collect();
        let quorum = certificate.quorum();
        let certificate = Arc::new(certificate);
        self.roll.apply(now, node, State::Down(certificate.clone()));
        self.stats.verdicts += 1;
        self.found(Finding::Down { node, incarnation, voters, quorum, by_us }, out);
        let certificate = (*certificate).clone();
        out.push(Output::Bar { node, incarnation, certificate });
        self.is_gone(now, node, was_alive, out);
        out.push(Output::Down { node, life: incarnation.life });
    }

    /// The membership that put this node out may have moved on while it was away: then the proof
    /// does not fit its own, and never will, because nobody who moved on speaks with it. When so
    /// many refuse it with genuine proofs that a minority of liars cannot be it, it believes them:
    /// all it does is to come back in the next incarnation.
    pub(super) fn check_own_takedown(
        &mut self,
        now: Time,
        certificate: &Certificate,
        from: Option<NodeId>,
        out: &mut Outbox<Output>,
    ) -> Result<(), Flaw> {
        let Err(flaw) = self.check_certificate(certificate) else { return Ok(()) };
        if certificate.check_shape().is_err()
            || certificate.check_signatures(&self.verifier).is_err()
        {
            return Err(flaw);
        }
        let is_member = |node: &NodeId| self.roll.is_agreed(*node) || self.roll.is_alive(*node);
        if self.refusers.len() < self.config.max_members {
            self.refusers.extend(from);
        }
        let members = self.refusers.iter().filter(|node| is_member(node)).count();
        let strangers = u32::try_from(self.refusers.len() - members).unwrap_or(u32::MAX);
        // Had they joined, so many of them would be enough.
        let of_all = majority(self.roll.electorate_size().saturating_add(strangers));
        if members < needed(&self.roll, &self.config) as usize
            && self.refusers.len() < of_all as usize
        {
            self.is_refused(now, certificate.round, out);
            return Err(flaw);
        }
        self.refusers.clear();
        Ok(())
    }

    /// What a member checks beyond [`Certificate::check`]. A node that is not a member yet has no
    /// membership to check against.
    pub(super) fn check_certificate(&self, certificate: &Certificate) -> Result<(), Flaw> {
        certificate.check_shape()?;
        if self.phase == super::wire::Phase::Active {
            self.check_members(certificate)?;
        }
        certificate.check_signatures(&self.verifier)
    }

    fn check_members(&self, certificate: &Certificate) -> Result<(), Flaw> {
        let subject = certificate.subject;
        // A member whose own vote does not count yet, or not here yet, may have been put out by
        // those whose votes do.
        let is_member = self.roll.is_agreed(subject) || self.roll.is_alive(subject);
        if !is_member && subject != self.me {
            return Err(Flaw::UnknownSubject);
        }
        if !certificate.voters().all(|voter| self.roll.is_agreed(voter)) {
            return Err(Flaw::ForeignVoter);
        }
        let count = u32::try_from(certificate.votes.len()).unwrap_or(u32::MAX);
        if count < needed(&self.roll, &self.config) {
            return Err(Flaw::TooFewVotes);
        }
        if is_by_committee(&self.roll, &self.config) && self.config.partition_safe {
            let voters: Vec<NodeId> = certificate.voters().collect();
            let incarnation = certificate.incarnation;
            if !may_vote(&self.roll, &self.config, &voters, subject, incarnation) {
                return Err(Flaw::ForeignVoter);
            }
        }
        if certificate.span() > self.longest_span() {
            return Err(Flaw::TooOld);
        }
        Ok(())
    }

    /// The longest time between two votes of a round, in ticks.
    fn longest_span(&self) -> u64 {
        let window = super::machine::ticks(self.config.refute_window(), self.config.timeout);
        2 * window + 4 * u64::from(self.config.miss_limit)
    }

    pub(super) fn note_resigned(
        &mut self,
        now: Time,
        resigned: Resigned,
        out: &mut Outbox<Output>,
    ) -> Result<bool, Flaw> {
        let (node, incarnation) = (resigned.node, resigned.incarnation);
        if node == self.me {
            return Ok(false);
        }
        let Some(record) = self.roll.record(node) else { return Ok(false) };
        let known = record.incarnation();
        if incarnation < known || (incarnation == known && !record.is_alive()) {
            return Ok(false);
        }
        if !resigned.is_genuine(&self.verifier) {
            return Err(Flaw::Forged);
        }
        let was_alive = record.is_alive();
        self.roll.apply(now, node, State::Resigned(Arc::new(resigned)));
        self.is_gone(now, node, was_alive, out);
        out.push(Output::Down { node, life: incarnation.life });
        Ok(true)
    }

    /// It is no member any more: nothing waits for it, watches it or asks about it.
    pub(super) fn is_gone(
        &mut self,
        now: Time,
        node: NodeId,
        was_alive: bool,
        out: &mut Outbox<Output>,
    ) {
        self.end_round(node, Reprieve::Settled, out);
        self.troubles.remove(&node);
        self.checks.remove(&node);
        self.condemned.remove(&node);
        self.holds.remove(&node);
        self.views.remove(&node);
        self.beliefs.remove(&node);
        self.kin.nodes.remove(&node);
        self.ticks.remove(&node);
        if self.probes.end(node).is_some() {
            self.agenda.cancel(super::due::Due::Missed(node));
        }
        if was_alive {
            self.view_changed(now, node, false);
        }
        // It cannot vote any more: whoever waits for its vote waits for nobody.
        let subjects: Vec<NodeId> = self
            .rounds
            .iter()
            .filter(|(_, round)| round.asked(node).is_some())
            .map(|(subject, _)| *subject)
            .collect();
        for subject in subjects {
            self.voter_silent(now, subject, node, out);
        }
        if self.desk.is_linked(node) {
            out.push(Output::Unlink { peer: node });
        }
    }
}
