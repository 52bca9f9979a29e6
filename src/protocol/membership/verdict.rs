//! That a node was put out, or put itself out: checked against the own membership, recorded, told,
//! and what ends with it.

use std::sync::Arc;

use super::certificate::Flaw;
use super::electorate::{is_by_committee, may_vote, needed};
use super::finding::{Finding, Reprieve};
use super::machine::MembershipMachine;
use super::output::Output;
use super::roll::{Record, State};
use super::threshold::majority;
use super::wire::{Certificate, News, Resigned};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl MembershipMachine {
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

    /// The longest time between two votes of a round, in ticks. By default 32: after a wave of
    /// voters that cannot be linked (5) there is room for one of those that never met the subject
    /// (25).
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
