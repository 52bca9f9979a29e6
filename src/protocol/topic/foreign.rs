//! Messages of foreign peers, on their way in by the door.

use std::num::NonZeroU8;
use std::sync::Arc;

use bytes::Bytes;

use super::command::Envelope;
use super::machine::TopicMachine;
use super::output::Output;
use super::publish::Numbered;
use super::received::Received;
use super::strategy::Strategy;
use crate::base::batch::Origin;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl TopicMachine {
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
                foreign_author: Some(author),
                ..Received::from_here(feed.message(number), sent, payload)
            };
            let messages = vec![Arc::new(received)];
            self.deliver(now, &feed.topic, messages, false, chosen.as_ref(), out);
        }
    }
}
