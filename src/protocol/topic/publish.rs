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
use super::waiting::Parcel;
use super::wire::MessageId;
use crate::base::machine::Outbox;
use crate::base::name::check_name;
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
}

/// A message that has its number, and its frame.
struct Sealed {
    id: MessageId,
    key: Key,
    frame: Bytes,
    message: Arc<Received>,
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
        let Publication { topic, payload, relays, receipts, foreign } = publication;
        let sealed = self.seal(now, &topic, &payload, receipts.is_some(), foreign, None);
        self.stats.published += 1;
        out.push(Output::Published { token, result: Ok(sealed.id.clone()) });
        self.send(now, &sealed, relays, true, out);
        self.deliver(now, sealed.key, &sealed.message, true, out);
        if self.subscriptions.is_at_door(&topic) {
            out.push(Output::Door { topic, payload });
        }
        if let Some(patience) = receipts {
            self.expect_receipts(now, token, &sealed, patience, out);
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
            let sealed = self.seal(now, &topic, &payload, false, true, Some(origin));
            self.stats.received += 1;
            self.send(now, &sealed, NonZeroU8::MIN, false, out);
            self.deliver(now, sealed.key, &sealed.message, false, out);
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
            && self.readers.any(&topic)
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

    /// Tries the lane of a topic, if it has readers.
    pub(super) fn try_lane(&mut self, topic: &str, out: &mut Outbox<Output>) {
        if self.readers.any(topic) {
            self.waiting.try_lane(topic, &mut self.tokens, out);
        }
    }

    fn check(&self, publication: &Publication) -> Result<(), TopicError> {
        let Publication { topic, payload, .. } = publication;
        check_name(topic).map_err(|reason| TopicError::BadName { name: topic.clone(), reason })?;
        let (bytes, max) = (payload.len(), self.config.max_message_bytes);
        if bytes > max {
            return Err(TopicError::TooLarge { bytes, max });
        }
        let goes = self.waiting.is_free(topic, self.readers.any(topic));
        // What goes out at the door has readers there, even if it cannot wait for members.
        if !goes && !self.subscriptions.is_at_door(topic) && !self.waiting.has_room(bytes) {
            let waiting = self.waiting.len();
            return Err(TopicError::WaitingFull { topic: topic.clone(), waiting });
        }
        Ok(())
    }

    /// Gives a message its number and its frame, and remembers it.
    fn seal(
        &mut self,
        now: Time,
        topic: &str,
        payload: &Bytes,
        receipts: bool,
        foreign: bool,
        origin: Option<Origin>,
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
        };
        let (frame, begins) = frame::encode(&header, payload);
        // What is kept shares its memory with what goes out.
        let payload = frame.slice(begins..);
        let message =
            Arc::new(Received { id: id.clone(), foreign_author, sent, received: sent, payload });
        Sealed { id, key, frame, message }
    }

    /// Hands a message to its lane. One that may not wait is sent when its lane moves.
    fn send(
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
        let has_readers = self.readers.any(&id.topic);
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
            let parcel = Parcel { id, bucket, frame, relays, accepted: now, may_wait };
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
        patience: Duration,
        out: &mut Outbox<Output>,
    ) {
        let topic = sealed.id.topic.clone();
        let reads = self.subscriptions.reads(&topic);
        let message = Confirming {
            token,
            holders: reads.then_some(self.me).into_iter().collect(),
            unexpected: 0,
            missing: self.readers.of(&topic),
            topic,
            accepted: now,
            deadline: now + patience,
            last: now,
        };
        self.receipts.expect(sealed.key, message, out);
    }
}
