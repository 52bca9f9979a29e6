//! How a node stops being a member for a while, and comes back in its next incarnation.

use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;

use super::due::Due;
use super::finding::{Finding, GoingDownReason};
use super::machine::MembershipMachine;
use super::output::Output;
use super::roll::State;
use super::wire::{Alive, Certificate, News, Phase, Resigned};
use crate::base::id::{Incarnation, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Downs in a row count as such within this time.
const CALM: Duration = Duration::from_secs(600);

impl MembershipMachine {
    /// Stops watching, asking and voting.
    pub(super) fn rest(&mut self, phase: Phase) {
        self.phase = phase;
        self.rounds.clear();
        self.checks.clear();
        self.sweeps.clear();
        self.guard = super::guard::Guard::default();
        self.watches.clear();
        self.holds.clear();
        self.condemned.clear();
        self.birth.through = None;
        self.gathered.clear();
        self.agenda.retain(|due| {
            matches!(due, Due::Missed(_) | Due::Leave | Due::Expire | Due::Save | Due::Meet)
        });
        self.troubles.retain(|_, (standing, _)| *standing != super::member::Standing::Suspected);
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
        self.check_own_takedown(now, &certificate, from, out)?;
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

    /// Somebody refuses this node with a proof that does not fit its own membership: asks others
    /// whether they do, too. When some do, but too few, it contradicts, which ends the proof for
    /// all.
    pub(super) fn is_refused(&mut self, now: Time, round: u64, out: &mut Outbox<Output>) {
        const AT_ONCE: usize = 3;
        const CONTRADICT: u32 = 10;
        if !self.is_active() {
            return;
        }
        if self.refusers.len() > 1 {
            self.agenda.set_by(Due::Refute { round }, now + self.config.timeout * CONTRADICT);
        }
        let asks = |node: &NodeId| *node != self.me && !self.refusers.contains(node);
        let mut others: Vec<NodeId> =
            self.roll.alive().map(|(node, _)| node).filter(asks).collect();
        others.shuffle(&mut self.random);
        others.truncate(AT_ONCE);
        others.into_iter().for_each(|node| self.probe(now, node, out));
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
            self.tell_all(&resigned, out);
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
        if self.is_active() {
            self.view_moved(now);
        }
        out.push(Output::Incarnation(incarnation));
    }
}
