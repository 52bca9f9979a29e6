//! Other nodes: linked or not, neighbours or not, and what they read.

use std::collections::BTreeSet;

use super::machine::TopicMachine;
use super::output::Output;
use crate::base::group::Interests;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl TopicMachine {
    pub(super) fn reads(
        &mut self,
        now: Time,
        node: NodeId,
        topics: Interests,
        out: &mut Outbox<Output>,
    ) {
        if node == self.me {
            return;
        }
        let new = self.readers.set(node, topics);
        let buckets = new.iter().flat_map(|name| self.buckets.of_readable(name)).collect();
        self.arrivals.reads_more(now, node, buckets);
        for name in &new {
            self.try_readable(name, out);
        }
        self.regroup(now, &node, &new, out);
        self.waiting.drop_unread(|topic| self.readers.any(topic), out);
        let readers = &self.readers;
        self.receipts.forget(&node, |topic| readers.reads(&node, topic), out);
        self.catch_up(now, out);
    }

    pub(super) fn link(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.linked.insert(peer);
        let names = self.readers.names(&peer);
        let buckets = names.flat_map(|name| self.buckets.of_readable(name)).collect();
        self.arrivals.linked(now, peer, buckets);
        if !self.config.relay_all {
            self.meet(now, peer, out);
        }
    }

    pub(super) fn unlink(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.linked.remove(&peer);
        self.edges.remove(&peer);
        self.arrivals.unlinked(now, peer);
        self.part(now, out);
    }

    /// In a fixed graph topics travel over the link with a peer from now on, or no more.
    pub(super) fn neighbour(
        &mut self,
        now: Time,
        peer: NodeId,
        joined: bool,
        out: &mut Outbox<Output>,
    ) {
        if !joined {
            self.edges.remove(&peer);
            self.part(now, out);
        } else if self.linked.contains(&peer) && self.edges.insert(peer) {
            self.meet(now, peer, out);
        }
    }

    /// The linked nodes that topics travel to. In a fixed graph members that watch each other are
    /// linked as well: over those links nothing is told of topics, or they would become edges.
    pub(super) fn neighbours(&self) -> &BTreeSet<NodeId> {
        if self.config.relay_all { &self.edges } else { &self.linked }
    }

    /// There is one neighbour more.
    fn meet(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.greet(now, peer, out);
        self.catch_ups.links(now, self.neighbours().len());
        self.catch_up(now, out);
        self.try_lanes(None, out);
    }

    /// There is one neighbour less.
    fn part(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.catch_ups.links(now, self.neighbours().len());
        self.try_lanes(None, out);
    }
}
