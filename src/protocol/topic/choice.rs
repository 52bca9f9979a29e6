//! Whom this node chose before, in each group of each topic, and whom it chooses next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hashlink::LinkedHashMap;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::strategy::{Candidate, Strategy};
use crate::base::group::Group;
use crate::base::id::{Life, NodeId};

/// Most groups of topics that are remembered; the one not used for the longest time is forgotten,
/// and begins anew. (Guess: a publisher that feeds more of them feeds each one seldom.)
pub(crate) const MAX_TURNS: usize = 1_024;

/// Chooses members of groups.
#[derive(Debug)]
pub(crate) struct Choices {
    me: NodeId,
    rng: ChaCha8Rng,
    turns: LinkedHashMap<(String, Group), Turns>,
    /// How often it has chosen.
    times: u64,
}

/// One group of one topic.
#[derive(Debug, Default)]
struct Turns {
    last: Option<NodeId>,
    chosen: BTreeMap<NodeId, Past>,
}

/// How often a member was chosen, and the how-manyth choice was the last.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    count: u64,
    last: u64,
}

impl Choices {
    /// The order of random choices follows from who this is, and in which life.
    pub(crate) fn new(me: NodeId, life: Life) -> Self {
        let seed = blake3::Hasher::new()
            .update(b"choices")
            .update(&me.to_bytes())
            .update(&life.0.to_be_bytes())
            .finalize();
        let rng = ChaCha8Rng::from_seed(*seed.as_bytes());
        Self { me, rng, turns: LinkedHashMap::new(), times: 0 }
    }

    /// Chooses one of the members; `None` when there is none. `unconfirmed` says how many messages
    /// a member has still to confirm.
    pub(crate) fn choose(
        &mut self,
        topic: &str,
        group: &Group,
        members: &BTreeSet<NodeId>,
        strategy: &Strategy,
        unconfirmed: impl Fn(&NodeId) -> usize,
    ) -> Option<NodeId> {
        let first = *members.first()?;
        let key = (topic.to_owned(), group.clone());
        if !self.turns.contains_key(&key) {
            self.turns.insert(key.clone(), Turns::default());
            if self.turns.len() > MAX_TURNS {
                self.turns.pop_front();
            }
        }
        let turns = self.turns.to_back(&key)?;
        let past = |node: &NodeId| turns.chosen.get(node).copied().unwrap_or_default();
        let node = match strategy {
            // Several publishers that begin each behind itself do not all begin with the same.
            Strategy::RoundRobin | Strategy::All => {
                next_after(members, turns.last.unwrap_or(self.me)).unwrap_or(first)
            }
            Strategy::Random => {
                let place = self.rng.random_range(0..members.len());
                members.iter().nth(place).copied().unwrap_or(first)
            }
            Strategy::LeastRecent => {
                members.iter().min_by_key(|node| past(node).last).copied().unwrap_or(first)
            }
            Strategy::Custom(choose) => {
                let candidate = |node: &NodeId| Candidate {
                    node: *node,
                    chosen: past(node).count,
                    unconfirmed: unconfirmed(node),
                };
                let candidates: Vec<Candidate> = members.iter().map(candidate).collect();
                candidates.get(choose.place(&candidates)).map_or(first, |chosen| chosen.node)
            }
        };
        self.times += 1;
        turns.took(node, self.times, members);
        Some(node)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.turns.len()
    }
}

impl Turns {
    fn took(&mut self, node: NodeId, time: u64, members: &BTreeSet<NodeId>) {
        self.last = Some(node);
        let past = self.chosen.entry(node).or_default();
        *past = Past { count: past.count + 1, last: time };
        // Of those who are gone no more are remembered than there are members.
        if self.chosen.len() > 2 * members.len() {
            self.chosen.retain(|node, _| members.contains(node));
        }
    }
}

/// The next by rising id.
fn next_after(members: &BTreeSet<NodeId>, node: NodeId) -> Option<NodeId> {
    members.range((Bound::Excluded(node), Bound::Unbounded)).next().copied()
}
