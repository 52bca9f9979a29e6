//! What all members shall know: checked, recorded, passed on once.

use std::sync::Arc;

use super::certificate::{Flaw, MAX_VOTES};
use super::electorate::needed;
use super::finding::{Finding, Reprieve};
use super::machine::MembershipMachine;
use super::member::Standing;
use super::output::Output;
use super::roll::{Record, State};
use super::wire::{Alive, News, Verdict};
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
}
