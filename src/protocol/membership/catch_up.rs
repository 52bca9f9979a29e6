//! Catching up: the others have agreed on another membership while this node could not hear it.
//! Then it refuses verdicts by voters that it does not count, its A stays apart from theirs, and
//! no pulse alone would ever bring it back.

use std::collections::BTreeSet;

use super::guard::sample;
use super::machine::{MembershipMachine, Output};
use super::roll::{Roll, agreement};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl MembershipMachine {
    /// A peer told all of its records and its D. When most of our own D hold that very D, it has
    /// taken the place of ours. One peer alone is not believed: it could make up voters.
    pub(super) fn catch_up(
        &mut self,
        now: Time,
        agreed: &BTreeSet<NodeId>,
        refused: bool,
        out: &mut Outbox<Output>,
    ) {
        let theirs = agreement(agreed);
        let is_known = |node: &NodeId| self.roll.record(*node).is_some();
        if theirs == self.roll.digests().1 || !agreed.iter().all(is_known) {
            return;
        }
        let (sample, needed) = most_of(&self.roll, self.me, self.tick(now));
        let holds = |node: &NodeId| self.agreements.get(node) == Some(&theirs);
        if sample.iter().filter(|node| holds(node)).count() >= needed {
            self.roll.agree_on(agreed);
            self.tell_view(out);
            self.tell_pulse(now, out);
        } else if refused {
            // Something of theirs was refused here: asks the others what they hold.
            let others: Vec<NodeId> = sample.into_iter().filter(|node| !holds(node)).collect();
            others.into_iter().for_each(|node| self.probe(now, node, out));
        }
    }
}

/// Members whose word is enough together, and how many of them it takes: more than half of D
/// without this node; 24 of 32 when there are more than 64.
fn most_of(roll: &Roll, me: NodeId, tick: u64) -> (Vec<NodeId>, usize) {
    const MINUTE: u64 = 600;
    const EXACT: u32 = 64;
    const SAMPLE: usize = 32;
    const ENOUGH: usize = 24;
    let members = roll.sizes().1;
    if members <= EXACT {
        let (all, total) = sample(roll, me, 0, usize::MAX);
        return (all, total / 2 + 1);
    }
    (sample(roll, me, tick / MINUTE, SAMPLE).0, ENOUGH)
}
