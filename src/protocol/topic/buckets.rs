//! Which buckets of the carrier this node takes part in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::input::Bucket;
use super::output::Output;
use crate::base::machine::Outbox;
use crate::base::pattern::is_pattern;
use crate::base::time::Time;

/// How long a bucket stays joined after the last publish in it. (Guess: joining costs every
/// neighbour a message, and who wrote once will write again.)
pub(crate) const WRITE_FOR: Duration = Duration::from_secs(60);

/// The buckets joined, and why.
#[derive(Debug)]
pub(crate) struct Buckets {
    count: u16,
    relay_all: bool,
    joined: BTreeSet<Bucket>,
    /// How many topics and patterns are read here in the bucket.
    read: BTreeMap<Bucket, usize>,
    /// Until when it is joined because of a publish.
    written: BTreeMap<Bucket, Time>,
}

impl Buckets {
    pub(crate) fn new(count: u16, relay_all: bool) -> Self {
        Self {
            count: count.max(1),
            relay_all,
            joined: BTreeSet::new(),
            read: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    /// The bucket of a topic: the same on every node with the same number of buckets.
    pub(crate) fn of(&self, topic: &str) -> Bucket {
        let hash = blake3::hash(topic.as_bytes());
        let [a, b, c, d, ..] = *hash.as_bytes();
        let slot = u32::from_be_bytes([a, b, c, d]) % u32::from(self.count);
        // The remainder of a u16 is a u16.
        Bucket(u16::try_from(slot).unwrap_or_default())
    }

    /// The buckets that the topics of a name are in: all of them, for a pattern.
    pub(crate) fn of_readable(&self, name: &str) -> Vec<Bucket> {
        if is_pattern(name) { (0..self.count).map(Bucket).collect() } else { vec![self.of(name)] }
    }

    /// The first outputs of a life.
    pub(crate) fn start(&mut self, out: &mut Outbox<Output>) {
        if self.relay_all {
            for bucket in (0..self.count).map(Bucket) {
                self.join(bucket, out);
            }
        }
    }

    /// A topic of the bucket is read here from now on.
    pub(crate) fn read(&mut self, bucket: Bucket, out: &mut Outbox<Output>) {
        *self.read.entry(bucket).or_default() += 1;
        self.join(bucket, out);
    }

    /// A topic of the bucket is not read here any more.
    pub(crate) fn unread(&mut self, bucket: Bucket, out: &mut Outbox<Output>) {
        if let Some(topics) = self.read.get_mut(&bucket) {
            *topics = topics.saturating_sub(1);
            if *topics == 0 {
                self.read.remove(&bucket);
            }
        }
        self.leave_if_idle(bucket, out);
    }

    /// Something is published in the bucket.
    pub(crate) fn write(&mut self, now: Time, bucket: Bucket, out: &mut Outbox<Output>) {
        self.written.insert(bucket, now + WRITE_FOR);
        self.join(bucket, out);
    }

    /// Leaves what nobody writes any more. A bucket with messages that wait stays joined.
    pub(crate) fn tick(
        &mut self,
        now: Time,
        waits: impl Fn(Bucket) -> bool,
        out: &mut Outbox<Output>,
    ) {
        let due = |until: &Time| *until <= now;
        let over: Vec<_> =
            self.written.iter().filter(|(_, until)| due(until)).map(|(b, _)| *b).collect();
        for bucket in over {
            if waits(bucket) {
                self.written.insert(bucket, now + WRITE_FOR);
            } else {
                self.written.remove(&bucket);
                self.leave_if_idle(bucket, out);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.written.values().min().copied()
    }

    fn join(&mut self, bucket: Bucket, out: &mut Outbox<Output>) {
        if self.joined.insert(bucket) {
            out.push(Output::Join(bucket));
        }
    }

    fn leave_if_idle(&mut self, bucket: Bucket, out: &mut Outbox<Output>) {
        let busy =
            self.relay_all || self.read.contains_key(&bucket) || self.written.contains_key(&bucket);
        if !busy && self.joined.remove(&bucket) {
            out.push(Output::Leave(bucket));
        }
    }
}
