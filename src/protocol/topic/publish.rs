//! What the user publishes: refused or accepted, numbered, and sent on its ways.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::command::Envelope;
use super::error::TopicError;
use super::machine::TopicMachine;
use super::output::Output;
use super::receipt::Confirming;
use super::received::Received;
use super::seal::Sealed;
use super::strategy::Strategy;
use super::wire::Feed;
use crate::base::group::Chosen;
use crate::base::machine::Outbox;
use crate::base::pattern::check_topic;
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;

/// What the user wants to be sent.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) relays: NonZeroU8,
    pub(crate) receipts: Option<Duration>,
    pub(crate) foreign: bool,
    pub(crate) strategy: Strategy,
    pub(crate) if_read: bool,
    pub(crate) envelope: Envelope,
}

/// A message that has its number.
pub(super) struct Numbered {
    pub(super) feed: Feed,
    pub(super) number: u64,
    pub(super) sent: WallTime,
    pub(super) payload: Bytes,
    pub(super) envelope: Envelope,
}

impl TopicMachine {
    /// Accepts a message of the user, or says why not.
    pub(super) fn publish(
        &mut self,
        now: Time,
        token: Token,
        publication: Publication,
        out: &mut Outbox<Output>,
    ) {
        let burst = self.is_in_burst(now, &publication);
        if let Err(error) = self.check(&publication, burst) {
            out.push(Output::Published { token, result: Err(error) });
        } else {
            self.take_on(now, Some(token), publication, burst, out);
        }
    }

    /// Accepts a message of a user who has asked for room and waits for no reply.
    pub(super) fn accept(
        &mut self,
        now: Time,
        topic: String,
        payload: Bytes,
        foreign: bool,
        envelope: Envelope,
        out: &mut Outbox<Output>,
    ) {
        let (relays, strategy) = (NonZeroU8::MIN, Strategy::RoundRobin);
        let (receipts, if_read) = (None, false);
        let publication =
            Publication { topic, payload, relays, receipts, foreign, strategy, if_read, envelope };
        let burst = self.is_in_burst(now, &publication);
        if self.check(&publication, burst).is_err() {
            self.stats.refused += 1;
        } else {
            self.take_on(now, None, publication, burst, out);
        }
    }

    /// Sends a message that was accepted. `token` names the reply, if one is waited for.
    fn take_on(
        &mut self,
        now: Time,
        token: Option<Token>,
        publication: Publication,
        burst: bool,
        out: &mut Outbox<Output>,
    ) {
        let Publication { topic, payload, relays, receipts, foreign, strategy, if_read, envelope } =
            publication;
        let message = self.number(now, topic, payload, envelope);
        self.stats.published += 1;
        if let Some(token) = token {
            let id = message.feed.message(message.number);
            out.push(Output::Published { token, result: Ok(id) });
        }
        if burst {
            return self.gather(now, message, out);
        }
        let chosen = self.choose(&message.feed.topic, &strategy);
        let mut sealed =
            self.seal(now, &message, receipts.is_some(), foreign, None, chosen.clone());
        sealed.if_read = if_read;
        self.send(now, &sealed, relays, true, out);
        if let Some((token, patience)) = token.zip(receipts) {
            self.expect_receipts(now, token, &sealed, chosen.as_ref(), patience, out);
        }
        self.deliver_own(now, message, chosen.as_ref(), out);
        self.entrust(now, &sealed, &strategy, chosen.as_ref(), out);
    }

    /// Whether one more message of the topic is accepted now.
    pub(crate) fn has_room(&self, topic: &str, bytes: usize) -> bool {
        self.bursts.has_room(bytes)
            && (self.waiting.is_free(topic, self.may_go(topic)) || self.waiting.has_room(bytes))
            && self.check_groups(topic, bytes).is_ok()
    }

    pub(super) fn number(
        &mut self,
        now: Time,
        topic: String,
        payload: Bytes,
        envelope: Envelope,
    ) -> Numbered {
        let (number, sent) = (self.numbers.next(&topic), self.wall(now));
        let feed = Feed { author: self.me, life: self.life, topic };
        Numbered { feed, number, sent, payload, envelope }
    }

    pub(super) fn deliver_own(
        &mut self,
        now: Time,
        message: Numbered,
        chosen: Option<&Chosen>,
        out: &mut Outbox<Output>,
    ) {
        let Numbered { feed, number, sent, payload, envelope } = message;
        if self.subscriptions.is_at_door(&feed.topic) {
            out.push(Output::Door { topic: feed.topic.clone(), payload: payload.clone() });
        }
        if self.is_for_here(&feed.topic, chosen) {
            let received = Received {
                trace_context: envelope.trace_context,
                ..Received::from_here(feed.message(number), sent, payload)
            };
            self.deliver(now, &feed.topic, vec![Arc::new(received)], true, chosen, out);
        }
    }

    fn check(&self, publication: &Publication, burst: bool) -> Result<(), TopicError> {
        let Publication { topic, payload, if_read, .. } = publication;
        check_topic(topic).map_err(|reason| TopicError::BadName { name: topic.clone(), reason })?;
        let (bytes, max) = (payload.len(), self.config.max_message_bytes);
        if bytes > max {
            return Err(TopicError::TooLarge { bytes, max });
        }
        if *if_read && !self.readers.any(topic) {
            return Err(TopicError::NobodyReads { topic: topic.clone() });
        }
        self.check_groups(topic, bytes)?;
        if burst {
            return match self.bursts.has_room(bytes) {
                true => Ok(()),
                false => {
                    let waiting = self.bursts.len();
                    Err(TopicError::WaitingFull { topic: topic.clone(), waiting })
                }
            };
        }
        let goes = self.waiting.is_free(topic, self.may_go(topic));
        // What goes out at the door has readers there, even if it cannot wait for members.
        if !goes && !self.subscriptions.is_at_door(topic) && !self.waiting.has_room(bytes) {
            let waiting = self.waiting.len();
            return Err(TopicError::WaitingFull { topic: topic.clone(), waiting });
        }
        Ok(())
    }

    fn expect_receipts(
        &mut self,
        now: Time,
        token: Token,
        sealed: &Sealed,
        chosen: Option<&Chosen>,
        patience: Duration,
        out: &mut Outbox<Output>,
    ) {
        let topic = sealed.id.topic.clone();
        let reads = self.subscriptions.wants_all(&topic)
            || chosen.is_some_and(|chosen| chosen.groups_of(self.me).next().is_some());
        let message = Confirming {
            token,
            holders: reads.then_some(self.me).into_iter().collect(),
            unexpected: 0,
            missing: self.expected(&topic, chosen),
            topic,
            accepted: now,
            deadline: now + patience,
            last: now,
        };
        self.receipts.expect(sealed.key, message, out);
    }
}
