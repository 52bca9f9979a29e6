//! Readers that are only just arriving: their card says what they read before the carrier knows
//! that they take part. What is published in between would pass them by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::input::Bucket;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// How long a linked reader has to take part in a bucket before messages go without it. (A few
/// round trips are enough; the rest is for a busy machine and for a way around the world.)
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// Who is linked, what of the carrier each takes part in, and who may still be arriving. As large
/// as the links and the buckets allow.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    joined: BTreeMap<NodeId, BTreeSet<Bucket>>,
    arriving: BTreeMap<NodeId, Time>,
}

impl Arrivals {
    pub(crate) fn linked(&mut self, now: Time, peer: NodeId) {
        self.joined.entry(peer).or_default();
        self.arriving.insert(peer, now + PATIENCE);
    }

    pub(crate) fn unlinked(&mut self, peer: NodeId) {
        self.joined.remove(&peer);
        self.arriving.remove(&peer);
    }

    pub(crate) fn joined(&mut self, peer: NodeId, bucket: Bucket) {
        if let Some(buckets) = self.joined.get_mut(&peer) {
            buckets.insert(bucket);
        }
    }

    pub(crate) fn parted(&mut self, peer: NodeId, bucket: Bucket) {
        if let Some(buckets) = self.joined.get_mut(&peer) {
            buckets.remove(&bucket);
        }
    }

    /// A card says that the node reads more than before.
    pub(crate) fn reads_more(&mut self, now: Time, node: NodeId) {
        if self.joined.contains_key(&node) {
            self.arriving.insert(node, now + PATIENCE);
        }
    }

    /// Linked nodes the carrier does not yet know to take part in a bucket, though they may be
    /// about to.
    pub(crate) fn awaited(&self, bucket: Bucket) -> impl Iterator<Item = &NodeId> {
        let has_joined = move |peer| self.joined.get(peer).is_some_and(|all| all.contains(&bucket));
        self.arriving.keys().filter(move |peer| !has_joined(*peer))
    }

    /// Forgets those who had their time. True when there was one.
    pub(crate) fn tick(&mut self, now: Time) -> bool {
        let before = self.arriving.len();
        self.arriving.retain(|_, until| now < *until);
        self.arriving.len() < before
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.arriving.values().min().copied()
    }
}
