//! From a numbered message to a signed batch, and into its lane.

use std::num::NonZeroU8;
use std::sync::Arc;

use bytes::Bytes;

use super::command::Envelope;
use super::machine::TopicMachine;
use super::output::{Notice, Output};
use super::publish::Numbered;
use super::record::Key;
use super::waiting::Parcel;
use super::wire::{Feed, MessageId};
use crate::base::batch::{Batch, Head, Origin};
use crate::base::group::Chosen;
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// A message alone in its batch.
pub(super) struct Sealed {
    pub(super) id: MessageId,
    pub(super) key: Key,
    pub(super) payload: Bytes,
    pub(super) envelope: Envelope,
    batch: Arc<Batch>,
    /// It waits only as long as its topic is read by somebody.
    pub(super) if_read: bool,
}

impl TopicMachine {
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
        let (id, payload, envelope) = (feed.message(*number), payload.clone(), *envelope);
        Sealed { id, key, payload, envelope, batch, if_read: false }
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
        let (id, batch) = (sealed.id.clone(), Arc::clone(&sealed.batch));
        let bucket = self.buckets.of(&id.topic);
        self.buckets.write(now, bucket, out);
        let has_readers = self.may_go(&id.topic);
        let (length, waiting) = (batch.wire().len(), &self.waiting);
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
            let (accepted, waited) = (now, false);
            let parcel = Parcel { id, bucket, batch, relays, accepted, may_wait, if_read, waited };
            self.waiting.accept(parcel, has_readers, &mut self.tokens, out);
        } else if has_readers {
            out.push(Output::Notice(Notice::NotSent { id }));
        }
    }
}
