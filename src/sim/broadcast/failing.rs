//! Nodes that crash and come back, and links that replace the lost ones.

use std::time::Duration;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::tick::ticks;
use super::world::{Event, World};

/// Dials of a node per heartbeat, as `discovery.max_dials`.
const MAX_DIALS: usize = 16;

/// Nodes looked at for one dial.
const TRIES: usize = 256;

impl World<'_> {
    /// A share of all nodes crashes for good.
    pub fn kill(&mut self) {
        let mut nodes: Vec<u32> = self.nodes.live().collect();
        nodes.shuffle(&mut self.rng);
        let killed = (self.scenario.kill * f64::from(self.nodes.len())) as usize;
        for node in nodes.into_iter().skip(1).take(killed) {
            self.crash(node);
        }
    }

    fn crash(&mut self, node: u32) {
        self.nodes.crash(node);
        let known = self.now().plus(ticks(self.scenario.detect));
        self.wheel.schedule(known, Event::Bury(node));
    }

    /// All know of the crash: the links are gone.
    pub fn bury(&mut self, node: u32) {
        self.nodes.bury(node);
        self.links.unlink_all(node);
    }

    /// One node crashes and will come back; the next crash is planned.
    pub fn churn(&mut self) {
        let node = self.rng.random_range(0..self.nodes.len());
        if self.nodes.is_alive(node) && self.nodes.live().nth(1).is_some() {
            self.crash(node);
            let back = self.now().plus(ticks(self.scenario.downtime));
            self.wheel.schedule(back, Event::Return(node));
        }
        let per_second = self.scenario.churn * f64::from(self.nodes.len());
        // The pauses of events that come independently of each other.
        let pause = -(1.0 - self.rng.random::<f64>()).ln() / per_second;
        let pause = Duration::try_from_secs_f64(pause).unwrap_or_default();
        self.wheel.schedule(self.now().plus(ticks(pause)), Event::Churn);
    }

    /// A node starts again: it knows nothing of before and links anew. Peers
    /// graft it, and it grafts peers, until it has `low` of them; heartbeats do the rest.
    pub fn come_back(&mut self, node: u32) {
        self.nodes.start(node, self.now());
        self.held.forget(node);
        while self.links.count(node) < self.links_wanted() && self.dial_one(node) {}
        let first = self.now().plus(1 + self.rng.random_range(0..self.heartbeat));
        self.wheel.schedule(first, Event::Beat(node));
    }

    /// Dials others while there are too few links.
    pub fn dial(&mut self, node: u32) {
        if self.scenario.kill == 0.0 && self.scenario.churn == 0.0 {
            // Nothing is lost, so the graph stays as it was drawn.
            return;
        }
        let missing = self.links_wanted().saturating_sub(self.links.count(node));
        for _ in 0..missing.min(MAX_DIALS) {
            self.dial_one(node);
        }
    }

    fn links_wanted(&self) -> usize {
        self.scenario.links.min(self.links.capacity()).min(self.nodes.len() as usize - 1)
    }

    /// Dials one node that nobody knows to be dead. Nothing comes of it when it is dead indeed.
    fn dial_one(&mut self, node: u32) -> bool {
        for _ in 0..TRIES {
            let peer = self.rng.random_range(0..self.nodes.len());
            if self.nodes.is_buried(peer) {
                continue;
            }
            if !self.nodes.is_alive(peer) {
                return false;
            }
            if self.links.link(node, peer) {
                // Both hear what the other takes part in.
                self.meet(node, peer);
                self.meet(peer, node);
                return true;
            }
        }
        false
    }
}
