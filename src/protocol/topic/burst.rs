//! Bursts: the topics written to so fast, or in messages so large, that the tree carrier serves
//! them better, and what waits to be gathered into batches for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use hashlink::LinkedHashMap;

use super::command::Envelope;
use super::config::TopicConfig;
use super::input::Bucket;
use crate::base::batch::{MAX_CONTEXTS, MAX_COUNT, MAX_GATHERED, Piece};
use crate::base::time::{Time, WallTime};
use crate::base::trace_context::TraceContext;

/// Most topics whose pace is known. (Guess; who writes on more writes slowly on each.)
const MAX_PACES: usize = 1_024;

/// A pace is a bucket with a hole: every message pours in one and its KiB, and so much runs out in
/// a second. (Measured: where the curves of the carriers cross, see ARCHITECTURE.md.)
const DRAIN_PER_S: f64 = 20.0;

/// What is in the bucket when a burst begins: so many small messages at once, or one of 16 KiB.
const BEGIN: f64 = 16.0;

/// How long a burst lasts on after its bucket was empty, so that a topic does not change its
/// carrier with every breath.
const LAST: Duration = Duration::from_secs(2);

/// How long messages are gathered behind those of their topic that just left. A batch costs some
/// 60 us at every node, most of it the signature, so a hundred messages in one are worth a
/// millisecond; and when so many just left together, the latency is that of a queue, and two.
const GATHER: Duration = Duration::from_millis(1);
const GATHER_MANY: Duration = Duration::from_millis(2);
const MANY: usize = 32;

/// So many messages, or bytes, do not wait for more. (Measured: batches of 60 KiB instead of 48
/// cost 5 % less a message of 1 KiB; 100 B, gathered for 2 ms instead of 1, 15 % less.)
const FULL_COUNT: usize = 128;
const FULL_BYTES: usize = 60 * 1024;

/// Topics in a burst, and what is to be sent of them.
#[derive(Debug)]
pub(crate) struct Bursts {
    paces: LinkedHashMap<String, Pace>,
    lines: BTreeMap<String, Line>,
    /// When each of them may leave.
    queue: BTreeSet<(Time, String)>,
    count: usize,
    bytes: usize,
    max: usize,
    max_bytes: usize,
    /// Most bytes of a batch: readers take none that is larger than the largest message.
    max_gathered: usize,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    level: f64,
    at: Time,
    until: Option<Time>,
    /// Until when messages are gathered behind those that left last.
    gather_until: Option<Time>,
}

/// What is gathered of a topic; the numbers follow one another.
#[derive(Debug)]
struct Line {
    bucket: Bucket,
    /// The number of the first.
    first: u64,
    messages: VecDeque<Gathered>,
    bytes: usize,
    due: Time,
}

/// A message on its way out, or a piece of one.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) sent: WallTime,
    pub(crate) payload: Bytes,
    pub(crate) piece: Option<Piece>,
    pub(crate) envelope: Envelope,
}

/// Messages for one batch.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) bucket: Bucket,
    /// The number of the first.
    pub(crate) first: u64,
    /// It is one piece of a message.
    pub(crate) piece: Option<Piece>,
    pub(crate) messages: Vec<(WallTime, Bytes)>,
    /// Whether one of them is to be compressed.
    pub(crate) compressed: bool,
    /// The trace contexts that some have: how-manyth from the first, and the context.
    pub(crate) contexts: Vec<(u32, TraceContext)>,
}

impl Bursts {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self {
            paces: LinkedHashMap::new(),
            lines: BTreeMap::new(),
            queue: BTreeSet::new(),
            count: 0,
            bytes: 0,
            max: config.max_waiting,
            max_bytes: config.max_waiting_bytes,
            max_gathered: MAX_GATHERED.min(config.max_message_bytes),
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
            self.paces.insert(
                topic.to_owned(),
                Pace { level: 0.0, at: now, until: None, gather_until: None },
            );
        }
        let Some(pace) = self.paces.to_back(topic) else { return false };
        pace.pour(now, poured)
    }

    /// Whether one more of this size may wait here.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.count < self.max && self.bytes.saturating_add(bytes) <= self.max_bytes
    }

    /// Adds the next message of a topic, or a piece of it.
    pub(crate) fn add(
        &mut self,
        now: Time,
        topic: &str,
        bucket: Bucket,
        number: u64,
        message: Gathered,
    ) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(message.payload.len());
        let mut line = match self.lines.remove(topic) {
            Some(line) => line,
            None => {
                let until = self.paces.get(topic).and_then(|pace| pace.gather_until);
                let due = until.map_or(now, |until| now.max(until));
                Line { bucket, first: number, messages: VecDeque::new(), bytes: 0, due }
            }
        };
        line.bytes = line.bytes.saturating_add(message.payload.len());
        line.messages.push_back(message);
        self.put(now, topic, line);
    }

    /// Puts a line into its place in the queue.
    fn put(&mut self, now: Time, topic: &str, mut line: Line) {
        let full = line.messages.len() >= FULL_COUNT || line.bytes >= FULL_BYTES;
        if full && line.due > now {
            self.queue.remove(&(line.due, topic.to_owned()));
            line.due = now;
        }
        if line.messages.len() == 1 || full {
            self.queue.insert((line.due, topic.to_owned()));
        }
        self.lines.insert(topic.to_owned(), line);
    }

    /// Whether the next message of the topic, with this number, follows on what is gathered.
    pub(crate) fn continues(&self, topic: &str, number: u64) -> bool {
        let end = |line: &Line| line.first.saturating_add(line.messages.len() as u64);
        self.lines.get(topic).is_none_or(|line| end(line) == number)
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
        let mut line = self.lines.remove(&topic)?;
        let run = line.take(self.max_gathered);
        let bytes: usize = run.messages.iter().map(|(_, payload)| payload.len()).sum();
        self.count = self.count.saturating_sub(run.messages.len());
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(pace) = self.paces.get_mut(&topic) {
            let many = run.messages.len() >= MANY;
            pace.gather_until = Some(now + if many { GATHER_MANY } else { GATHER });
        }
        if !line.messages.is_empty() {
            // It had its time; other topics go before it.
            line.due = now;
            self.queue.insert((now, topic.clone()));
            self.lines.insert(topic.clone(), line);
        }
        Some((topic, run))
    }
}

impl Line {
    /// The messages from the front that fit into one batch, one at least; a piece leaves alone.
    fn take(&mut self, max_bytes: usize) -> Run {
        let piece = self.messages.front().and_then(|message| message.piece);
        let (bucket, first) = (self.bucket, self.first);
        let count = if piece.is_some() { 1 } else { self.fits(max_bytes) };
        let (mut messages, mut contexts) = (Vec::with_capacity(count), Vec::new());
        let mut compressed = false;
        for (message, place) in self.messages.drain(..count.min(self.messages.len())).zip(0..) {
            let Envelope { compressed: packed, trace_context } = message.envelope;
            compressed |= packed;
            contexts.extend(trace_context.map(|context| (place, context)));
            messages.push((message.sent, message.payload));
        }
        let bytes: usize = messages.iter().map(|(_, payload)| payload.len()).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        self.first = self.first.saturating_add(messages.len() as u64);
        Run { bucket, first, piece, messages, compressed, contexts }
    }

    fn fits(&self, max_bytes: usize) -> usize {
        let (mut bytes, mut traced) = (0_usize, 0_usize);
        let fits = |message: &&Gathered| {
            bytes = bytes.saturating_add(message.payload.len());
            traced += usize::from(message.envelope.trace_context.is_some());
            message.piece.is_none() && bytes <= max_bytes && traced <= MAX_CONTEXTS
        };
        self.messages.iter().take(MAX_COUNT).take_while(fits).count().max(1)
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
