//! The guard of large meshes: a committee may fall into the smaller side of a partition by chance,
//! so nobody condemns anybody without hearing from most of the mesh.
//!
//! First a sample is probed, of which three quarters have to answer: that is how a mesh is in which
//! few have died. When fewer answer, many have died or this side is the smaller one, and all are
//! probed, or a sample large enough to tell a majority from a half. (The notes' single sample of 32
//! stops every verdict when 30 % die at once: it passes with a probability of 0.35.)

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::machine::MembershipMachine;
use super::output::Output;
use super::roll::{Record, lot, mix};
use super::sweep::{Purpose, Sweep};
use super::wire::Verdict;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// The first sample, and how many of it are enough.
const SAMPLE: usize = 32;
const ENOUGH: usize = 24;

/// Up to so many members the second look is exact: more than half of all. Above, so many of a
/// sample of this size: 54 %, which a half passes with a probability of 0.1. Eight voters of a
/// committee have to pass alike.
const EXACT: usize = 256;
const ENOUGH_OF_EXACT: usize = 138;

/// In timeouts: for how long a look counts, and how fresh a word is that saves a probe. Below
/// `miss_limit`: a cut after the look takes longer to look like a failure.
const GOOD_FOR: u32 = 2;
const FRESH: u32 = 2;

/// The sample is another one after so many ticks.
const MINUTE: u64 = 600;

/// What this node knows of how much of the mesh it hears.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Guard {
    /// Those it is asked to condemn.
    waiting: BTreeSet<NodeId>,
    /// The second look is under way.
    second: bool,
    /// The last outcome, and when it was.
    outcome: Option<(Time, bool)>,
}

impl MembershipMachine {
    /// This node must hear from most of the mesh before it condemns `subject`.
    pub(super) fn begin_guard(&mut self, now: Time, subject: NodeId, out: &mut Outbox<Output>) {
        let good_for = self.config.timeout * GOOD_FOR;
        if let Some((at, holds)) = self.guard.outcome.filter(|(at, _)| now.since(*at) < good_for) {
            let _ = at;
            return self.guarded(now, subject, holds, out);
        }
        self.guard.waiting.insert(subject);
        if !self.sweeps.contains_key(&Purpose::Guard) {
            self.guard.second = false;
            self.sweep_for_guard(now, out);
        }
    }

    fn sweep_for_guard(&mut self, now: Time, out: &mut Outbox<Output>) {
        let minute = self.tick(now) / MINUTE;
        let size = if self.guard.second { EXACT } else { SAMPLE };
        let (sample, total) = sample(self.roll.agreed(), self.me, minute, size);
        let needed = match (sample.len() + 1 >= total, self.guard.second) {
            // This node is one of the more than half.
            (true, _) => total / 2,
            (false, false) => ENOUGH,
            (false, true) => ENOUGH_OF_EXACT,
        };
        let fresh = now - self.config.timeout * FRESH;
        let (heard, open): (Vec<NodeId>, Vec<NodeId>) = sample
            .into_iter()
            .partition(|node| self.probes.last_heard(*node).is_some_and(|at| at >= fresh));
        let mut sweep = Sweep::new(&open, 1);
        sweep.answered = u32::try_from(heard.len()).unwrap_or(u32::MAX);
        sweep.needed = u32::try_from(needed).unwrap_or(u32::MAX);
        self.sweeps.insert(Purpose::Guard, sweep);
        for node in open {
            self.probe(now, node, out);
        }
        self.end_sweeps(now, out);
    }

    pub(super) fn guard_swept(&mut self, now: Time, holds: bool, out: &mut Outbox<Output>) {
        let size = usize::try_from(self.roll.sizes().1).unwrap_or(usize::MAX);
        if !holds && !self.guard.second && size > SAMPLE + 1 {
            self.guard.second = true;
            return self.sweep_for_guard(now, out);
        }
        self.guard.outcome = Some((now, holds));
        for subject in std::mem::take(&mut self.guard.waiting) {
            self.guarded(now, subject, holds, out);
        }
    }

    fn guarded(&mut self, now: Time, subject: NodeId, holds: bool, out: &mut Outbox<Output>) {
        if let Some(round) = self.rounds.get_mut(&subject) {
            round.guard = Some(holds);
            self.drive(now, subject, out);
        }
        let limit = self.config.miss_limit;
        if let Some(check) = self.checks.get_mut(&subject) {
            check.guard = Some(holds);
            if check.misses >= limit {
                self.settle_check(now, subject, Verdict::Down, out);
            }
        }
    }
}

/// Others of these members, drawn by the own lot and the minute, and how many members there are.
pub fn sample<'a>(
    members: impl Iterator<Item = (NodeId, &'a Record)>,
    me: NodeId,
    minute: u64,
    size: usize,
) -> (Vec<NodeId>, usize) {
    let own = lot(me);
    let draw = |(node, record): (NodeId, &Record)| (mix(mix(own, minute), record.lot), node);
    let mut draws: Vec<(u64, NodeId)> = members.map(draw).collect();
    let total = draws.len();
    draws.retain(|(_, node)| *node != me);
    if size < draws.len() {
        draws.select_nth_unstable(size.saturating_sub(1));
        draws.truncate(size);
    }
    (draws.into_iter().map(|(_, node)| node).collect(), total)
}
