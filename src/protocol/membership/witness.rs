//! Asked about a member: look, and say what was found.

use super::desk::Errand;
use super::due::Due;
use super::electorate::is_by_committee;
use super::finding::Finding;
use super::machine::MembershipMachine;
use super::output::Output;
use super::sweep::Purpose;
use super::vote::{Asker, Check, MAX_ASKERS};
use super::wire::{Message, Statement, Verdict};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// In timeouts: when a node looks again at whom it testified to be down; then every five times as
/// long.
const LOOK_AGAIN: u32 = 20;

impl MembershipMachine {
    /// Somebody found a member down and asks what this node finds. Gives the answer; the finding
    /// is reported later.
    pub(super) fn queried(
        &mut self,
        now: Time,
        from: NodeId,
        query: Statement,
        out: &mut Outbox<Output>,
    ) -> Message {
        let subject = query.subject;
        if !self.is_active() || subject == self.me || !self.roll.is_agreed(self.me) {
            return Message::NotActive;
        }
        let Some(record) = self.roll.record(subject) else { return Message::NotActive };
        if !record.is_alive() && query.incarnation <= record.incarnation() {
            return Message::News(vec![record.news()]);
        }
        if query.vote.voter != from || query.verdict != Verdict::Down {
            self.reject(from, subject, super::Flaw::OutOfPlace, out);
            return Message::NotActive;
        }
        if !query.is_genuine(&self.verifier) {
            self.reject(from, subject, super::Flaw::Forged, out);
            return Message::NotActive;
        }
        if record.is_alive() && record.incarnation() > query.incarnation {
            return Message::News(vec![record.news()]);
        }
        let window = self.config.refute_window() * 2;
        self.hold(now, subject, window, |_| ());
        self.agenda.cancel(Due::Suspect(subject));
        let asker = Asker { node: from, round: query.round, tick: query.vote.tick };
        self.look(now, subject, query.incarnation, asker, out);
        Message::Noted
    }

    fn look(
        &mut self,
        now: Time,
        subject: NodeId,
        incarnation: crate::base::id::Incarnation,
        asker: Asker,
        out: &mut Outbox<Output>,
    ) {
        let open = self
            .rounds
            .get(&subject)
            .is_some_and(|round| round.incarnation == incarnation && round.guard == Some(true));
        if open {
            return self.testify(now, subject, incarnation, asker, Verdict::Down, out);
        }
        let committee = is_by_committee(&self.roll, &self.config);
        let check = self.checks.entry(subject).or_insert_with(|| Check {
            incarnation,
            misses: 0,
            askers: Vec::new(),
            guard: (!committee).then_some(true),
        });
        check.askers.retain(|known| known.node != asker.node);
        if check.askers.len() < MAX_ASKERS {
            check.askers.push(asker);
        }
        let unguarded = check.guard.is_none();
        self.probe(now, subject, out);
        if unguarded {
            self.begin_guard(now, subject, out);
        }
    }

    fn testify(
        &mut self,
        now: Time,
        subject: NodeId,
        incarnation: crate::base::id::Incarnation,
        asker: Asker,
        verdict: Verdict,
        out: &mut Outbox<Output>,
    ) {
        self.stats.testimonies += 1;
        self.found(Finding::Testified { node: subject, asker: asker.node, verdict }, out);
        let statement =
            self.statement(now, asker.round, subject, incarnation, verdict, Some(asker.tick));
        if verdict == Verdict::Down {
            self.condemned.insert(subject, (incarnation, asker.round));
            self.agenda.set_by(Due::LookAgain(subject), now + self.config.timeout * LOOK_AGAIN);
        }
        self.ask(asker.node, Message::Report(statement), Errand::Notice, out);
    }

    /// Nobody shall gather testimonies over minutes: whoever this node found down and answers now
    /// is told of it, and contradicts.
    pub(super) fn look_again(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        let Some((incarnation, _)) = self.condemned.get(&subject).copied() else { return };
        let stands = self
            .roll
            .record(subject)
            .is_some_and(|record| record.is_alive() && record.incarnation() == incarnation);
        if stands && self.is_active() {
            self.probe(now, subject, out);
            self.agenda.set_by(Due::LookAgain(subject), now + self.config.timeout * LOOK_AGAIN * 5);
        } else {
            self.condemned.remove(&subject);
        }
    }

    pub(super) fn settle_check(
        &mut self,
        now: Time,
        subject: NodeId,
        verdict: Verdict,
        out: &mut Outbox<Output>,
    ) {
        let Some(check) = self.checks.remove(&subject) else { return };
        if verdict == Verdict::Down && check.guard != Some(true) {
            return;
        }
        for asker in check.askers {
            self.testify(now, subject, check.incarnation, asker, verdict, out);
        }
    }

    /// The subject of a look was heard.
    pub(super) fn found_up(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        self.settle_check(now, subject, Verdict::Up, out);
    }

    /// A probe of the subject of a look was missed. True when the next one follows at once.
    pub(super) fn check_missed(
        &mut self,
        now: Time,
        subject: NodeId,
        out: &mut Outbox<Output>,
    ) -> bool {
        let limit = self.config.miss_limit;
        let Some(check) = self.checks.get_mut(&subject) else { return false };
        check.misses += 1;
        if check.misses < limit {
            return true;
        }
        if check.guard.is_some() {
            self.settle_check(now, subject, Verdict::Down, out);
        }
        false
    }

    pub(super) fn sweeps_hear(&mut self, now: Time, node: NodeId, out: &mut Outbox<Output>) {
        if self.sweeps.is_empty() {
            return;
        }
        self.sweeps.values_mut().for_each(|sweep| sweep.answered(node));
        self.end_sweeps(now, out);
    }

    /// True when the next probe follows at once.
    pub(super) fn sweeps_miss(
        &mut self,
        now: Time,
        node: NodeId,
        out: &mut Outbox<Output>,
    ) -> bool {
        if self.sweeps.is_empty() {
            return false;
        }
        self.sweeps.values_mut().for_each(|sweep| sweep.missed(node));
        let more = self.sweeps.values().any(|sweep| sweep.wants(node));
        self.end_sweeps(now, out);
        more
    }

    pub(super) fn end_sweeps(&mut self, now: Time, out: &mut Outbox<Output>) {
        let done: Vec<Purpose> = self
            .sweeps
            .iter()
            .filter(|(_, sweep)| sweep.is_done() || sweep.is_enough())
            .map(|(purpose, _)| *purpose)
            .collect();
        for purpose in done {
            let Some(sweep) = self.sweeps.remove(&purpose) else { continue };
            match purpose {
                Purpose::SelfDoubt => self.self_checked(now, &sweep, out),
                Purpose::Guard => self.guard_swept(now, sweep.is_enough(), out),
            }
        }
    }
}
