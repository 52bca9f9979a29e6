//! Catching up: the others have agreed on another membership while this node could not hear it.
//! Then it refuses verdicts by voters that it does not count, its A stays apart from theirs, and
//! no pulse alone would ever bring it back.
//!
//! Nothing here votes: whoever catches up believes what so many hold that a minority of liars
//! cannot make it up.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::guard::sample;
use super::machine::MembershipMachine;
use super::output::Output;
use super::roll::{Record, agreement, view_of};
use super::wire::News;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Most pieces of news that wait for the last page; what is beyond comes with the next fetch.
const MAX_REFUSED: usize = 64;

/// Members that are asked at once what they hold.
const AT_ONCE: usize = 16;

/// In timeouts: how long a node that has no vote yet waits for a voter.
const ALONE: u32 = 50;

/// Digests that are remembered while D stays as it is.
const MAX_KIN: usize = 64;

/// In timeouts: how often at most.
const PAUSE: u32 = 5;

/// What a peer told page by page.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Told {
    /// Its D.
    pub agreed: BTreeSet<NodeId>,
    /// The digest of its A.
    pub view: u64,
    /// What was refused, and may be true all the same.
    pub refused: Vec<News>,
}

impl Told {
    /// One page, of which nothing was refused.
    pub fn of(records: &[News], agreed: Vec<NodeId>) -> Self {
        let (agreed, view) = (agreed.into_iter().collect(), view_of(records));
        Self { agreed, view, refused: Vec::new() }
    }

    pub fn add(&mut self, page: Self) {
        self.agreed.extend(page.agreed);
        self.view = self.view.wrapping_add(page.view);
        self.refused.extend(page.refused);
        self.refused.truncate(MAX_REFUSED);
    }
}

/// What is known to have come from our D.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Kin {
    /// The digest of that D.
    ours: u64,
    /// Digests of D's that a voter of it told, or a member that had told one of these.
    agreed: BTreeSet<u64>,
    /// Who told them.
    pub nodes: BTreeSet<NodeId>,
}

impl MembershipMachine {
    /// A peer told all of its records and its D. When so many hold that very D that one liar cannot
    /// have made it up, it has taken the place of ours; likewise what was refused of its A.
    pub(super) fn catch_up(
        &mut self,
        now: Time,
        peer: NodeId,
        told: Told,
        out: &mut Outbox<Output>,
    ) {
        let Told { agreed, view, refused } = told;
        let theirs = agreement(&agreed);
        let is_known = |node: &NodeId| self.roll.record(*node).is_some();
        let differs = theirs != self.roll.digests().1 && agreed.iter().all(is_known);
        let is_behind = !refused.is_empty();
        // Before anything is recorded, which would be another A.
        let is_their_view = is_behind && self.is_held_by_members(now, |told| told.0 == view);
        let holds = |told: (u64, u64)| told.1 == theirs;
        let follows = differs
            && (self.is_held_by_voters(now, holds)
                || is_behind && self.may_follow(&agreed) && self.is_held_by_members(now, holds));
        if follows {
            self.roll.agree_on(&agreed);
        }
        let is_in_doubt = is_behind && !self.hear_again(now, peer, refused, is_their_view, out);
        if follows {
            self.tell_view(out);
            self.tell_pulse(now, out);
        }
        if is_in_doubt {
            self.ask_what_they_hold(now, (view, theirs), out);
        }
    }

    /// What was refused fits the D of now, or an A that most members hold. True when all was heard.
    fn hear_again(
        &mut self,
        now: Time,
        peer: NodeId,
        refused: Vec<News>,
        is_held: bool,
        out: &mut Outbox<Output>,
    ) -> bool {
        let mut fresh = Vec::new();
        let mut heard = true;
        for news in refused {
            // What is said of this node has its own way: see `check_own_takedown`.
            if news.node() == self.me {
                continue;
            }
            let copy = news.clone();
            let outcome = match news {
                News::Down(certificate) if is_held => self.believe_down(now, certificate, out),
                News::Down(certificate) => self.note_down(now, Some(peer), certificate, out),
                News::Alive(alive) if is_held => self.believe_alive(now, alive, out),
                News::Alive(alive) => self.note_alive(now, alive, out),
                News::Resigned(_) | News::Left(_) => continue,
            };
            heard &= outcome.is_ok();
            if outcome == Ok(true) {
                fresh.push(copy);
            }
        }
        if !fresh.is_empty() {
            self.pass_on(now, peer, fresh, out);
        }
        heard
    }

    /// A voter follows nobody to a D in which it has no vote: that is an older one, or one of a
    /// mesh that put it out and will tell it so.
    fn may_follow(&self, agreed: &BTreeSet<NodeId>) -> bool {
        agreed.contains(&self.me) || !self.roll.is_agreed(self.me)
    }

    /// A member told its D: whether it came from ours.
    pub(super) fn note_kin(&mut self, from: NodeId, agreed: u64) {
        let ours = self.roll.digests().1;
        if self.kin.ours != ours {
            self.kin = Kin { ours, agreed: BTreeSet::from([ours]), nodes: BTreeSet::new() };
        }
        let is_kin = self.roll.is_agreed(from)
            || self.kin.nodes.contains(&from)
            || self.kin.agreed.contains(&agreed);
        if is_kin && self.roll.is_alive(from) {
            self.kin.nodes.insert(from);
            if self.kin.agreed.len() < MAX_KIN {
                self.kin.agreed.insert(agreed);
            }
        }
    }

    /// `from` says that its D is our A. From a voter that is enough. A node that is no voter yet
    /// has its D from the word of one member, too: one whose D came from the same is enough, for
    /// where it went from there is our A. Else it takes the word of most members; or of one, as if
    /// it came anew, when no voter was heard for long.
    pub(super) fn may_settle_after(&self, now: Time, from: NodeId) -> bool {
        let belief = (self.roll.digests().0, self.roll.settled_digest());
        self.roll.is_agreed(from)
            || (!self.roll.is_agreed(self.me)
                && self.roll.is_alive(from)
                && (self.kin.nodes.contains(&from) || self.is_left_alone(now)))
            || self.is_held_by_members(now, |told| told == belief)
    }

    /// No voter of D was heard for a while, in which A did not change.
    fn is_left_alone(&self, now: Time) -> bool {
        let while_ago = self.config.timeout * ALONE;
        let is_long_ago = |at: Option<Time>| at.is_none_or(|at| now.since(at) >= while_ago);
        self.settling.was_told_for(now, while_ago)
            && self.roll.agreed().all(|(voter, _)| is_long_ago(self.probes.last_heard(voter)))
    }

    /// More than half of D but for this node told it (24 of 32 drawn in a large mesh).
    fn is_held_by_voters(&self, now: Time, holds: impl Fn((u64, u64)) -> bool) -> bool {
        let (sample, needed) = self.most_of(now, self.roll.agreed());
        self.count(&sample, holds) >= needed
    }

    /// More than half of A but for this node told it (24 of 32 drawn in a large mesh).
    fn is_held_by_members(&self, now: Time, holds: impl Fn((u64, u64)) -> bool) -> bool {
        let (sample, needed) = self.most_of(now, self.roll.alive());
        self.count(&sample, holds) >= needed
    }

    fn count(&self, nodes: &[NodeId], holds: impl Fn((u64, u64)) -> bool) -> usize {
        let told = |node: &NodeId| self.beliefs.get(node).copied();
        nodes.iter().filter_map(told).filter(|told| holds(*told)).count()
    }

    /// Members whose word is enough together, and how many of them it takes.
    fn most_of<'a>(
        &self,
        now: Time,
        members: impl Iterator<Item = (NodeId, &'a Record)>,
    ) -> (Vec<NodeId>, usize) {
        const MINUTE: u64 = 600;
        const EXACT: usize = 64;
        const SAMPLE: usize = 32;
        const ENOUGH: usize = 24;
        let members: Vec<(NodeId, &Record)> = members.collect();
        let size = if members.len() <= EXACT { usize::MAX } else { SAMPLE };
        let (all, total) = sample(members.into_iter(), self.me, self.tick(now) / MINUTE, size);
        let needed = if total <= EXACT { total / 2 + 1 } else { ENOUGH };
        (all, needed)
    }

    /// Something of theirs was refused here: asks others what they hold, some at a time.
    fn ask_what_they_hold(&mut self, now: Time, theirs: (u64, u64), out: &mut Outbox<Output>) {
        let pause = self.config.timeout * PAUSE;
        if self.birth.asked.is_some_and(|asked| now.since(asked) < pause) {
            return;
        }
        self.birth.asked = Some(now);
        let (sample, _) = self.most_of(now, self.roll.alive());
        let others = sample.into_iter().filter(|node| self.beliefs.get(node) != Some(&theirs));
        let mut others: Vec<NodeId> = others.collect();
        others.shuffle(&mut self.random);
        others.truncate(AT_ONCE);
        others.into_iter().for_each(|node| self.probe(now, node, out));
    }
}
