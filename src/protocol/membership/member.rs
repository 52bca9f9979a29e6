//! Other nodes, as this one knows them.

use serde::{Deserialize, Serialize};

use super::machine::MembershipMachine;
use super::roll::State;
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::time::Time;

/// How a node stands, as seen from here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// A member, or known by its card, and not known to be gone.
    Alive,
    /// This node suspects that it failed and asks others.
    Suspected,
    /// This node cannot reach it. Only this node's view.
    Unreachable,
    /// Put out by a quorum, or by itself.
    Down,
    /// Said good-bye.
    Left,
}

/// What is known of another node.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Member {
    /// Its newest incarnation known. The refutations are known of members only.
    pub incarnation: Incarnation,
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub since: Time,
}

/// A node known by its card or link, a member or not.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Acquaintance {
    pub life: Life,
    pub since: Time,
    pub carded: bool,
}

impl MembershipMachine {
    /// All other nodes known.
    pub fn members(&self) -> impl Iterator<Item = (NodeId, Member)> + '_ {
        let recorded = self.roll.records().map(|(node, _)| node);
        let met = self.acquaintances.keys().copied();
        let met = met.filter(|node| self.roll.record(*node).is_none());
        recorded
            .chain(met)
            .filter(|node| *node != self.me)
            .filter_map(|node| Some((node, self.member(node)?)))
    }

    /// What is known of a node.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        let met = self.acquaintances.get(&node);
        let Some(record) = self.roll.record(node) else {
            let met = met?;
            let (standing, since) =
                self.troubles.get(&node).copied().unwrap_or((Standing::Alive, met.since));
            let incarnation = Incarnation { life: met.life, refutations: 0 };
            return Some(Member { incarnation, standing, since });
        };
        let incarnation = record.incarnation();
        // Its newer life was met before it said so.
        if let Some(met) = met.filter(|met| met.life > incarnation.life) {
            let incarnation = Incarnation { life: met.life, refutations: 0 };
            return Some(Member { incarnation, standing: Standing::Alive, since: met.since });
        }
        let (standing, since) = match record.state {
            State::Left(_) => (Standing::Left, record.since),
            State::Down(_) | State::Resigned(_) => (Standing::Down, record.since),
            State::Alive(_) => {
                let fine = (Standing::Alive, record.since);
                self.troubles.get(&node).copied().unwrap_or(fine)
            }
        };
        let refutations = if record.is_left() { 0 } else { incarnation.refutations };
        let incarnation = Incarnation { refutations, ..incarnation };
        Some(Member { incarnation, standing, since })
    }
}
