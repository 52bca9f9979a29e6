//! The way out: from the user or the door to the carrier, the door and this node's own readers.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::command::Envelope;
use super::error::TopicError;
use super::input::{Bucket, Carried};
use super::machine::TopicMachine;
use super::output::{Notice, Output};
use super::receipt::Confirming;
use super::received::Received;
use super::record::Key;
use super::strategy::Strategy;
use super::waiting::Parcel;
use super::wire::{Feed, MessageId};
use crate::base::batch::{Batch, Head, Origin};
use crate::base::group::Chosen;
use crate::base::machine::Outbox;
use crate::base::pattern::{check_topic, is_pattern};
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

/// A message alone in its batch.
pub(super) struct Sealed {
    pub(super) id: MessageId,
    pub(super) key: Key,
    pub(super) payload: Bytes,
    pub(super) envelope: Envelope,
    frame: Bytes,
    /// It waits only as long as its topic is read by somebody.
    pub(super) if_read: bool,
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
        let sealed = self.seal(now, &message, receipts.is_some(), foreign, None, chosen.clone());
        let sealed = Sealed { if_read, ..sealed };
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
            let (id, first) = (feed.message(number), number);
            let received = Received {
                id,
                foreign_author: None,
                sent,
                received: sent,
                payload,
                trace_context: envelope.trace_context,
                first,
                missed: 0,
                earlier: false,
            };
            self.deliver(now, &feed.topic, vec![Arc::new(received)], true, chosen, out);
        }
    }

    /// Takes a message of a foreign peer in.
    pub(super) fn door(
        &mut self,
        now: Time,
        topic: String,
        author: String,
        origin: &Bytes,
        payload: Bytes,
        out: &mut Outbox<Output>,
    ) {
        let origin = Origin { author, name: origin.to_vec() };
        let fits = payload.len() <= self.config.max_message_bytes;
        if !self.subscriptions.is_at_door(&topic) || !fits || !origin.is_valid() {
            self.stats.malformed += 1;
        } else if !self.is_new_outside(now, &topic, &origin) {
            self.stats.duplicates += 1;
        } else {
            let author = origin.author.clone();
            let chosen = self.choose(&topic, &Strategy::RoundRobin);
            let message = self.number(now, topic, payload, Envelope::default());
            let sealed = self.seal(now, &message, false, true, Some(origin), chosen.clone());
            self.stats.received += 1;
            self.send(now, &sealed, NonZeroU8::MIN, false, out);
            let Numbered { feed, number, sent, payload, .. } = message;
            let received = Received {
                id: feed.message(number),
                foreign_author: Some(author),
                sent,
                received: sent,
                payload,
                trace_context: None,
                first: number,
                missed: 0,
                earlier: false,
            };
            let messages = vec![Arc::new(received)];
            self.deliver(now, &feed.topic, messages, false, chosen.as_ref(), out);
        }
    }

    /// Takes what became of a broadcast, and goes on with its topic.
    pub(super) fn carried(
        &mut self,
        now: Time,
        token: Token,
        outcome: Carried,
        out: &mut Outbox<Output>,
    ) {
        if let Some(topic) = self.waiting.carried(now, token, outcome, out)
            && self.may_go(&topic)
        {
            self.waiting.flow(&topic, &mut self.tokens, out);
        }
    }

    /// Tries the lanes of a bucket, or all, that have readers.
    pub(super) fn try_lanes(&mut self, bucket: Option<Bucket>, out: &mut Outbox<Output>) {
        for topic in self.waiting.topics(bucket) {
            self.try_lane(&topic, out);
        }
    }

    /// Whether a message of the topic finds its readers now: there is one, and none is only just
    /// arriving.
    pub(super) fn may_go(&self, topic: &str) -> bool {
        let bucket = self.buckets.of(topic);
        self.readers.any(topic)
            && !self.arrivals.awaited(bucket).any(|node| self.readers.reads(node, topic))
    }

    /// Tries the lanes that readers of a name may have become readers of.
    pub(super) fn try_readable(&mut self, name: &str, out: &mut Outbox<Output>) {
        if is_pattern(name) { self.try_lanes(None, out) } else { self.try_lane(name, out) }
    }

    /// Tries the lane of a topic, if it has readers.
    pub(super) fn try_lane(&mut self, topic: &str, out: &mut Outbox<Output>) {
        if self.may_go(topic) {
            self.waiting.try_lane(topic, &mut self.tokens, out);
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

    /// Makes a batch of one message, and remembers it.
    pub(super) fn seal(
        &mut self,
        now: Time,
        message: &Numbered,
        receipts: bool,
        foreign: bool,
        origin: Option<Origin>,
        chosen: Option<Chosen>,
    ) -> Sealed {
        let Numbered { feed, number, sent, payload, envelope } = message;
        let contexts = envelope.trace_context.map(|context| (0, context)).into_iter().collect();
        let base = self.head(&feed.topic, *number);
        let head = Head { receipts, foreign, origin, chosen, contexts, ..base };
        let messages = [(*sent, payload.clone())];
        let seal = if envelope.compressed { Batch::seal_compressed } else { Batch::seal };
        let batch = Arc::new(seal(head, &messages, &mut self.signer));
        let key = self.remember(now, &batch);
        let (id, frame) = (feed.message(*number), batch.wire().clone());
        Sealed { id, key, payload: payload.clone(), envelope: *envelope, frame, if_read: false }
    }

    pub(super) fn head(&self, topic: &str, first: u64) -> Head {
        Head::new(self.me, self.life, topic, first)
    }

    /// Remembers a batch of our own, for those who will miss it or ask for its way.
    pub(super) fn remember(&mut self, now: Time, batch: &Arc<Batch>) -> Key {
        let feed = Feed::of(batch.head());
        let key = Key::of_batch(batch.head());
        self.stats.batches += 1;
        self.records.publish(now, key, self.me, batch.head().sent);
        self.own.keep(now, &feed, batch);
        self.history.keep(now, self.wall(now), batch);
        self.digests.note(now, &feed, batch.end());
        key
    }

    /// Hands a message to its lane. One that may not wait is sent when its lane moves.
    pub(super) fn send(
        &mut self,
        now: Time,
        sealed: &Sealed,
        relays: NonZeroU8,
        may_wait: bool,
        out: &mut Outbox<Output>,
    ) {
        let (id, frame) = (sealed.id.clone(), sealed.frame.clone());
        let bucket = self.buckets.of(&id.topic);
        self.buckets.write(now, bucket, out);
        let has_readers = self.may_go(&id.topic);
        let (length, waiting) = (frame.len(), &self.waiting);
        let may_queue = if !may_wait {
            // Its turn comes as soon as the carrier took what is there now.
            waiting.is_flying(&id.topic) && waiting.has_half_the_room(length)
        } else if self.subscriptions.is_at_door(&id.topic) {
            waiting.has_half_the_room(length)
        } else {
            true
        };
        if may_queue || waiting.is_free(&id.topic, has_readers) {
            let if_read = sealed.if_read;
            let parcel = Parcel { id, bucket, frame, relays, accepted: now, may_wait, if_read };
            self.waiting.accept(parcel, has_readers, &mut self.tokens, out);
        } else if has_readers {
            out.push(Output::Notice(Notice::NotSent { id }));
        }
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
