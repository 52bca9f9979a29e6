//! Who waits for which reply of the engine.

use std::collections::HashMap;

use tokio::sync::oneshot;

use super::sinks::Deliveries;
use crate::base::id::NodeId;
use crate::base::token::{Token, Tokens};
use crate::protocol::discovery::ConnectError;
use crate::protocol::topic::{Kept, MessageId, Report, TopicError};

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
