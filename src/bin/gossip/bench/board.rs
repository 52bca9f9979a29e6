//! Who has what, and when it came: written by all receivers at once, without a lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::letter::NO_PART;
use super::plan::Plan;

/// The messages of one run, and where each has arrived.
#[derive(Debug)]
pub struct Board {
    start: Instant,
    /// The first number whose latency is measured, and how many they are.
    first_probe: u64,
    probes: u64,
    /// When each probe was sent.
    sent: Vec<AtomicU64>,
    /// At how many receivers each message is.
    at: Vec<AtomicU32>,
    receivers: Vec<Receiver>,
    /// How many receivers a message is for.
    each: usize,
    authors: u64,
    delivered: AtomicU64,
    everywhere: AtomicU64,
    duplicates: AtomicU64,
    corrupt: AtomicU64,
    out_of_order: AtomicU64,
    changed: Notify,
}

/// What one subscription got.
#[derive(Debug)]
struct Receiver {
    /// A bit per message.
    has: Vec<AtomicU64>,
    /// One above the highest number that came, by author.
    next: Vec<AtomicU64>,
    /// Nanoseconds from sending to coming, of each probe; 0 for what has not come.
    latencies: Vec<AtomicU64>,
}

impl Board {
    /// An empty board for this plan.
    pub fn new(plan: &Plan) -> Self {
        let many = |count: u64| (0..count).map(|_| AtomicU64::new(0)).collect();
        let receiver = || Receiver {
            has: many(plan.total().div_ceil(64)),
            next: many(plan.authors),
            latencies: many(plan.probes),
        };
        Self {
            start: now(),
            first_probe: plan.probe_numbers().start,
            probes: plan.probes,
            sent: many(plan.probes),
            at: (0..plan.total()).map(|_| AtomicU32::new(0)).collect(),
            receivers: (0..plan.subscriptions).map(|_| receiver()).collect(),
            each: plan.receivers,
            authors: plan.authors.max(1),
            delivered: AtomicU64::new(0),
            everywhere: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            corrupt: AtomicU64::new(0),
            out_of_order: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    /// A message is handed to its author now.
    pub fn sending(&self, number: u64) {
        if let Some(sent) = self.probe(number).and_then(|probe| self.sent.get(probe)) {
            sent.store(self.elapsed(), Ordering::Release);
        }
    }

    /// A receiver got a message: its number, or `None` when it is not what was sent.
    pub fn received(&self, receiver: usize, number: Option<u64>) {
        if number == Some(NO_PART) {
            return;
        }
        let found = number.and_then(|number| {
            let at = self.at.get(usize::try_from(number).ok()?)?;
            Some((number, at, self.receivers.get(receiver)?))
        });
        let Some((number, at, receiver)) = found else {
            self.corrupt.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if !receiver.takes(number) {
            self.duplicates.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let author = usize::try_from(number % self.authors).ok();
        let next = author.and_then(|author| receiver.next.get(author));
        if next.is_some_and(|next| next.fetch_max(number + 1, Ordering::Relaxed) > number) {
            self.out_of_order.fetch_add(1, Ordering::Relaxed);
        }
        self.note_latency(receiver, number);
        self.delivered.fetch_add(1, Ordering::AcqRel);
        let count = at.fetch_add(1, Ordering::AcqRel) + 1;
        if usize::try_from(count).is_ok_and(|count| count == self.each) {
            self.everywhere.fetch_add(1, Ordering::AcqRel);
            self.changed.notify_one();
        }
    }

    fn note_latency(&self, receiver: &Receiver, number: u64) {
        let Some(probe) = self.probe(number) else { return };
        if let (Some(sent), Some(latency)) = (self.sent.get(probe), receiver.latencies.get(probe)) {
            let took = self.elapsed().saturating_sub(sent.load(Ordering::Acquire));
            latency.store(took.max(1), Ordering::Release);
        }
    }

    /// Waits until another message is everywhere, at most so long. One waits at a time.
    pub async fn changes(&self, at_most: Duration) {
        // Whether it came or the time is up, the caller looks for itself.
        let _ = tokio::time::timeout(at_most, self.changed.notified()).await;
    }

    /// Deliveries so far: messages times receivers, each once.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Acquire)
    }

    /// Messages that all receivers have.
    pub fn everywhere(&self) -> u64 {
        self.everywhere.load(Ordering::Acquire)
    }

    /// Deliveries of a message to a receiver that had it.
    pub fn duplicates(&self) -> u64 {
        self.duplicates.load(Ordering::Relaxed)
    }

    /// Deliveries that are nothing that was sent.
    pub fn corrupt(&self) -> u64 {
        self.corrupt.load(Ordering::Relaxed)
    }

    /// Deliveries after one with a higher number.
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order.load(Ordering::Relaxed)
    }

    /// Nanoseconds from sending to coming, of every delivery of a probe.
    pub fn latencies(&self) -> Vec<u64> {
        let all = self.receivers.iter().flat_map(|receiver| &receiver.latencies);
        all.map(|latency| latency.load(Ordering::Acquire)).filter(|&took| took > 0).collect()
    }

    /// Nanoseconds from sending to the last receiver, of every probe that all receivers have.
    pub fn last_latencies(&self) -> Vec<u64> {
        let probes = 0..usize::try_from(self.probes).unwrap_or_default();
        let of = |probe: usize| {
            let all = self.receivers.iter().filter_map(|receiver| receiver.latencies.get(probe));
            let took = all.map(|latency| latency.load(Ordering::Acquire));
            let came: Vec<u64> = took.filter(|took| *took > 0).collect();
            if came.len() == self.each { came.into_iter().max() } else { None }
        };
        probes.filter_map(of).collect()
    }

    /// Which probe a message is, if any.
    fn probe(&self, number: u64) -> Option<usize> {
        let probe = number.checked_sub(self.first_probe).filter(|&probe| probe < self.probes)?;
        usize::try_from(probe).ok()
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(now().duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Receiver {
    /// Notes that it has a message. False when it had it.
    fn takes(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|word| self.has.get(word));
        let bit = 1 << (number % 64);
        word.is_some_and(|word| word.fetch_or(bit, Ordering::AcqRel) & bit == 0)
    }
}

/// The time, for measuring.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the real time")]
pub fn now() -> Instant {
    Instant::now()
}
