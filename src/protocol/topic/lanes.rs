//! When what waits in the lanes of topics is tried.

use super::input::{Bucket, Carried};
use super::machine::TopicMachine;
use super::output::Output;
use super::waiting::Landed;
use super::wire::Feed;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::pattern::is_pattern;
use crate::base::time::Time;
use crate::base::token::Token;

impl TopicMachine {
    /// Takes what became of a broadcast, and goes on with its topic.
    pub(super) fn carried(
        &mut self,
        now: Time,
        token: Token,
        outcome: Carried,
        out: &mut Outbox<Output>,
    ) {
        let Some(Landed { topic, left }) = self.waiting.carried(now, token, outcome, out) else {
            return;
        };
        if let Some(batch) = left {
            // From now on others can miss it, and ask for it.
            let feed = Feed::of(batch.head());
            self.digests.renew(now, &feed, batch.end());
            self.own.keep(now, &feed, &batch);
        }
        if self.may_go(&topic) {
            self.waiting.flow(&topic, &mut self.tokens, out);
        }
    }

    /// Tries the lanes of a bucket, or all, that have readers.
    pub(super) fn try_lanes(&mut self, bucket: Option<Bucket>, out: &mut Outbox<Output>) {
        for topic in self.waiting.topics(bucket) {
            self.try_lane(&topic, out);
        }
    }

    /// Whether a message of the topic finds its readers now: there is one, and none is only just
    /// arriving.
    pub(super) fn may_go(&self, topic: &str) -> bool {
        let bucket = self.buckets.of(topic);
        self.readers.any(topic) && !self.awaited(bucket).any(|node| self.readers.reads(node, topic))
    }

    /// Neighbours the carrier does not yet know to take part in a bucket.
    fn awaited(&self, bucket: Bucket) -> impl Iterator<Item = &NodeId> {
        self.arrivals.awaited(bucket).filter(|node| self.neighbours().contains(node))
    }

    /// Tries the lanes that readers of a name may have become readers of.
    pub(super) fn try_readable(&mut self, name: &str, out: &mut Outbox<Output>) {
        if is_pattern(name) { self.try_lanes(None, out) } else { self.try_lane(name, out) }
    }

    /// Tries the lane of a topic, if it has readers.
    pub(super) fn try_lane(&mut self, topic: &str, out: &mut Outbox<Output>) {
        if self.may_go(topic) {
            self.waiting.try_lane(topic, &mut self.tokens, out);
        }
    }
}
