//! Readers that are only just arriving: their card says what they read before the carrier knows
//! that they take part. What is published in between would pass them by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bounded::Bounded;
use super::input::Bucket;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// How long a linked reader has to take part in a bucket before messages go without it. (A few
/// round trips are enough; the rest is for a busy machine and for a way around the world.)
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// How long it takes until patience that was used is there again: a node that never takes part, and
/// says again and again that it is about to, holds messages up for 1 s at first, and then for a
/// thirtieth of the time. One that does take part uses a few milliseconds.
pub(crate) const RECOVERY: Duration = Duration::from_secs(30);

/// How many times longer it takes to regain patience than to use it.
const PRICE: u32 = (RECOVERY.as_secs() / PATIENCE.as_secs()) as u32;

/// Most nodes whose used patience is remembered. (Guess: far above the links of a node.)
const MAX_USED: usize = 4_096;

/// Who is linked, what of the carrier each takes part in, and who may still be arriving. As large
/// as the links and the buckets allow.
#[derive(Debug)]
pub(crate) struct Arrivals {
    joined: BTreeMap<NodeId, BTreeSet<Bucket>>,
    arriving: BTreeMap<NodeId, Arriving>,
    /// What was left of the patience with a node, and when. Also of nodes that are not linked any
    /// more, so that a new link does not renew it.
    left: Bounded<NodeId, (Duration, Time)>,
}

/// A node that says it reads in these buckets.
#[derive(Debug)]
struct Arriving {
    buckets: BTreeSet<Bucket>,
    until: Time,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self {
            joined: BTreeMap::new(),
            arriving: BTreeMap::new(),
            // After this time the patience is whole again.
            left: Bounded::new(MAX_USED, RECOVERY),
        }
    }

    /// A node is linked, whose card says that it reads in these buckets.
    pub(crate) fn linked(&mut self, now: Time, peer: NodeId, buckets: BTreeSet<Bucket>) {
        self.joined.entry(peer).or_default();
        self.reads_more(now, peer, buckets);
    }

    pub(crate) fn unlinked(&mut self, now: Time, peer: NodeId) {
        self.joined.remove(&peer);
        self.end(now, peer);
    }

    pub(crate) fn joined(&mut self, now: Time, peer: NodeId, bucket: Bucket) {
        if let Some(buckets) = self.joined.get_mut(&peer) {
            buckets.insert(bucket);
        }
        if let Some(arriving) = self.arriving.get_mut(&peer)
            && arriving.buckets.remove(&bucket)
            && arriving.buckets.is_empty()
        {
            self.end(now, peer);
        }
    }

    pub(crate) fn parted(&mut self, peer: NodeId, bucket: Bucket) {
        if let Some(buckets) = self.joined.get_mut(&peer) {
            buckets.remove(&bucket);
        }
    }

    /// A card says that the node reads more than before, in these buckets. Who is arriving gets no
    /// further time for it.
    pub(crate) fn reads_more(&mut self, now: Time, node: NodeId, mut buckets: BTreeSet<Bucket>) {
        let Some(joined) = self.joined.get(&node) else { return };
        buckets.retain(|bucket| !joined.contains(bucket));
        let patience = self.patience(now, &node);
        if let Some(arriving) = self.arriving.get_mut(&node) {
            arriving.buckets.extend(buckets);
        } else if !buckets.is_empty() && !patience.is_zero() {
            self.arriving.insert(node, Arriving { buckets, until: now + patience });
        }
    }

    /// Linked nodes the carrier does not yet know to take part in a bucket, though they may be
    /// about to.
    pub(crate) fn awaited(&self, bucket: Bucket) -> impl Iterator<Item = &NodeId> {
        let awaited = move |(_, arriving): &(_, &Arriving)| arriving.buckets.contains(&bucket);
        self.arriving.iter().filter(awaited).map(|(node, _)| node)
    }

    /// Linked nodes that take part in a bucket.
    pub(crate) fn taking_part(&self, bucket: Bucket) -> impl Iterator<Item = &NodeId> {
        let part = move |(_, buckets): &(_, &BTreeSet<Bucket>)| buckets.contains(&bucket);
        self.joined.iter().filter(part).map(|(node, _)| node)
    }

    /// Forgets those who had their time. True when there was one.
    pub(crate) fn tick(&mut self, now: Time) -> bool {
        let due = |(_, arriving): &(_, &Arriving)| arriving.until <= now;
        let due: Vec<NodeId> = self.arriving.iter().filter(due).map(|(node, _)| *node).collect();
        for node in &due {
            self.end(now, *node);
        }
        !due.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.arriving.values().map(|arriving| arriving.until).min()
    }

    /// How long this node may be waited for by now.
    fn patience(&self, now: Time, node: &NodeId) -> Duration {
        self.left
            .get(node)
            .map_or(PATIENCE, |(left, at)| PATIENCE.min(*left + now.since(*at) / PRICE))
    }

    /// It arrived, it is gone, or its time is over.
    fn end(&mut self, now: Time, node: NodeId) {
        if let Some(arriving) = self.arriving.remove(&node) {
            self.left.insert(now, node, (arriving.until.since(now), now));
        }
    }
}
