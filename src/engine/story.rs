//! What this node has found out about each other one, in order: why it stands as it stands.

use std::collections::VecDeque;
use std::time::Duration;

use hashlink::LinkedHashMap;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use crate::base::id::NodeId;
use crate::base::time::{Time, WallTime, millis};
use crate::protocol::membership::{Certificate, Finding, Standing};

/// Findings kept of one node; the oldest makes room. A suspicion of a network of 32 has 50.
const MAX_EPISODES: usize = 128;

/// Nodes with a story; the one nothing was found of for longest makes room.
const MAX_NODES: usize = 512;

/// Of probes missed one after the other so many are kept, and the latest: a node that is cut off
/// for an hour must not push out of its story how that began.
const MAX_MISSES: u32 = 8;

/// The story of a node, as another one saw it: in what condition it is, and all that led there.
/// Made by `node.why(id)`, shown by `gossip why`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Story {
    /// Of whom.
    pub node: NodeId,
    /// Who tells it.
    pub seen_by: NodeId,
    /// How the node stands; `None` when the teller does not know it, or it is the teller itself.
    pub standing: Option<Standing>,
    /// For how long it has stood so; for how long the teller has run when it is itself.
    #[serde(rename = "since_ms", with = "millis")]
    pub since: Duration,
    /// Why it stands so, and why it is not down.
    pub condition: Condition,
    /// What was found out, oldest first, at most 128.
    pub episodes: Vec<Episode>,
    /// Older episodes that are not kept any more.
    pub dropped: u64,
    /// The proof, when the node is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// One thing that was found out.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Episode {
    /// When, on the teller's clock.
    #[serde(rename = "at_us")]
    pub at: WallTime,
    /// What. In JSON its fields stand beside `at_us`.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Story {
    /// The story in one sentence, with nodes named by `name`.
    pub fn headline(&self, name: &dyn Fn(NodeId) -> String) -> String {
        let who = name(self.node);
        let since = super::condition::span(self.since);
        let condition = self.condition.tell(name);
        if self.node == self.seen_by {
            return format!("{who}, of itself, {since} after its start: {condition}");
        }
        let standing = match self.standing {
            Some(Standing::Alive) => "alive",
            Some(Standing::Suspected) => "suspected",
            Some(Standing::Unreachable) => "unreachable",
            Some(Standing::Down) => "down",
            Some(Standing::Left) => "gone, it left",
            None => return format!("{who}: {condition}"),
        };
        format!("{who} is {standing}, for {since}: {condition}")
    }
}

/// A finding as it is kept.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Time,
    pub finding: Finding,
}

/// The findings about one node, oldest first.
#[derive(Debug, Default)]
pub struct Thread {
    entries: VecDeque<Entry>,
    dropped: u64,
}

impl Thread {
    fn add(&mut self, entry: Entry) {
        if let Some(last) = self.entries.back_mut()
            && replaces(&entry.finding, &last.finding)
        {
            *last = entry;
            return;
        }
        if self.entries.len() >= MAX_EPISODES {
            self.entries.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.entries.push_back(entry);
    }

    /// The findings, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many are not kept any more.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Whether the newer finding makes the one just before it superfluous.
const fn replaces(newer: &Finding, older: &Finding) -> bool {
    match (newer, older) {
        (Finding::ProbeMissed { .. }, Finding::ProbeMissed { misses, .. }) => *misses > MAX_MISSES,
        (Finding::ViewChanged { .. }, Finding::ViewChanged { .. }) => true,
        _ => false,
    }
}

/// The stories of all nodes, and that of this one.
#[derive(Debug)]
pub struct StoryBook {
    me: NodeId,
    own: Thread,
    others: LinkedHashMap<NodeId, Thread>,
    nothing: Thread,
}

impl StoryBook {
    /// The empty book of node `me`.
    pub fn new(me: NodeId) -> Self {
        let (own, nothing) = (Thread::default(), Thread::default());
        Self { me, own, others: LinkedHashMap::new(), nothing }
    }

    /// Writes it down where it belongs: with the node it is about, with this node, or with both
    /// when this node found out something of itself by suspecting another.
    pub fn add(&mut self, at: Time, finding: &Finding) {
        let about = match finding {
            Finding::SelfDoubt { node, .. } | Finding::ConsideredSelfDown { node } => Some(*node),
            other => other.subject(),
        };
        let entry = Entry { at, finding: finding.clone() };
        match about {
            Some(node) if node != self.me => {
                if finding.subject().is_none() {
                    self.own.add(entry.clone());
                }
                self.of_other(node).add(entry);
            }
            _ => self.own.add(entry),
        }
    }

    /// Its findings; empty when there are none.
    pub fn of(&self, node: NodeId) -> &Thread {
        if node == self.me {
            return &self.own;
        }
        self.others.get(&node).unwrap_or(&self.nothing)
    }

    fn of_other(&mut self, node: NodeId) -> &mut Thread {
        if self.others.contains_key(&node) {
            self.others.to_back(&node);
        } else if self.others.len() >= MAX_NODES {
            self.others.pop_front();
        }
        self.others.entry(node).or_insert_with(Thread::default)
    }
}
