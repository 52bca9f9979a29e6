//! Other nodes: linked or not, and what they read.

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
        self.greet(now, peer, out);
        self.catch_ups.links(now, self.linked.len());
        self.catch_up(now, out);
        self.try_lanes(None, out);
    }

    pub(super) fn unlink(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        self.linked.remove(&peer);
        self.arrivals.unlinked(now, peer);
        self.catch_ups.links(now, self.linked.len());
        self.try_lanes(None, out);
    }
}
