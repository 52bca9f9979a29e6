//! Suspected, this node contradicts: in a newer incarnation, which makes all votes against the one
//! before void.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::desk::Errand;
use super::due::Due;
use super::electorate::needed;
use super::finding::Finding;
use super::machine::MembershipMachine;
use super::news::FREE_REFUTATIONS;
use super::output::Output;
use super::wire::{Message, Statement, Verdict};
use crate::base::id::{Incarnation, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// What this node contradicted, and who vouches for it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Refuting {
    /// When it contradicted, within the flap window.
    times: Vec<Time>,
    vouchers: BTreeMap<NodeId, Statement>,
}

impl MembershipMachine {
    /// A member suspects this node.
    pub(super) fn is_suspected(
        &mut self,
        now: Time,
        incarnation: Incarnation,
        round: u64,
        out: &mut Outbox<Output>,
    ) {
        if !self.is_active() || incarnation != self.incarnation {
            return;
        }
        let window = self.config.flap_window();
        self.refuting.times.retain(|at| now.since(*at) < window);
        let last = self.refuting.times.last().copied();
        let next = last.map_or(now, |last| last + self.config.refute_window());
        if next > now {
            return self.agenda.set_by(Due::Refute { round }, next);
        }
        if self.refuting.times.len() < FREE_REFUTATIONS {
            return self.refute(now, Vec::new(), out);
        }
        self.refuting.vouchers.clear();
        let most = needed(&self.roll, &self.config) as usize * 2;
        let voters: Vec<NodeId> = self
            .roll
            .agreed()
            .map(|(node, _)| node)
            .filter(|node| *node != self.me && !self.troubles.contains_key(node))
            .take(most.max(8))
            .collect();
        for voter in voters {
            self.ask(voter, Message::Vouch { incarnation, round }, Errand::Vouch, out);
        }
    }

    fn refute(&mut self, now: Time, vouchers: Vec<Statement>, out: &mut Outbox<Output>) {
        self.refuting.times.push(now);
        self.refuting.vouchers.clear();
        self.agenda.retain(|due| !matches!(due, Due::Refute { .. }));
        self.stats.refutations += 1;
        let incarnation = Incarnation {
            refutations: self.incarnation.refutations.saturating_add(1),
            ..self.incarnation
        };
        self.become_incarnation(now, incarnation, vouchers, out);
        self.probes.is_worse();
        self.found(Finding::Refuted { node: self.me, incarnation }, out);
        if let Some(record) = self.roll.record(self.me) {
            let news = record.news();
            self.tell_all(&news, out);
        }
    }

    /// A node that contradicted often asks this one to say that it reaches it. That it asks is the
    /// proof.
    pub(super) fn vouch(
        &mut self,
        now: Time,
        from: NodeId,
        incarnation: Incarnation,
        round: u64,
    ) -> Message {
        let fits = self
            .roll
            .record(from)
            .is_some_and(|record| record.is_alive() && record.incarnation() == incarnation);
        if !self.is_active() || !fits {
            return Message::NotActive;
        }
        let statement = self.statement(now, round, from, incarnation, Verdict::Up, None);
        Message::Report(statement)
    }

    /// A member vouches for this node.
    pub(super) fn vouched(&mut self, now: Time, statement: Statement, out: &mut Outbox<Output>) {
        let fits = statement.subject == self.me
            && statement.incarnation == self.incarnation
            && statement.verdict == Verdict::Up;
        if !fits || !self.is_active() {
            return;
        }
        self.refuting.vouchers.insert(statement.vote.voter, statement);
        if self.refuting.vouchers.len() >= needed(&self.roll, &self.config) as usize {
            let vouchers = std::mem::take(&mut self.refuting.vouchers);
            self.refute(now, vouchers.into_values().collect(), out);
        }
    }

    /// The time since the last contradiction is over, and this node may still be suspected.
    pub(super) fn refute_late(&mut self, now: Time, round: u64, out: &mut Outbox<Output>) {
        let incarnation = self.incarnation;
        self.is_suspected(now, incarnation, round, out);
    }
}
