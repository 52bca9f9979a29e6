//! The mesh: who gets copies at once.

use std::time::Duration;

use rand::RngExt;

use super::links::End;
use super::tick::ticks;
use super::world::{Event, World};

/// How long two nodes leave each other alone after a prune, as `prune_backoff` of this crate.
const QUIET: Duration = Duration::from_secs(10);

impl World<'_> {
    /// All nodes join, one after another. In a fixed graph the links are the mesh.
    pub fn form_mesh(&mut self) {
        for node in 0..self.nodes.len() {
            if self.scenario.fixed {
                self.links.ends(node).for_each(|end| self.links.set_mesh(end, true));
            } else {
                self.join(node);
            }
        }
    }

    /// The node joins after all with a smaller number: it grafts some of them, and those that lack
    /// peers graft it. There is no time yet: grafts are taken or refused at once.
    fn join(&mut self, node: u32) {
        self.graft_some(node, self.scenario.degree, |world, end| world.links.peer(end) < node);
        for end in self.links.ends(node) {
            let peer = self.links.peer(end);
            let Some(other) = self.links.find(peer, node).filter(|_| peer < node) else { continue };
            self.meet(peer, node);
            let wanted = self.links.in_mesh(end) || self.links.in_mesh(other);
            let room = self.links.mesh_count(peer) < self.scenario.high
                || self.links.dialled(other)
                || self.links.in_mesh(other);
            self.links.set_mesh(end, wanted && room);
            self.links.set_mesh(other, wanted && room);
        }
    }

    /// A peer that hears of a node which takes part, and lacks peers, grafts it.
    pub fn meet(&mut self, node: u32, newcomer: u32) {
        let Some(end) = self.links.find(node, newcomer) else { return };
        let lacks = self.links.mesh_count(node) < self.scenario.low;
        if lacks && !self.links.in_mesh(end) && !self.links.is_quiet(end, self.now()) {
            self.take(node, end);
        }
    }

    /// Takes a peer into the mesh and tells it.
    fn take(&mut self, node: u32, end: End) {
        self.links.set_mesh(end, true);
        if self.now().0 > 0 {
            let to = self.links.peer(end);
            self.counts.grafts += 1;
            self.send(node, to, Event::Graft { to, from: node });
        }
    }

    /// Drops a peer from the mesh and tells it.
    fn drop_from_mesh(&mut self, node: u32, end: End) {
        self.links.set_mesh(end, false);
        self.links.keep_quiet(end, self.now().plus(ticks(QUIET)));
        let to = self.links.peer(end);
        self.counts.prunes += 1;
        self.send(node, to, Event::Prune { to, from: node });
    }

    pub fn graft(&mut self, node: u32, from: u32) {
        let Some(end) = self.links.find(node, from).filter(|_| self.nodes.is_alive(node)) else {
            return;
        };
        if self.links.in_mesh(end) {
            return;
        }
        let full = self.links.mesh_count(node) >= self.scenario.high && !self.links.dialled(end);
        if full || self.links.is_quiet(end, self.now()) {
            self.drop_from_mesh(node, end);
        } else {
            self.links.set_mesh(end, true);
        }
    }

    pub fn prune(&mut self, node: u32, from: u32) {
        if let Some(end) = self.links.find(node, from) {
            self.links.set_mesh(end, false);
            self.links.keep_quiet(end, self.now().plus(ticks(QUIET)));
        }
    }

    /// The heartbeat of a node.
    pub fn beat(&mut self, node: u32) {
        if !self.nodes.is_alive(node) {
            return;
        }
        let now = self.now();
        self.nodes.set_beat(node, now);
        self.dial(node);
        self.repair(node);
        self.tell(node);
        self.wheel.schedule(now.plus(self.heartbeat), Event::Beat(node));
    }

    /// Brings the mesh back between `low` and `high`, with one peer in it that was dialled.
    fn repair(&mut self, node: u32) {
        let (low, degree, high) = (self.scenario.low, self.scenario.degree, self.scenario.high);
        let count = self.links.mesh_count(node);
        if count < low {
            self.graft_some(node, degree - count, |_, _| true);
        } else if count >= high && count > degree {
            self.prune_some(node, count - degree);
        }
        let has_dialled = |world: &Self| {
            world.links.ends(node).any(|end| world.links.in_mesh(end) && world.links.dialled(end))
        };
        if self.links.mesh_count(node) >= low && !has_dialled(self) {
            self.graft_some(node, 1, |world, end| world.links.dialled(end));
        }
    }

    /// Grafts up to `count` of the peers that may be.
    fn graft_some(&mut self, node: u32, count: usize, may: impl Fn(&Self, End) -> bool) {
        let now = self.now();
        self.choose(node, count, |world, end| {
            !world.links.in_mesh(end) && !world.links.is_quiet(end, now) && may(world, end)
        });
        for place in 0..self.choice.len() {
            self.take(node, self.choice[place]);
        }
    }

    fn prune_some(&mut self, node: u32, count: usize) {
        let in_mesh = |world: &Self, end: End| world.links.in_mesh(end);
        self.choose(node, usize::MAX, in_mesh);
        let mut dialled = self.choice.iter().filter(|end| self.links.dialled(**end)).count();
        let mut left = count;
        for place in 0..self.choice.len() {
            let end = self.choice[place];
            let last_dialled = self.links.dialled(end) && dialled <= 1;
            if left == 0 || last_dialled {
                continue;
            }
            dialled -= usize::from(self.links.dialled(end));
            left -= 1;
            self.drop_from_mesh(node, end);
        }
    }

    /// Fills `choice` with up to `count` links of the node that are `wanted`, by chance.
    pub fn choose(&mut self, node: u32, count: usize, wanted: impl Fn(&Self, End) -> bool) {
        let mut choice = std::mem::take(&mut self.choice);
        choice.clear();
        choice.extend(self.links.ends(node).filter(|end| wanted(self, *end)));
        let count = count.min(choice.len());
        for place in 0..count {
            let other = self.rng.random_range(place..choice.len());
            choice.swap(place, other);
        }
        choice.truncate(count);
        self.choice = choice;
    }
}
