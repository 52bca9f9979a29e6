//! Who waits for which reply of the engine, and which subscription gets what.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::command::Deliveries;
use super::tally::ReaderStats;
use crate::base::id::NodeId;
use crate::base::token::{Token, Tokens};
use crate::engine::Event;
use crate::protocol::discovery::ConnectError;
use crate::protocol::topic::{Kept, MessageId, Received, Report, TopicError};

type Reply<T> = oneshot::Sender<T>;

/// Open replies. An asker that is gone is no error: `send` just finds nobody.
#[derive(Default)]
pub struct Replies {
    tokens: Tokens,
    published: HashMap<Token, Reply<Result<MessageId, TopicError>>>,
    confirmed: HashMap<Token, Reply<Report>>,
    subscribed: HashMap<Token, Subscriber>,
    kept: HashMap<Token, Reply<Vec<Kept>>>,
    connected: HashMap<Token, Reply<Result<NodeId, ConnectError>>>,
}

/// Who waits for a subscription, and the end of it that it gets.
struct Subscriber {
    reply: Reply<Result<(Token, Deliveries), TopicError>>,
    deliveries: Deliveries,
}

impl Replies {
    pub fn publish(
        &mut self,
        reply: Reply<Result<MessageId, TopicError>>,
        report: Option<Reply<Report>>,
    ) -> Token {
        let token = self.tokens.next();
        self.published.insert(token, reply);
        if let Some(report) = report {
            self.confirmed.insert(token, report);
        }
        token
    }

    pub fn subscribe(
        &mut self,
        reply: Reply<Result<(Token, Deliveries), TopicError>>,
        deliveries: Deliveries,
    ) -> Token {
        let token = self.tokens.next();
        self.subscribed.insert(token, Subscriber { reply, deliveries });
        token
    }

    pub fn read(&mut self, reply: Reply<Vec<Kept>>) -> Token {
        let token = self.tokens.next();
        self.kept.insert(token, reply);
        token
    }

    pub fn connect(&mut self, reply: Reply<Result<NodeId, ConnectError>>) -> Token {
        let token = self.tokens.next();
        self.connected.insert(token, reply);
        token
    }

    pub fn published(&mut self, token: Token, result: Result<MessageId, TopicError>) {
        if result.is_err() {
            self.confirmed.remove(&token);
        }
        if let Some(reply) = self.published.remove(&token) {
            let _ = reply.send(result);
        }
    }

    pub fn confirmed(&mut self, token: Token, report: Report) {
        if let Some(reply) = self.confirmed.remove(&token) {
            let _ = reply.send(report);
        }
    }

    /// False when the one who asked is gone, so that the subscription has no owner.
    pub fn subscribed(&mut self, token: Token, result: Result<(), TopicError>) -> bool {
        let Some(Subscriber { reply, deliveries }) = self.subscribed.remove(&token) else {
            return false;
        };
        reply.send(result.map(|()| (token, deliveries))).is_ok()
    }

    pub fn kept(&mut self, token: Token, messages: Vec<Kept>) {
        if let Some(reply) = self.kept.remove(&token) {
            let _ = reply.send(messages);
        }
    }

    pub fn connected(&mut self, token: Token, result: Result<NodeId, ConnectError>) {
        if let Some(reply) = self.connected.remove(&token) {
            let _ = reply.send(result);
        }
    }
}

/// One subscription's way out.
struct Sink {
    topic: String,
    deliveries: mpsc::Sender<Arc<Received>>,
    missed: u64,
}

impl Sink {
    /// Messages handed over that its user has not taken yet.
    fn lag(&self) -> u64 {
        self.deliveries.max_capacity().saturating_sub(self.deliveries.capacity()) as u64
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
    pub fn add(&mut self, subscription: Token, topic: String, to: mpsc::Sender<Arc<Received>>) {
        self.open.insert(subscription, Sink { topic, deliveries: to, missed: 0 });
    }

    pub fn remove(&mut self, subscription: Token) {
        self.open.remove(&subscription);
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

    /// Hands a message over. The first one missed is told at once, the rest when there is room
    /// again, so that a reader who never comes back does not flood the events.
    pub fn deliver(&mut self, subscription: Token, message: Arc<Received>) -> Delivered {
        let Some(sink) = self.open.get_mut(&subscription) else { return Delivered::Yes };
        let lagged = |topic: &str, missed| {
            Delivered::Lagged(Event::Lagged { topic: topic.to_owned(), missed })
        };
        let bytes = message.payload.len() as u64;
        match sink.deliveries.try_send(message) {
            Ok(()) => {
                self.bytes = self.bytes.saturating_add(bytes);
                match std::mem::take(&mut sink.missed) {
                    0 | 1 => Delivered::Yes,
                    missed => lagged(&sink.topic, missed - 1),
                }
            }
            Err(TrySendError::Closed(_)) => Delivered::Abandoned,
            Err(TrySendError::Full(_)) => {
                sink.missed += 1;
                self.missed += 1;
                match sink.missed {
                    1 => lagged(&sink.topic, 1),
                    _ => Delivered::Yes,
                }
            }
        }
    }
}
