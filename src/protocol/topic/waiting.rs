//! What is on its way out: messages that wait for a first reader, and those at the carrier.
//!
//! Every topic has a lane. A lane sends its first message alone; when the carrier took it the lane
//! flows and the rest follows at once. What the carrier returns goes back to its place.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use super::config::TopicConfig;
use super::input::{Bucket, Carried};
use super::output::{Notice, Output};
use super::wire::MessageId;
use crate::base::batch::Batch;
use crate::base::machine::{Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

/// How often lanes are tried again that have readers and no peers. (Guess: `Joined`, `Linked` and
/// new readers try at once; this is for whatever none of them tells.)
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// How soon a lane is tried again after the queues to all peers were full. (Guess: a queue of
/// thousands empties in about a second; this is often enough that it does not run dry.)
pub(crate) const RETRY_FULL: Duration = Duration::from_millis(50);

/// Most messages of a lane at the carrier at once, of those that had waited: when it takes no more,
/// no more than these were signed in vain. (Guess.)
const MAX_FLYING: usize = 64;

/// One message on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) id: MessageId,
    pub(crate) bucket: Bucket,
    pub(crate) batch: Arc<Batch>,
    pub(crate) relays: NonZeroU8,
    pub(crate) accepted: Time,
    /// Whether it may wait. What comes in at the door may not, or strangers could fill the outbox.
    pub(crate) may_wait: bool,
    /// Whether it waits only as long as its topic is read by somebody.
    pub(crate) if_read: bool,
    /// It had to wait.
    pub(crate) waited: bool,
}

/// A message that is out of the carrier's hands.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) topic: String,
    /// It, when the carrier took it and it had waited before.
    pub(crate) left: Option<Arc<Batch>>,
}

/// Every parcel has a ticket; tickets rise in the order of acceptance.
#[derive(Debug)]
pub(crate) struct Waiting {
    max: usize,
    max_bytes: usize,
    wait_for: Duration,
    queued: BTreeMap<u64, Parcel>,
    bytes: usize,
    lanes: BTreeMap<String, Lane>,
    flights: BTreeMap<u64, Flight>,
    broadcasts: BTreeMap<Token, u64>,
    last_ticket: u64,
    retry: Option<Time>,
}

/// A lane exists while something of its topic waits or flies.
#[derive(Debug, Default)]
struct Lane {
    queue: BTreeSet<u64>,
    flying: usize,
    flowing: bool,
}

#[derive(Debug)]
struct Flight {
    parcel: Parcel,
    /// Broadcasts of it whose outcome is not known.
    open: usize,
    /// The best outcome so far.
    best: Carried,
}

impl Waiting {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self {
            max: config.max_waiting,
            max_bytes: config.max_waiting_bytes,
            wait_for: config.wait_for,
            queued: BTreeMap::new(),
            bytes: 0,
            lanes: BTreeMap::new(),
            flights: BTreeMap::new(),
            broadcasts: BTreeMap::new(),
            last_ticket: 0,
            retry: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queued.len()
    }

    /// Whether one more message of the topic goes out at once.
    pub(crate) fn is_free(&self, topic: &str, has_readers: bool) -> bool {
        has_readers && self.lanes.get(topic).is_none_or(|l| l.queue.is_empty() && l.flowing)
    }

    /// Whether something of the topic is at the carrier right now.
    pub(crate) fn is_flying(&self, topic: &str) -> bool {
        self.lanes.get(topic).is_some_and(|lane| lane.flying > 0)
    }

    /// Whether something of the topic waits.
    pub(crate) fn is_queued(&self, topic: &str) -> bool {
        self.lanes.get(topic).is_some_and(|lane| !lane.queue.is_empty())
    }

    /// Whether one more of this size may wait.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.queued.len() < self.max && self.bytes.saturating_add(bytes) <= self.max_bytes
    }

    /// Whether one more of this size leaves half of the outbox to others.
    pub(crate) fn has_half_the_room(&self, bytes: usize) -> bool {
        self.queued.len() < self.max / 2 && self.bytes.saturating_add(bytes) <= self.max_bytes / 2
    }

    /// Whether something of the bucket is on its way out.
    pub(crate) fn waits_in(&self, bucket: Bucket) -> bool {
        self.queued.values().any(|parcel| parcel.bucket == bucket)
    }

    /// The topics with something that waits, of one bucket or of all.
    pub(crate) fn topics(&self, bucket: Option<Bucket>) -> BTreeSet<String> {
        let wanted = |p: &&Parcel| bucket.is_none_or(|bucket| p.bucket == bucket);
        self.queued.values().filter(wanted).map(|parcel| parcel.id.topic.clone()).collect()
    }

    /// Takes a message: to the carrier when its lane is free, else to the end of the queue. The
    /// caller has asked whether there is room.
    pub(crate) fn accept(
        &mut self,
        parcel: Parcel,
        has_readers: bool,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        let free = self.is_free(&parcel.id.topic, has_readers);
        self.last_ticket += 1;
        if free {
            self.send(self.last_ticket, parcel, tokens, out);
        } else {
            self.enqueue(self.last_ticket, parcel);
        }
    }

    /// Tries a lane that has readers: sends its first message, if nothing of it is flying.
    pub(crate) fn try_lane(&mut self, topic: &str, tokens: &mut Tokens, out: &mut Outbox<Output>) {
        let Some(lane) = self.lanes.get(topic).filter(|lane| lane.flying == 0) else { return };
        if let Some(ticket) = lane.queue.first().copied() {
            self.dequeue_and_send(ticket, topic, tokens, out);
        }
    }

    /// Takes what became of a broadcast. The message whose lane has to go on, if any.
    pub(crate) fn carried(
        &mut self,
        now: Time,
        token: Token,
        outcome: Carried,
        out: &mut Outbox<Output>,
    ) -> Option<Landed> {
        let ticket = self.broadcasts.remove(&token)?;
        let flight = self.flights.get_mut(&ticket)?;
        flight.open = flight.open.saturating_sub(1);
        flight.best = better(flight.best, outcome);
        if flight.open > 0 {
            return None;
        }
        let Flight { parcel, best, .. } = self.flights.remove(&ticket)?;
        let topic = parcel.id.topic.clone();
        if let Some(lane) = self.lanes.get_mut(&topic) {
            lane.flying = lane.flying.saturating_sub(1);
            lane.flowing = !matches!(best, Carried::NoPeers | Carried::QueuesFull);
        }
        let mut left = None;
        match best {
            Carried::Out => left = parcel.waited.then_some(parcel.batch),
            Carried::NoPeers | Carried::QueuesFull
                if parcel.may_wait && self.has_room(parcel.batch.wire().len()) =>
            {
                let wait = if best == Carried::QueuesFull { RETRY_FULL } else { RETRY };
                self.retry = earliest(self.retry, Some(now + wait));
                self.enqueue(ticket, parcel);
            }
            _ => out.push(Output::Notice(Notice::NotSent { id: parcel.id })),
        }
        self.drop_if_idle(&topic);
        Some(Landed { topic, left })
    }

    /// Sends on from the queue of a lane that flows; what comes back moves the rest.
    pub(crate) fn flow(&mut self, topic: &str, tokens: &mut Tokens, out: &mut Outbox<Output>) {
        let Some(lane) = self.lanes.get(topic).filter(|lane| lane.flowing) else { return };
        let room = MAX_FLYING.saturating_sub(lane.flying);
        for ticket in lane.queue.iter().copied().take(room).collect::<Vec<_>>() {
            self.dequeue_and_send(ticket, topic, tokens, out);
        }
    }

    /// Drops what was only for readers of topics that nobody reads any more, and tells so.
    pub(crate) fn drop_unread(&mut self, is_read: impl Fn(&str) -> bool, out: &mut Outbox<Output>) {
        let lost = |parcel: &Parcel| parcel.if_read && !is_read(&parcel.id.topic);
        let lost = self.queued.iter().filter(|(_, parcel)| lost(parcel)).map(|(at, _)| *at);
        for ticket in lost.collect::<Vec<_>>() {
            let Some(parcel) = self.queued.remove(&ticket) else { continue };
            self.unqueue(ticket, &parcel);
            self.drop_if_idle(&parcel.id.topic);
            out.push(Output::Notice(Notice::Unread { id: parcel.id }));
        }
    }

    /// Drops what waited too long and tells so. True when the lanes should be tried again.
    pub(crate) fn tick(&mut self, now: Time, out: &mut Outbox<Output>) -> bool {
        while let Some(entry) = self.queued.first_entry()
            && entry.get().accepted + self.wait_for <= now
        {
            let (ticket, parcel) = entry.remove_entry();
            self.unqueue(ticket, &parcel);
            self.drop_if_idle(&parcel.id.topic);
            out.push(Output::Notice(Notice::Unread { id: parcel.id }));
        }
        let retry = self.retry.is_some_and(|at| at <= now);
        if retry {
            self.retry = None;
        }
        retry
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let oldest = self.queued.values().next().map(|parcel| parcel.accepted + self.wait_for);
        earliest(oldest, self.retry)
    }

    fn enqueue(&mut self, ticket: u64, parcel: Parcel) {
        self.bytes = self.bytes.saturating_add(parcel.batch.wire().len());
        self.lanes.entry(parcel.id.topic.clone()).or_default().queue.insert(ticket);
        self.queued.insert(ticket, Parcel { waited: true, ..parcel });
    }

    fn unqueue(&mut self, ticket: u64, parcel: &Parcel) {
        self.bytes = self.bytes.saturating_sub(parcel.batch.wire().len());
        if let Some(lane) = self.lanes.get_mut(&parcel.id.topic) {
            lane.queue.remove(&ticket);
        }
    }

    fn dequeue_and_send(
        &mut self,
        ticket: u64,
        topic: &str,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        if let Some(parcel) = self.queued.remove(&ticket) {
            debug_assert_eq!(parcel.id.topic, topic, "a ticket is in the lane of its topic");
            self.unqueue(ticket, &parcel);
            self.send(ticket, parcel, tokens, out);
        }
    }

    fn send(&mut self, ticket: u64, parcel: Parcel, tokens: &mut Tokens, out: &mut Outbox<Output>) {
        let open = usize::from(parcel.relays.get());
        for _ in 0..open {
            let token = tokens.next();
            self.broadcasts.insert(token, ticket);
            let frame = parcel.batch.wire().clone();
            out.push(Output::Broadcast { token, bucket: parcel.bucket, frame });
        }
        self.lanes.entry(parcel.id.topic.clone()).or_default().flying += 1;
        self.flights.insert(ticket, Flight { parcel, open, best: Carried::NoPeers });
    }

    fn drop_if_idle(&mut self, topic: &str) {
        if self.lanes.get(topic).is_some_and(|lane| lane.queue.is_empty() && lane.flying == 0) {
            self.lanes.remove(topic);
        }
    }
}

/// Of several broadcasts of one message the best outcome counts.
fn better(a: Carried, b: Carried) -> Carried {
    let rank = |outcome| match outcome {
        Carried::Out => 3,
        Carried::QueuesFull => 2,
        Carried::Refused => 1,
        Carried::NoPeers => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}
