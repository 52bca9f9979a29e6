//! The way in: from the carrier to the subscriptions of this node and to its door.

use std::sync::Arc;

use bytes::Bytes;

use super::frame::{self, Origin};
use super::machine::TopicMachine;
use super::output::Output;
use super::received::Received;
use super::record::{Copy, Key};
use super::relay::Bundle;
use super::wire::MessageId;
use crate::base::group::Chosen;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl TopicMachine {
    /// Takes a broadcast whose author the carrier has proved.
    pub(super) fn heard(
        &mut self,
        now: Time,
        from: NodeId,
        author: NodeId,
        sequence: u64,
        frame: &Bytes,
        out: &mut Outbox<Output>,
    ) {
        let Some((header, payload)) = frame::decode(frame, self.config.max_message_bytes) else {
            self.stats.malformed += 1;
            return;
        };
        let id =
            MessageId { author, life: header.life, topic: header.topic, number: header.number };
        let key = Key::of(&id);
        let copy = Copy { from, sequence, at: now };
        // What this node wrote, in any of its lives, had been here before.
        if author == self.me || !self.records.hear(key, author, header.sent, copy) {
            self.stats.duplicates += 1;
            return;
        }
        let chosen = header.chosen.as_ref();
        if !self.is_for_here(&id.topic, chosen) {
            self.stats.unread += 1;
            return;
        }
        if header.receipts || self.is_chosen(&id.topic, chosen) {
            self.pass_on(now, Bundle::own(id.clone(), self.me), out);
        }
        let foreign_author = header.origin.as_ref().map(|origin| origin.author.clone());
        if let Some(origin) = header.origin
            && !self.is_new_outside(now, &id.topic, &origin)
        {
            self.stats.duplicates += 1;
            return;
        }
        self.stats.received += 1;
        // What came from the foreigners is not told to them again.
        if foreign_author.is_none() && self.subscriptions.is_at_door(&id.topic) {
            out.push(Output::Door { topic: id.topic.clone(), payload: payload.clone() });
        }
        let (sent, received) = (header.sent, self.wall(now));
        // One that was sent again is known by its first number.
        let number = chosen.and_then(|chosen| chosen.again).unwrap_or(id.number);
        let id = MessageId { number, ..id };
        let key = Key::of(&id);
        let message = Arc::new(Received { id, foreign_author, sent, received, payload });
        self.deliver(now, key, &message, false, chosen, out);
    }

    /// Whether foreigners say this for the first time. What the door of a member says outside was
    /// said among members, by whoever wrote it.
    pub(super) fn is_new_outside(&mut self, now: Time, topic: &str, origin: &Origin) -> bool {
        let member = origin.author.parse::<NodeId>().is_ok_and(|author| {
            // A node with a door reads the door's topics.
            author == self.me || self.readers.reads(&author, topic)
        });
        !member && self.records.is_new_origin(now, topic, &origin.name)
    }

    /// Takes a copy of which only the carrier's name is known.
    pub(super) fn copy(&mut self, now: Time, from: NodeId, author: NodeId, sequence: u64) {
        let copy = Copy { from, sequence, at: now };
        if author == self.me || self.records.copy(&author, copy) {
            self.stats.duplicates += 1;
        }
    }

    /// Hands a message to the subscriptions that want it, and keeps it when the topic is read here.
    pub(super) fn deliver(
        &mut self,
        now: Time,
        key: Key,
        message: &Arc<Received>,
        published_here: bool,
        chosen: Option<&Chosen>,
        out: &mut Outbox<Output>,
    ) {
        let topic = &message.id.topic;
        let wants_all = self.subscriptions.wants_all(topic);
        let again = chosen.is_some_and(|chosen| chosen.again.is_some());
        if !again {
            for subscription in self.subscriptions.of(topic, published_here) {
                self.stats.delivered += 1;
                out.push(Output::Deliver { subscription, message: Arc::clone(message) });
            }
        }
        let grouped = chosen
            .is_some_and(|c| self.deliver_to_groups(now, key, message, published_here, c, out));
        if wants_all && !again || grouped && !wants_all {
            self.shelf.keep(now, key, Arc::clone(message));
        }
    }
}
