//! Suspicion: this node asks the others about a member that does not answer.

use rand::seq::SliceRandom;

use super::desk::Errand;
use super::due::Due;
use super::electorate::{ATTEMPTS, electorate, is_by_committee};
use super::finding::{Finding, Reprieve};
use super::machine::MembershipMachine;
use super::member::Standing;
use super::output::Output;
use super::probe::Stage;
use super::roll::mix;
use super::round::{Asked, Decision, Round};
use super::vote::Hold;
use super::wire::{Message, Statement, Verdict, Vote};
use crate::base::id::{Incarnation, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl MembershipMachine {
    /// Begins a suspicion, when this node may.
    pub(super) fn suspect(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        let may = self.is_active()
            && self.roll.is_alive(subject)
            && self.roll.is_agreed(self.me)
            && self.roll.is_agreed(subject)
            && !self.is_held(now, subject)
            && !self.rounds.contains_key(&subject);
        if !may {
            return;
        }
        let Some(record) = self.roll.record(subject) else { return };
        let incarnation = record.incarnation();
        let attempt = self.attempts(subject);
        let body = electorate(&self.roll, &self.config, self.me, subject, incarnation, attempt);
        let voters = u32::try_from(body.voters.len()).unwrap_or(u32::MAX);
        if body.quorum > voters {
            return self.no_quorum(now, subject, body.quorum, voters, out);
        }
        self.stats.suspicions += 1;
        let id = mix(super::roll::lot(self.me), rand::RngExt::random(&mut self.random));
        let own = self.statement(now, id, subject, incarnation, Verdict::Down, None);
        let order = self.asking_order(&body.voters);
        let mut round = Round::new(&own, now, attempt, body.voters, order);
        if !is_by_committee(&self.roll, &self.config) {
            round.guard = Some(true);
        }
        self.agenda.set(Due::Round(subject), round.window_end(&self.config));
        let quorum = round.quorum(&self.config);
        self.rounds.insert(subject, round);
        self.troubles.insert(subject, (Standing::Suspected, now));
        self.found(
            Finding::Suspected { node: subject, incarnation, quorum, voters, round: id },
            out,
        );
        let notice = Message::Suspected { incarnation, round: id };
        self.ask(subject, notice, Errand::Notice, out);
        if is_by_committee(&self.roll, &self.config) {
            self.begin_guard(now, subject, out);
        }
        self.drive(now, subject, out);
    }

    /// All voters by chance, those in trouble themselves last.
    fn asking_order(&mut self, voters: &[NodeId]) -> Vec<NodeId> {
        let mut order: Vec<NodeId> =
            voters.iter().copied().filter(|voter| *voter != self.me).collect();
        order.shuffle(&mut self.random);
        let (troubled, mut order): (Vec<NodeId>, Vec<NodeId>) =
            order.into_iter().partition(|voter| self.troubles.contains_key(voter));
        order.extend(troubled);
        order
    }

    fn attempts(&self, subject: NodeId) -> u32 {
        self.holds.get(&subject).map_or(0, |hold| hold.attempts % ATTEMPTS)
    }

    pub(super) fn is_held(&self, now: Time, subject: NodeId) -> bool {
        self.holds.get(&subject).is_some_and(|hold| now < hold.until)
    }

    fn no_quorum(
        &mut self,
        now: Time,
        node: NodeId,
        quorum: u32,
        voters: u32,
        out: &mut Outbox<Output>,
    ) {
        let known = self.holds.get(&node).is_some_and(|hold| hold.hopeless);
        if !known {
            self.found(Finding::QuorumUnavailable { node, quorum, voters }, out);
        }
        self.is_unreachable(now, node, out);
        self.hold(now, node, self.config.timeout * 5, |hold| hold.hopeless = true);
    }

    pub(super) fn hold(
        &mut self,
        now: Time,
        node: NodeId,
        length: std::time::Duration,
        note: impl Fn(&mut Hold),
    ) {
        let hold = self.holds.entry(node).or_default();
        hold.until = hold.until.max(now + length);
        note(hold);
    }

    /// Signs what this node found.
    pub(super) fn statement(
        &mut self,
        now: Time,
        round: u64,
        subject: NodeId,
        incarnation: Incarnation,
        verdict: Verdict,
        reckoned: Option<u64>,
    ) -> Statement {
        let tick = self.tick_of(now, subject, reckoned);
        let vote = Vote {
            voter: self.me,
            tick,
            agreed: self.roll.digests().1,
            quorum: super::electorate::needed(&self.roll, &self.config),
            signature: Vec::new(),
        };
        Statement { round, subject, incarnation, verdict, vote }.sign(&mut self.signer)
    }

    /// The logical clock of a node, as it must be by now: from its pulse when there was one in the
    /// last minute, else as the one who asks reckons it, else from its record.
    fn tick_of(&self, now: Time, node: NodeId, reckoned: Option<u64>) -> u64 {
        const FRESH: u32 = 600;
        let timeout = self.config.timeout;
        let on = |tick: u64, at: Time| {
            tick.saturating_add(super::machine::ticks(now.since(at), timeout))
        };
        let pulse = self.ticks.get(&node).copied();
        let fresh = pulse.filter(|(_, at)| now.since(*at) < timeout * FRESH);
        if let Some((tick, at)) = fresh {
            return on(tick, at);
        }
        if let Some(reckoned) = reckoned {
            return reckoned;
        }
        if let Some((tick, at)) = pulse {
            return on(tick, at);
        }
        self.roll.record(node).map_or(0, |record| match &record.state {
            super::roll::State::Alive(alive) => on(alive.tick, record.since),
            _ => 0,
        })
    }

    /// Looks at a round and does what follows.
    pub(super) fn drive(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        loop {
            let Some(round) = self.rounds.get_mut(&subject) else { return };
            let heard = self.probes.heard_anybody_since(round.begun);
            match round.decide(now, &self.config, heard) {
                Decision::Wait => {
                    let end = round.window_end(&self.config);
                    if end > now {
                        self.agenda.set(Due::Round(subject), end);
                    }
                    return;
                }
                Decision::Ask(count) => {
                    for _ in 0..count {
                        self.ask_next(now, subject, out);
                    }
                }
                Decision::Down => return self.condemn(now, subject, out),
                Decision::Up => return self.link_down(now, subject, out),
                Decision::Inconclusive => return self.inconclusive(now, subject, out),
                Decision::NobodyAnswered => {
                    self.end_round(subject, Reprieve::Inconclusive, out);
                    return self.isolated(now, subject, out);
                }
            }
        }
    }

    fn ask_next(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        let Some(round) = self.rounds.get_mut(&subject) else { return };
        let Some(voter) = round.next() else { return };
        let (id, incarnation) = (round.id, round.incarnation);
        let own = self.statement(now, id, subject, incarnation, Verdict::Down, None);
        self.found(Finding::WitnessAsked { node: subject, witness: voter }, out);
        let stage = self.ask(voter, Message::Query(own), Errand::Query(subject), out);
        let wait = match stage {
            Stage::Link => self.probes.link_wait(voter, &self.config),
            Stage::Answer(_) => self.probes.wait(voter, &self.config),
        };
        if let Some(round) = self.rounds.get_mut(&subject) {
            round.ask(voter, stage);
        }
        self.agenda.set(Due::Silent { subject, voter }, now + wait);
    }

    pub(super) fn voter_acknowledged(&mut self, now: Time, subject: NodeId, voter: NodeId) {
        self.probes.is_well();
        let Some(round) = self.rounds.get_mut(&subject) else { return };
        if matches!(round.asked(voter), Some(Asked::Question(_))) {
            round.acknowledged(voter);
            let wait = self.probes.report_wait(subject, voter, &self.config);
            self.agenda.set(Due::Silent { subject, voter }, now + wait);
        }
    }

    /// A voter had its time, or cannot be asked.
    pub(super) fn voter_silent(
        &mut self,
        now: Time,
        subject: NodeId,
        voter: NodeId,
        out: &mut Outbox<Output>,
    ) {
        self.agenda.cancel(Due::Silent { subject, voter });
        let Some(round) = self.rounds.get_mut(&subject) else { return };
        let unacknowledged = matches!(round.asked(voter), Some(Asked::Question(_)));
        if !round.silent(voter) {
            return;
        }
        if unacknowledged && !self.troubles.contains_key(&voter) {
            self.probes.is_worse();
        }
        self.found(Finding::WitnessSilent { node: subject, witness: voter }, out);
        self.drive(now, subject, out);
    }

    /// A witness says what it found.
    pub(super) fn reported(
        &mut self,
        now: Time,
        from: NodeId,
        statement: Statement,
        out: &mut Outbox<Output>,
    ) {
        let subject = statement.subject;
        let Some(round) = self.rounds.get(&subject) else { return };
        let fits = round.id == statement.round && statement.vote.voter == from;
        if !fits {
            return self.reject(from, subject, super::Flaw::OutOfPlace, out);
        }
        if !statement.is_genuine(&self.verifier) {
            return self.reject(from, subject, super::Flaw::Forged, out);
        }
        let Some(round) = self.rounds.get_mut(&subject) else { return };
        if !round.vote(&statement) {
            return;
        }
        self.agenda.cancel(Due::Silent { subject, voter: from });
        self.found(
            match statement.verdict {
                Verdict::Up => Finding::WitnessUp { node: subject, witness: from },
                Verdict::Down => Finding::WitnessDown { node: subject, witness: from },
            },
            out,
        );
        self.drive(now, subject, out);
    }

    pub(super) fn end_round(
        &mut self,
        subject: NodeId,
        reason: Reprieve,
        out: &mut Outbox<Output>,
    ) -> Option<Round> {
        let round = self.rounds.remove(&subject)?;
        self.agenda.cancel(Due::Round(subject));
        for voter in round.open() {
            self.agenda.cancel(Due::Silent { subject, voter });
        }
        self.troubles.remove(&subject);
        if let Some(watch) = self.watches.get_mut(&subject) {
            watch.begin_anew();
        }
        self.found(round.ended(reason, &self.config), out);
        Some(round)
    }

    /// A quorum found it down, and it had its time.
    fn condemn(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        let Some(round) = self.rounds.get(&subject) else { return };
        let certificate = round.certificate(&self.config);
        self.put_out(now, certificate, out);
    }

    /// Others reach it: it stays a member.
    fn link_down(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        const FIRST: u32 = 100;
        const LONGEST: u32 = 3_000;
        if self.end_round(subject, Reprieve::Vouched, out).is_none() {
            return;
        }
        let timeout = self.config.timeout;
        let last = self.holds.get(&subject).map_or(std::time::Duration::ZERO, |hold| hold.length);
        let length = (last * 2).clamp(timeout * FIRST, timeout * LONGEST);
        self.hold(now, subject, length, |hold| hold.length = length);
        self.probes.is_worse();
        self.found(Finding::LinkDown { node: subject, hold: length }, out);
        self.is_unreachable(now, subject, out);
        self.doubt_oneself(now, subject, out);
    }

    fn inconclusive(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        if self.end_round(subject, Reprieve::Inconclusive, out).is_none() {
            return;
        }
        self.hold(now, subject, self.config.timeout * 5, |hold| {
            hold.attempts = hold.attempts.wrapping_add(1);
        });
        self.is_unreachable(now, subject, out);
    }

    /// The suspected node itself was heard.
    pub(super) fn subject_spoke(&mut self, now: Time, node: NodeId, out: &mut Outbox<Output>) {
        if self.rounds.contains_key(&node) {
            self.end_round(node, Reprieve::Answered, out);
            self.hold(now, node, self.config.timeout * 5, |_| ());
        }
        self.found_up(now, node, out);
        // What this node testified does not hold any more: with its next incarnation the
        // subject makes it void, so that nobody can collect such statements over time.
        if let Some((incarnation, round)) = self.condemned.remove(&node)
            && self.roll.record(node).is_some_and(|record| record.incarnation() == incarnation)
            && self.desk.is_linked(node)
        {
            let notice = Message::Suspected { incarnation, round };
            self.ask_linked(node, notice, Errand::Notice, out);
        }
    }
}
