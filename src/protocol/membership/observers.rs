//! Whom this node watches: every member is watched by the K members with the lowest number drawn
//! from both ids (rendezvous hashing), of those below a bound that holds some 32 candidates.
//!
//! A change of the view costs a look at the candidates near this node, not at all members.

use serde::{Deserialize, Serialize};

use super::roll::mix;
use crate::base::id::NodeId;

/// Expected candidates per member. That fewer than 4 lie below the bound has a probability of
/// 1e-11, and then the member has fewer observers.
const CANDIDATES: u64 = 32;

/// A member near enough that this node may have to watch it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Near {
    node: NodeId,
    lot: u64,
    /// The number drawn from this node and the member.
    draw: u64,
    /// How many members drew a lower one with it.
    ahead: u32,
}

/// The members that this node may have to watch.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Observers {
    me: u64,
    monitors: u32,
    /// Draws below it count; it follows the power of two above the number of members.
    bound: u64,
    size_class: u32,
    near: Vec<Near>,
}

const fn draw(observer: u64, subject: u64) -> u64 {
    mix(observer, mix(subject, 0x6f62_7365_7276_6572))
}

impl Observers {
    /// Of the node with the lot `me`; `monitors` watch each member.
    pub const fn new(me: u64, monitors: u32) -> Self {
        Self { me, monitors, bound: u64::MAX, size_class: 0, near: Vec::new() }
    }

    /// Whom to watch, now.
    pub fn watched(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.near.iter().filter(|near| near.ahead < self.monitors).map(|near| near.node)
    }

    pub fn watches(&self, node: NodeId) -> bool {
        self.watched().any(|watched| watched == node)
    }

    /// Whether the member with this lot watches this node; `lots` are of all that live.
    pub fn is_watched_by(&self, lot: u64, lots: impl Iterator<Item = u64>) -> bool {
        let own = draw(lot, self.me);
        let ahead = lots.filter(|other| *other != self.me && draw(*other, self.me) < own);
        own < self.bound && ahead.take(self.monitors as usize).count() < self.monitors as usize
    }

    /// How many observers of a member come before this node: 0 to `monitors - 1`.
    pub fn rank(&self, node: NodeId) -> u32 {
        self.near.iter().find(|near| near.node == node).map_or(0, |near| near.ahead)
    }

    /// A member came. `members` are all that live, with their lots, this node and it included.
    pub fn joined(
        &mut self,
        node: NodeId,
        lot: u64,
        count: u32,
        members: impl Fn() -> Vec<(NodeId, u64)>,
    ) {
        if self.resize(count, &members) || lot == self.me {
            return;
        }
        for near in &mut self.near {
            near.ahead += u32::from(draw(lot, near.lot) < near.draw);
        }
        if draw(self.me, lot) < self.bound {
            self.consider(node, lot, &members());
        }
    }

    /// A member is gone; `members` are those that stay.
    pub fn gone(
        &mut self,
        node: NodeId,
        lot: u64,
        count: u32,
        members: impl Fn() -> Vec<(NodeId, u64)>,
    ) {
        if self.resize(count, &members) {
            return;
        }
        self.near.retain(|near| near.node != node);
        for near in &mut self.near {
            near.ahead -= u32::from(draw(lot, near.lot) < near.draw);
        }
    }

    /// Begins anew when the members are in another size class. True when it did.
    fn resize(&mut self, count: u32, members: &impl Fn() -> Vec<(NodeId, u64)>) -> bool {
        let class = count.next_power_of_two().max(64);
        if class == self.size_class {
            return false;
        }
        self.size_class = class;
        self.bound = (u64::MAX / u64::from(class)).saturating_mul(2 * CANDIDATES);
        let members = members();
        self.near.clear();
        for (node, lot) in &members {
            if *lot != self.me && draw(self.me, *lot) < self.bound {
                self.consider(*node, *lot, &members);
            }
        }
        true
    }

    fn consider(&mut self, node: NodeId, lot: u64, members: &[(NodeId, u64)]) {
        let draw_of = |observer: u64| draw(observer, lot);
        let own = draw_of(self.me);
        let ahead = members.iter().filter(|(_, other)| *other != lot && draw_of(*other) < own);
        let ahead = u32::try_from(ahead.count()).unwrap_or(u32::MAX);
        self.near.push(Near { node, lot, draw: own, ahead });
    }
}
