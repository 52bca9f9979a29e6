//! The way out: from the user or the door to the carrier, the door and this node's own readers.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::error::TopicError;
use super::frame::{self, Header, Origin};
use super::input::{Bucket, Carried};
use super::machine::TopicMachine;
use super::output::{Notice, Output};
use super::receipt::Confirming;
use super::received::Received;
use super::record::Key;
use super::strategy::Strategy;
use super::waiting::Parcel;
use super::wire::MessageId;
use crate::base::group::Chosen;
use crate::base::machine::Outbox;
use crate::base::pattern::{check_topic, is_pattern};
use crate::base::time::Time;
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
}

/// A message that has its number, and its frame.
pub(super) struct Sealed {
    pub(super) id: MessageId,
    pub(super) key: Key,
    frame: Bytes,
    /// It waits only as long as its topic is read by somebody.
    pub(super) if_read: bool,
    pub(super) message: Arc<Received>,
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
        if let Err(error) = self.check(&publication) {
            out.push(Output::Published { token, result: Err(error) });
            return;
        }
        let Publication { topic, payload, relays, receipts, foreign, strategy, if_read } =
            publication;
        let chosen = self.choose(&topic, &strategy);
        let receipted = receipts.is_some();
        let sealed = self.seal(now, &topic, &payload, receipted, foreign, None, chosen.clone());
        let sealed = Sealed { if_read, ..sealed };
        self.stats.published += 1;
        out.push(Output::Published { token, result: Ok(sealed.id.clone()) });
        self.send(now, &sealed, relays, true, out);
        self.deliver(now, sealed.key, &sealed.message, true, chosen.as_ref(), out);
        if self.subscriptions.is_at_door(&topic) {
            out.push(Output::Door { topic, payload });
        }
        if let Some(patience) = receipts {
            self.expect_receipts(now, token, &sealed, chosen.as_ref(), patience, out);
        }
        self.entrust(now, &sealed, &strategy, chosen.as_ref(), out);
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
            let chosen = self.choose(&topic, &Strategy::RoundRobin);
            let sealed =
                self.seal(now, &topic, &payload, false, true, Some(origin), chosen.clone());
            self.stats.received += 1;
            self.send(now, &sealed, NonZeroU8::MIN, false, out);
            self.deliver(now, sealed.key, &sealed.message, false, chosen.as_ref(), out);
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
    fn may_go(&self, topic: &str) -> bool {
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

    fn check(&self, publication: &Publication) -> Result<(), TopicError> {
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
        let goes = self.waiting.is_free(topic, self.may_go(topic));
        // What goes out at the door has readers there, even if it cannot wait for members.
        if !goes && !self.subscriptions.is_at_door(topic) && !self.waiting.has_room(bytes) {
            let waiting = self.waiting.len();
            return Err(TopicError::WaitingFull { topic: topic.clone(), waiting });
        }
        Ok(())
    }

    /// Gives a message its number and its frame, and remembers it.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the header")]
    pub(super) fn seal(
        &mut self,
        now: Time,
        topic: &str,
        payload: &Bytes,
        receipts: bool,
        foreign: bool,
        origin: Option<Origin>,
        chosen: Option<Chosen>,
    ) -> Sealed {
        let (number, sent) = (self.numbers.next(topic), self.wall(now));
        let id = MessageId { author: self.me, life: self.life, topic: topic.to_owned(), number };
        let key = Key::of(&id);
        self.records.publish(now, key, self.me, sent);
        let foreign_author = origin.as_ref().map(|origin| origin.author.clone());
        let header = Header {
            topic: topic.to_owned(),
            life: self.life,
            number,
            sent,
            receipts,
            foreign,
            origin,
            chosen,
        };
        let (frame, begins) = frame::encode(&header, payload);
        // What is kept shares its memory with what goes out.
        let payload = frame.slice(begins..);
        let message =
            Arc::new(Received { id: id.clone(), foreign_author, sent, received: sent, payload });
        Sealed { id, key, frame, if_read: false, message }
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
