//! Bursts: the topics written to so fast, or in messages so large, that the tree carrier serves
//! them better, and what waits to be gathered into batches for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use hashlink::LinkedHashMap;

use super::config::TopicConfig;
use super::input::Bucket;
use crate::base::batch::{MAX_COUNT, MAX_GATHERED};
use crate::base::time::{Time, WallTime};

/// Most topics whose pace is known. (Guess; who writes on more writes slowly on each.)
const MAX_PACES: usize = 1_024;

/// A pace is a bucket with a hole: every message pours in one and its KiB, and so much runs out in
/// a second.
const DRAIN_PER_S: f64 = 100.0;

/// What is in the bucket when a burst begins: so many small messages at once, or one of 16 KiB.
const BEGIN: f64 = 16.0;

/// How long a burst lasts on after its bucket was empty, so that a topic does not change its
/// carrier with every breath.
const LAST: Duration = Duration::from_secs(2);

/// How long messages are gathered behind those of their topic that just left. A batch costs some
/// 60 us at every node, most of it the signature, so a hundred messages in one are worth a
/// millisecond.
const GATHER: Duration = Duration::from_millis(1);

/// So many messages, or bytes, do not wait for more.
const FULL_COUNT: usize = 128;
const FULL_BYTES: usize = 48 * 1024;

/// Topics in a burst, and what is to be sent of them.
#[derive(Debug)]
pub(crate) struct Bursts {
    paces: LinkedHashMap<String, Pace>,
    runs: BTreeMap<String, Run>,
    /// When each of them may leave.
    queue: BTreeSet<(Time, String)>,
    count: usize,
    bytes: usize,
    max: usize,
    max_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    level: f64,
    at: Time,
    until: Option<Time>,
    /// When messages left last.
    left: Option<Time>,
}

/// Messages of a topic that follow one another.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) bucket: Bucket,
    /// The number of the first.
    pub(crate) first: u64,
    pub(crate) messages: Vec<(WallTime, Bytes)>,
    bytes: usize,
    due: Time,
}

impl Bursts {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self {
            paces: LinkedHashMap::new(),
            runs: BTreeMap::new(),
            queue: BTreeSet::new(),
            count: 0,
            bytes: 0,
            max: config.max_waiting,
            max_bytes: config.max_waiting_bytes,
        }
    }

    /// Notes a message of the topic. True while the topic is in a burst.
    pub(crate) fn note(&mut self, now: Time, topic: &str, bytes: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "KiB of one message")]
        let poured = 1.0 + bytes as f64 / 1024.0;
        if !self.paces.contains_key(topic) {
            if self.paces.len() >= MAX_PACES {
                self.paces.pop_front();
            }
            self.paces
                .insert(topic.to_owned(), Pace { level: 0.0, at: now, until: None, left: None });
        }
        let Some(pace) = self.paces.to_back(topic) else { return false };
        pace.pour(now, poured)
    }

    /// Whether one more of this size may wait here.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.count < self.max && self.bytes.saturating_add(bytes) <= self.max_bytes
    }

    /// Adds the next message of a topic.
    pub(crate) fn add(
        &mut self,
        now: Time,
        topic: &str,
        bucket: Bucket,
        number: u64,
        (sent, payload): (WallTime, Bytes),
    ) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(payload.len());
        let mut run = match self.runs.remove(topic) {
            Some(run) => run,
            None => {
                let left = self.paces.get(topic).and_then(|pace| pace.left);
                let due = left.map_or(now, |left| now.max(left + GATHER));
                Run { bucket, first: number, messages: Vec::new(), bytes: 0, due }
            }
        };
        run.bytes = run.bytes.saturating_add(payload.len());
        run.messages.push((sent, payload));
        self.put(now, topic, run);
    }

    /// Puts a run into its place in the queue.
    fn put(&mut self, now: Time, topic: &str, mut run: Run) {
        let full = run.messages.len() >= FULL_COUNT || run.bytes >= FULL_BYTES;
        if full && run.due > now {
            self.queue.remove(&(run.due, topic.to_owned()));
            run.due = now;
        }
        if run.messages.len() == 1 || full {
            self.queue.insert((run.due, topic.to_owned()));
        }
        self.runs.insert(topic.to_owned(), run);
    }

    /// Whether the next message of the topic, with this number, follows on what is gathered.
    pub(crate) fn continues(&self, topic: &str, number: u64) -> bool {
        let end = |run: &Run| run.first.saturating_add(run.messages.len() as u64);
        self.runs.get(topic).is_none_or(|run| end(run) == number)
    }

    /// When something may leave next.
    pub(crate) fn due(&self) -> Option<Time> {
        self.queue.first().map(|(due, _)| *due)
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The next messages for one batch, if some may leave now.
    pub(crate) fn take(&mut self, now: Time) -> Option<(String, Run)> {
        self.due().filter(|due| *due <= now)?;
        let (_, topic) = self.queue.pop_first()?;
        let mut run = self.runs.remove(&topic)?;
        let count = fits(&run.messages);
        let rest = run.messages.split_off(count);
        let bytes: usize = run.messages.iter().map(|(_, payload)| payload.len()).sum();
        self.count = self.count.saturating_sub(count);
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(pace) = self.paces.get_mut(&topic) {
            pace.left = Some(now);
        }
        if !rest.is_empty() {
            let first = run.first.saturating_add(count as u64);
            let bytes = run.bytes.saturating_sub(bytes);
            // It had its time; other topics go before it.
            let due = now;
            self.queue.insert((due, topic.clone()));
            let rest = Run { bucket: run.bucket, first, messages: rest, bytes, due };
            self.runs.insert(topic.clone(), rest);
        }
        Some((topic, run))
    }
}

impl Pace {
    fn pour(&mut self, now: Time, amount: f64) -> bool {
        let passed = now.since(self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level - passed * DRAIN_PER_S).max(0.0) + amount;
        if self.level >= BEGIN {
            self.until = Some(now + LAST);
        } else if self.until.is_some_and(|until| until <= now) {
            self.until = None;
        }
        // More than that would only make a burst last longer.
        self.level = self.level.min(2.0 * BEGIN);
        self.until.is_some()
    }
}

/// How many messages from the front fit into one batch; at least one.
fn fits(messages: &[(WallTime, Bytes)]) -> usize {
    let mut bytes = 0_usize;
    let fits = |(_, payload): &&(WallTime, Bytes)| {
        bytes = bytes.saturating_add(payload.len());
        bytes <= MAX_GATHERED
    };
    messages.iter().take(MAX_COUNT).take_while(fits).count().max(1)
}
