//! One suspicion: whom to ask, what they said, what follows from it. Decides and does nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::config::MembershipConfig;
use super::finding::Reprieve;
use super::probe::Stage;
use super::wire::{Certificate, Statement, Verdict, Vote};
use crate::base::id::{Incarnation, NodeId};
use crate::base::time::Time;

/// What has to be done about a suspicion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Wait for those asked, or for the end of the refutation window.
    Wait,
    /// Ask this many more.
    Ask(usize),
    /// A quorum found it down, and it had time to contradict.
    Down,
    /// Enough found it up.
    Up,
    /// Nobody is left to ask, and neither side has enough votes.
    Inconclusive,
    /// Nobody at all answered.
    NobodyAnswered,
}

/// How far a voter is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Asked {
    /// The question waits for a link, or for its acknowledgement.
    Question(Stage),
    /// It acknowledged, and its report is to come.
    Report,
}

/// An open suspicion of one incarnation of one node.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Round {
    pub id: u64,
    pub subject: NodeId,
    pub incarnation: Incarnation,
    pub begun: Time,
    /// Which committee it is, of a large mesh.
    pub attempt: u32,
    /// Votes that the node that asks holds necessary at least.
    pub needed: u32,
    pub voters: Vec<NodeId>,
    to_ask: VecDeque<NodeId>,
    asked: BTreeMap<NodeId, Asked>,
    down: BTreeMap<NodeId, Vote>,
    up: BTreeSet<NodeId>,
    silent: BTreeSet<NodeId>,
    /// In a large mesh: whether this node hears from most of it, once it knows.
    pub guard: Option<bool>,
}

impl Round {
    /// Begins with the vote of the node that asks. `order` is whom to ask, in this order.
    pub fn new(
        own: &Statement,
        begun: Time,
        attempt: u32,
        voters: Vec<NodeId>,
        order: Vec<NodeId>,
    ) -> Self {
        let mut round = Self {
            id: own.round,
            subject: own.subject,
            incarnation: own.incarnation,
            begun,
            attempt,
            needed: own.vote.quorum,
            voters,
            to_ask: order.into(),
            asked: BTreeMap::new(),
            down: BTreeMap::new(),
            up: BTreeSet::new(),
            silent: BTreeSet::new(),
            guard: None,
        };
        round.down.insert(own.vote.voter, own.vote.clone());
        round
    }

    /// The next one to ask.
    pub fn next(&mut self) -> Option<NodeId> {
        self.to_ask.pop_front()
    }

    pub fn ask(&mut self, voter: NodeId, stage: Stage) {
        self.asked.insert(voter, Asked::Question(stage));
    }

    pub fn asked(&self, voter: NodeId) -> Option<Asked> {
        self.asked.get(&voter).copied()
    }

    pub fn open(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.asked.keys().copied()
    }

    /// It acknowledged; the report comes later.
    pub fn acknowledged(&mut self, voter: NodeId) {
        if let Some(asked) = self.asked.get_mut(&voter) {
            *asked = Asked::Report;
        }
    }

    /// It said nothing in time. True when it had been asked.
    pub fn silent(&mut self, voter: NodeId) -> bool {
        let was_asked = self.asked.remove(&voter).is_some();
        if was_asked {
            self.silent.insert(voter);
        }
        was_asked
    }

    /// A vote of this round by one of its voters. True when it counts.
    pub fn vote(&mut self, statement: &Statement) -> bool {
        let voter = statement.vote.voter;
        let fits = statement.round == self.id
            && statement.subject == self.subject
            && statement.incarnation == self.incarnation
            && self.voters.binary_search(&voter).is_ok();
        if !fits || self.down.contains_key(&voter) || self.up.contains(&voter) {
            return false;
        }
        self.asked.remove(&voter);
        // Late is not never.
        self.silent.remove(&voter);
        match statement.verdict {
            Verdict::Up => {
                self.up.insert(voter);
            }
            Verdict::Down => {
                self.down.insert(voter, statement.vote.clone());
            }
        }
        true
    }

    fn reachable(&self) -> u32 {
        count(self.voters.len()).saturating_sub(count(self.silent.len()))
    }

    /// Votes that a verdict needs now: as many as each of so many voters holds enough. Who wants
    /// more than there are is left out, so that one liar cannot prevent every verdict.
    pub fn quorum(&self, config: &MembershipConfig) -> u32 {
        let threshold = config.consensus_threshold.down_votes(self.reachable());
        let least = self.needed.max(threshold).max(1);
        let mut wanted: Vec<u32> = self.down.values().map(|vote| vote.quorum.max(least)).collect();
        wanted.sort_unstable();
        let enough = wanted.iter().zip(1..).find(|(wanted, votes)| *votes >= **wanted);
        enough.map_or(least.max(count(wanted.len()).saturating_add(1)), |(wanted, _)| *wanted)
    }

    /// Up, down and silent, so far.
    pub fn tally(&self) -> (u32, u32, u32) {
        (count(self.up.len()), count(self.down.len()), count(self.silent.len()))
    }

    /// When the suspected node has had its time to contradict.
    pub fn window_end(&self, config: &MembershipConfig) -> Time {
        self.begun + config.refute_window()
    }

    /// What follows from what was said. `heard` is whether any member was heard since it began.
    pub fn decide(&self, now: Time, config: &MembershipConfig, heard: bool) -> Decision {
        let (up, down, _) = self.tally();
        let voters = count(self.voters.len());
        let quorum = self.quorum(config);
        let lost = config.partition_safe && voters.saturating_sub(up) < self.needed;
        if up > 0 && (config.consensus_threshold.is_up(up, self.reachable()) || lost) {
            return Decision::Up;
        }
        if down >= quorum {
            return match self.guard {
                Some(false) => Decision::Inconclusive,
                Some(true) if now >= self.window_end(config) => Decision::Down,
                _ => Decision::Wait,
            };
        }
        let missing = quorum - down;
        let want = if config.fanout == 0 { missing.saturating_add(1) } else { config.fanout };
        let want = usize::try_from(want).unwrap_or(usize::MAX);
        let open = self.asked.len();
        if !self.to_ask.is_empty() && open < want {
            return Decision::Ask(want - open);
        }
        if open > 0 {
            return Decision::Wait;
        }
        let alone = up == 0 && down <= 1 && !self.silent.is_empty() && !heard;
        if alone { Decision::NobodyAnswered } else { Decision::Inconclusive }
    }

    /// What ends it without a verdict, as a finding tells it.
    pub fn ended(&self, reason: Reprieve, config: &MembershipConfig) -> super::finding::Finding {
        let (up, down, silent) = self.tally();
        super::finding::Finding::SuspicionEnded {
            node: self.subject,
            reason,
            up,
            down,
            silent,
            quorum: self.quorum(config),
        }
    }

    /// The proof. Only those votes that are needed, so that it stays small.
    pub fn certificate(&self, config: &MembershipConfig) -> Certificate {
        let quorum = self.quorum(config);
        let most = usize::try_from(quorum).unwrap_or(usize::MAX).min(super::MAX_VOTES);
        let fits = |vote: &&Vote| vote.quorum <= quorum;
        let votes = self.down.values().filter(fits).take(most).cloned().collect();
        Certificate { subject: self.subject, incarnation: self.incarnation, round: self.id, votes }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
