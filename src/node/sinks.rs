//! Which subscription gets what: from the driver to whoever reads, bounded for each by itself.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

use super::tally::ReaderStats;
use crate::base::token::Token;
use crate::engine::Event;
use crate::protocol::topic::Received;

type Messages = Vec<Arc<Received>>;

/// One subscription's way in, as the driver holds it.
pub struct Sink {
    topic: String,
    to: mpsc::Sender<Messages>,
    /// Messages that are on their way and not read yet.
    open: Arc<AtomicUsize>,
    max: usize,
    missed: u64,
}

/// The other end of a sink: messages on their way to a subscription.
#[derive(Debug)]
pub struct Deliveries {
    from: mpsc::Receiver<Messages>,
    open: Arc<AtomicUsize>,
    ready: VecDeque<Arc<Received>>,
}

/// A way for at most so many messages.
pub fn sink(topic: String, max: usize) -> (Sink, Deliveries) {
    // Several messages may be handed over at once, so there is always room for as many as fit.
    let (to, from) = mpsc::channel(max.max(1));
    let open = Arc::new(AtomicUsize::new(0));
    let sink = Sink { topic, to, open: Arc::clone(&open), max, missed: 0 };
    (sink, Deliveries { from, open, ready: VecDeque::new() })
}

impl Deliveries {
    /// The next message; `None` after the last.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arc<Received>>> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                self.open.fetch_sub(1, Ordering::Relaxed);
                return Poll::Ready(Some(message));
            }
            match ready!(self.from.poll_recv(cx)) {
                Some(messages) => self.ready.extend(messages),
                None => return Poll::Ready(None),
            }
        }
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
    /// again, so that a reader who never comes back does not flood the events.
    pub fn deliver(&mut self, subscription: Token, messages: Messages) -> Delivered {
        let Some(sink) = self.open.get_mut(&subscription) else { return Delivered::Yes };
        let room = sink.room();
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
        self.open.load(Ordering::Relaxed) as u64
    }

    fn room(&self) -> usize {
        self.max.saturating_sub(self.open.load(Ordering::Relaxed))
    }

    fn deliver(&mut self, mut messages: Messages, room: usize) -> Delivered {
        let dropped = messages.len().saturating_sub(room) as u64;
        messages.truncate(room);
        let taken = messages.len();
        if taken > 0 {
            self.open.fetch_add(taken, Ordering::Relaxed);
            // There is room: no more deliveries are under way than messages.
            if self.to.try_send(messages).is_err() {
                return Delivered::Abandoned;
            }
        } else if self.to.is_closed() {
            return Delivered::Abandoned;
        }
        let told = match (dropped, self.missed) {
            // It keeps up, after it had missed more than was told.
            (0, _) => std::mem::take(&mut self.missed).saturating_sub(1),
            // The first ones missed.
            (dropped, 0) => {
                self.missed = 1;
                dropped
            }
            (dropped, _) => {
                self.missed += dropped;
                0
            }
        };
        match told {
            0 => Delivered::Yes,
            missed => Delivered::Lagged(Event::Lagged { topic: self.topic.clone(), missed }),
        }
    }
}
