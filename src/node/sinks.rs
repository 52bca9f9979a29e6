//! Which subscription gets what: from the driver to whoever reads, bounded for each by itself.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

use super::tally::ReaderStats;
use crate::base::token::Token;
use crate::engine::Event;
use crate::protocol::topic::Received;

type Messages = Vec<Arc<Received>>;

/// Messages that are handed over, and how many were dropped right before them.
type Handed = (u64, Messages);

/// One subscription's way in, as the driver holds it.
pub struct Sink {
    topic: String,
    to: mpsc::Sender<Handed>,
    open: Arc<Open>,
    max: usize,
    max_bytes: usize,
    /// Dropped since it was last handed something.
    dropped: u64,
    /// It missed something, and did not keep up since.
    lags: bool,
}

/// Messages that are on their way and not read yet, and the bytes of their payloads.
#[derive(Debug, Default)]
struct Open {
    count: AtomicUsize,
    bytes: AtomicUsize,
    /// Messages that were dropped, of which no event has told yet.
    untold: AtomicU64,
}

/// The other end of a sink: messages on their way to a subscription.
#[derive(Debug)]
pub struct Deliveries {
    from: mpsc::Receiver<Handed>,
    open: Arc<Open>,
    ready: VecDeque<Arc<Received>>,
    /// Dropped right before the first that is ready.
    dropped: u64,
}

/// A way for at most so many messages, and bytes of their payloads.
pub fn sink(topic: String, max: usize, max_bytes: usize) -> (Sink, Deliveries) {
    // Several messages may be handed over at once, so there is always room for as many as fit.
    let (to, from) = mpsc::channel(max.max(1));
    let open = Arc::new(Open::default());
    let shared = Arc::clone(&open);
    let sink = Sink { topic, to, open: shared, max, max_bytes, dropped: 0, lags: false };
    (sink, Deliveries { from, open, ready: VecDeque::new(), dropped: 0 })
}

impl Deliveries {
    /// The next message, and how many were dropped right before it; `None` after the last.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(u64, Arc<Received>)>> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                self.open.count.fetch_sub(1, Ordering::Relaxed);
                self.open.bytes.fetch_sub(message.payload.len(), Ordering::Relaxed);
                return Poll::Ready(Some((std::mem::take(&mut self.dropped), message)));
            }
            match ready!(self.from.poll_recv(cx)) {
                Some((dropped, messages)) => {
                    self.dropped += dropped;
                    self.ready.extend(messages);
                }
                None => return Poll::Ready(None),
            }
        }
    }

    /// How many were dropped that no event has told of yet. They count as told from now on.
    pub fn take_untold(&self) -> u64 {
        self.open.untold.swap(0, Ordering::Relaxed)
    }
}

/// Where deliveries go.
#[derive(Default)]
pub struct Sinks {
    open: HashMap<Token, Sink>,
    missed: u64,
    bytes: u64,
}

/// What became of a delivery.
pub enum Delivered {
    /// The subscription has it, or there is none.
    Yes,
    /// Nobody holds the subscription any more.
    Abandoned,
    /// The subscription is too slow, or was until now; its user is told.
    Lagged(Event),
}

impl Sinks {
    pub fn add(&mut self, subscription: Token, sink: Sink) {
        self.open.insert(subscription, sink);
    }

    pub fn remove(&mut self, subscription: Token) {
        self.open.remove(&subscription);
    }

    /// Hands messages over. The first ones missed are told at once, the rest when there is room
    /// again or when all that is held was taken, so that a reader who never comes back does not
    /// flood the events.
    pub fn deliver(&mut self, subscription: Token, messages: Messages) -> Delivered {
        let Some(sink) = self.open.get_mut(&subscription) else { return Delivered::Yes };
        let room = sink.room(&messages);
        self.missed += messages.len().saturating_sub(room) as u64;
        let bytes = |message: &Arc<Received>| message.payload.len() as u64;
        self.bytes += messages.iter().take(room).map(bytes).sum::<u64>();
        sink.deliver(messages, room)
    }

    /// How the subscriptions stand now.
    pub fn stats(&self) -> ReaderStats {
        let lags = self.open.values().map(Sink::lag);
        ReaderStats {
            subscriptions: self.open.len() as u64,
            undelivered: lags.clone().sum(),
            lag: lags.max().unwrap_or(0),
            delivered_bytes: self.bytes,
        }
    }

    /// Messages that subscriptions missed since the start.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Sink {
    /// Messages handed over that its user has not taken yet.
    fn lag(&self) -> u64 {
        self.open.count.load(Ordering::Relaxed) as u64
    }

    /// How many of these fit. One that is larger than all room fits alone.
    fn room(&self, messages: &Messages) -> usize {
        let count = self.max.saturating_sub(self.open.count.load(Ordering::Relaxed));
        let mut bytes = self.open.bytes.load(Ordering::Relaxed);
        let fits = |message: &&Arc<Received>| {
            let is_alone = bytes == 0;
            bytes = bytes.saturating_add(message.payload.len());
            is_alone || bytes <= self.max_bytes
        };
        messages.iter().take(count).take_while(fits).count()
    }

    fn deliver(&mut self, mut messages: Messages, room: usize) -> Delivered {
        let dropped = messages.len().saturating_sub(room) as u64;
        messages.truncate(room);
        let taken = messages.len();
        if taken > 0 {
            let bytes = messages.iter().map(|message| message.payload.len()).sum();
            self.open.count.fetch_add(taken, Ordering::Relaxed);
            self.open.bytes.fetch_add(bytes, Ordering::Relaxed);
            // There is room: no more deliveries are under way than messages.
            let handed = (std::mem::take(&mut self.dropped), messages);
            if self.to.try_send(handed).is_err() {
                return Delivered::Abandoned;
            }
        } else if self.to.is_closed() {
            return Delivered::Abandoned;
        }
        self.dropped += dropped;
        let told = if dropped == 0 {
            // It keeps up, perhaps after it had missed more than was told.
            let lagged = std::mem::take(&mut self.lags);
            if lagged { self.open.untold.swap(0, Ordering::Relaxed) } else { 0 }
        } else if std::mem::replace(&mut self.lags, true) {
            self.open.untold.fetch_add(dropped, Ordering::Relaxed);
            0
        } else {
            // The first ones missed.
            dropped
        };
        match told {
            0 => Delivered::Yes,
            missed => Delivered::Lagged(Event::Lagged { topic: self.topic.clone(), missed }),
        }
    }
}
