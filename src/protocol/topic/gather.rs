//! The way out in a burst: what is gathered, in batches and pieces, for the tree carrier.

use std::sync::Arc;

use super::burst::{Gathered, Run};
use super::input::Bucket;
use super::machine::TopicMachine;
use super::output::Output;
use super::pieces::cut;
use super::publish::{Numbered, Publication};
use crate::base::batch::{Batch, Head, Place};
use crate::base::machine::Outbox;
use crate::base::time::Time;

/// Most bytes that the tree carrier is given before it can say whether it takes more.
const MAX_GIVEN: usize = 256 * 1024;

impl TopicMachine {
    /// Whether this goes by the tree carrier: many messages or a large one, and everybody who takes
    /// part is reached. What names members of groups goes alone: each batch is confirmed.
    pub(super) fn is_in_burst(&mut self, now: Time, publication: &Publication) -> bool {
        let Publication { topic, payload, relays, receipts, foreign, strategy, .. } = publication;
        let busy = self.bursts.note(now, topic, payload.len());
        let plain = relays.get() == 1 && receipts.is_none() && !foreign;
        busy && plain
            && !self.subscriptions.is_at_door(topic)
            && self.may_go(topic)
            && self.is_covered(self.buckets.of(topic))
            && !self.is_for_groups(topic, strategy)
            // What is gathered may have been overtaken by what went the other way.
            && self.bursts.continues(topic, self.numbers.peek(topic))
    }

    /// Whether the tree carrier reaches all neighbours that take part in a bucket; at least one.
    fn is_covered(&self, bucket: Bucket) -> bool {
        let neighbours = self.neighbours();
        let mut taking_part =
            self.arrivals.taking_part(bucket).filter(|peer| neighbours.contains(peer)).peekable();
        taking_part.peek().is_some() && taking_part.all(|peer| self.branches.contains(peer))
    }

    /// Puts a message of a burst to those that go out together.
    pub(super) fn gather(&mut self, now: Time, message: Numbered, out: &mut Outbox<Output>) {
        let topic = &message.feed.topic;
        let (bucket, sent, envelope) = (self.buckets.of(topic), message.sent, message.envelope);
        for (number, (piece, payload)) in (message.number..).zip(cut(message.payload.clone())) {
            if number > message.number {
                self.numbers.next(topic);
            }
            let envelope = envelope.of_piece(number > message.number);
            self.bursts.add(
                now,
                topic,
                bucket,
                number,
                Gathered { sent, payload, piece, envelope },
            );
        }
        self.deliver_own(now, message, None, out);
    }

    /// Gives the tree carrier what was gathered, as far as it takes it: not all at once, because it
    /// says only afterwards that it takes no more.
    pub(super) fn flush(&mut self, now: Time, out: &mut Outbox<Output>) {
        let mut given = 0;
        while self.tree_has_room
            && given < MAX_GIVEN
            && let Some((topic, run)) = self.bursts.take(now)
        {
            self.buckets.write(now, run.bucket, out);
            let sequence = self.sequences.entry(run.bucket).or_default();
            *sequence += 1;
            let place = Some(Place { bucket: run.bucket.0, sequence: *sequence });
            let Run { piece, contexts, .. } = run;
            let head = Head { place, piece, contexts, ..self.head(&topic, run.first) };
            let seal = if run.compressed { Batch::seal_compressed } else { Batch::seal };
            let batch = Arc::new(seal(head, &run.messages, &mut self.signer));
            self.remember(now, &batch);
            given += batch.wire().len();
            self.stats.by_tree += batch.count() as u64;
            out.push(Output::Grow(batch));
        }
    }
}
