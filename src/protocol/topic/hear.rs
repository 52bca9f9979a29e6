//! The way in: from the carriers to the subscriptions of this node and to its door.

use std::sync::Arc;

use bytes::Bytes;

use super::history::before;
use super::machine::TopicMachine;
use super::order::Ready;
use super::output::{Notice, Output};
use super::pieces::Whole;
use super::received::Received;
use super::record::{Copy, Key};
use super::relay::Bundle;
use super::wire::Feed;
use crate::base::batch::{Batch, Flaw, Head, Item, Origin, Piece, Unexpandable};
use crate::base::group::Chosen;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;

impl TopicMachine {
    /// Takes a broadcast that gossipsub brought, signed by `signer`.
    pub(super) fn heard(
        &mut self,
        now: Time,
        from: NodeId,
        signer: NodeId,
        sequence: u64,
        frame: &Bytes,
        out: &mut Outbox<Output>,
    ) {
        let Some(batch) = self.prove(frame) else { return };
        if batch.author() != signer {
            self.stats.malformed += 1;
            return;
        }
        self.take(now, Copy { from, sequence: Some(sequence), at: now }, batch, out);
    }

    /// Takes a batch that the tree carrier brought and proved.
    pub(super) fn grown(
        &mut self,
        now: Time,
        from: NodeId,
        batch: Arc<Batch>,
        out: &mut Outbox<Output>,
    ) {
        self.take(now, Copy { from, sequence: None, at: now }, batch, out);
    }

    /// Reads a batch and checks its signature.
    pub(super) fn prove(&mut self, frame: &Bytes) -> Option<Arc<Batch>> {
        let read = Batch::read(frame, self.config.max_message_bytes);
        match read.and_then(|batch| batch.prove(&self.verifier)) {
            Ok(batch) => Some(Arc::new(batch)),
            Err(Flaw::Malformed) => {
                self.stats.malformed += 1;
                None
            }
            Err(Flaw::Forged) => {
                self.stats.forged += 1;
                None
            }
        }
    }

    /// Takes a batch whose author is proved. True when it was new here.
    pub(super) fn take(
        &mut self,
        now: Time,
        copy: Copy,
        batch: Arc<Batch>,
        out: &mut Outbox<Output>,
    ) -> bool {
        let head = batch.head();
        // What this node wrote, in any of its lives, had been here before.
        if head.author == self.me
            || !self.records.hear(Key::of_batch(head), head.author, head.sent, copy)
        {
            self.stats.duplicates += batch.count() as u64;
            return false;
        }
        if !self.follows(&head.topic) {
            self.stats.unread += batch.count() as u64;
            return false;
        }
        let feed = Feed::of(head);
        let chosen = head.chosen.as_ref();
        // A member that was chosen confirms when it gets it: what comes too late for the order
        // is the next member's.
        let confirms = head.receipts && !self.is_chosen(&head.topic, chosen);
        if confirms && self.is_for_here(&head.topic, chosen) {
            self.pass_on(now, Bundle::own(feed.message(head.first), self.me), out);
        }
        self.recent.keep(now, &feed, &batch);
        self.history.keep(now, self.wall(now), &batch);
        self.digests.note(now, &feed, batch.end());
        if self.catch_ups.waits(&feed.topic) {
            self.catch_ups.stash(copy.from, batch);
            return true;
        }
        self.arrange(now, copy.from, batch, out)
    }

    /// Puts a batch in its order, and hands over what is ready. True when it was new there.
    pub(super) fn arrange(
        &mut self,
        now: Time,
        from: NodeId,
        batch: Arc<Batch>,
        out: &mut Outbox<Output>,
    ) -> bool {
        let feed = Feed::of(batch.head());
        let age = self.read_for(now, &feed.topic);
        let mut ready = Vec::new();
        if batch.head().sent >= before(self.wall(now), age) {
            ready.extend(self.order.left_out(&feed, &batch));
        }
        let new = self.order.arrive(now, &feed, from, batch, age, &mut ready);
        self.hand_over(now, &feed, ready, out);
        new
    }

    /// Delivers what is in order now, and tells what is lost.
    pub(super) fn hand_over(
        &mut self,
        now: Time,
        feed: &Feed,
        ready: Vec<Ready>,
        out: &mut Outbox<Output>,
    ) {
        let mut missed = 0;
        for ready in ready {
            match ready {
                Ready::Gap { from, to } => missed += self.lose(feed, from, to, out),
                Ready::Batch(batch, from) => match self.open(now, &batch, from, missed, out) {
                    Ok(true) => missed = 0,
                    Ok(false) => {}
                    Err(Unexpandable) => {
                        self.stats.unexpandable += 1;
                        missed += self.lose(feed, from, batch.end(), out);
                    }
                },
            }
        }
    }

    /// Counts and tells what will not come; how much that is.
    fn lose(&mut self, feed: &Feed, from: u64, to: u64, out: &mut Outbox<Output>) -> u64 {
        let lost = to.saturating_sub(from);
        self.stats.lost += lost;
        if self.subscriptions.reads(&feed.topic) {
            let (author, topic) = (feed.author, feed.topic.clone());
            out.push(Output::Notice(Notice::Gap { author, topic, from, to }));
        }
        lost
    }

    /// Delivers the messages of a batch, from a number on, or keeps it until the rest of its
    /// message is here. False when they are not for this node.
    fn open(
        &mut self,
        now: Time,
        batch: &Batch,
        from: u64,
        mut missed: u64,
        out: &mut Outbox<Output>,
    ) -> Result<bool, Unexpandable> {
        let head = batch.head();
        let (feed, chosen) = (Feed::of(head), head.chosen.as_ref());
        if !self.is_for_here(&head.topic, chosen) {
            // It is relayed, and nothing more.
            self.stats.unread += batch.end().saturating_sub(from);
            return Ok(false);
        }
        let opened = batch.open(self.config.max_message_bytes)?;
        if self.is_chosen(&head.topic, chosen) {
            self.pass_on(now, Bundle::own(feed.message(head.first), self.me), out);
        }
        if let Some(origin) = &head.origin
            && !self.is_new_outside(now, &head.topic, origin)
        {
            self.stats.duplicates += batch.count() as u64;
            return Ok(false);
        }
        if let Some((piece, part)) = head.piece.zip(opened.items_from(0).next()) {
            self.piece(now, head, piece, part, missed, out);
            return Ok(true);
        }
        missed = missed.saturating_add(self.pieces.interrupt(&feed));
        let received = self.wall(now);
        // One that was sent again is known by its first number.
        let again = chosen.and_then(|chosen| chosen.again);
        let messages: Vec<_> = opened
            .items_from(from)
            .map(|item| {
                Arc::new(Received {
                    id: feed.message(again.unwrap_or(item.number)),
                    foreign_author: head.origin.as_ref().map(|origin| origin.author.clone()),
                    sent: item.sent,
                    received,
                    payload: item.payload,
                    trace_context: item.trace_context,
                    first: head.first,
                    missed: std::mem::take(&mut missed),
                    earlier: false,
                })
            })
            .collect();
        self.stats.received += messages.len() as u64;
        self.tell_door(head, &messages, out);
        self.deliver(now, &feed.topic, messages, false, chosen, out);
        Ok(true)
    }

    /// Takes a piece of a message, and delivers the message when it is whole.
    fn piece(
        &mut self,
        now: Time,
        head: &Head,
        piece: Piece,
        part: Item,
        missed: u64,
        out: &mut Outbox<Output>,
    ) {
        let feed = Feed::of(head);
        if let Some(whole) = self.pieces.add(now, &feed, piece, part, missed) {
            let Whole { first, sent, payload, trace_context, missed } = whole;
            let received = Received {
                id: feed.message(first),
                foreign_author: None,
                sent,
                received: self.wall(now),
                payload,
                trace_context,
                first,
                missed,
                earlier: false,
            };
            let messages = vec![Arc::new(received)];
            self.stats.received += 1;
            self.tell_door(head, &messages, out);
            self.deliver(now, &feed.topic, messages, false, None, out);
        }
        self.expire_pieces(now, out);
    }

    /// Tells which messages will not be whole.
    pub(super) fn expire_pieces(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some((feed, from, to)) = self.pieces.expire(now) {
            self.stats.lost += to.saturating_sub(from);
            let Feed { author, topic, .. } = feed;
            out.push(Output::Notice(Notice::Gap { author, topic, from, to }));
        }
    }

    /// What came from the foreigners is not told to them again.
    fn tell_door(&self, head: &Head, messages: &[Arc<Received>], out: &mut Outbox<Output>) {
        if head.origin.is_none() && self.subscriptions.is_at_door(&head.topic) {
            for message in messages {
                let (topic, payload) = (head.topic.clone(), message.payload.clone());
                out.push(Output::Door { topic, payload });
            }
        }
    }

    /// Whether foreigners say this for the first time. What the door of a member says outside was
    /// said among members, by whoever wrote it.
    pub(super) fn is_new_outside(&mut self, now: Time, topic: &str, origin: &Origin) -> bool {
        !self.is_members(topic, origin) && self.records.is_new_origin(now, topic, &origin.name)
    }

    /// Whether the author among the foreigners is a member that reads the topic.
    pub(super) fn is_members(&self, topic: &str, origin: &Origin) -> bool {
        origin.author.parse::<NodeId>().is_ok_and(|author| {
            // A node with a door reads the door's topics.
            author == self.me || self.readers.reads(&author, topic)
        })
    }

    /// Takes a copy of which only the carrier's name is known.
    pub(super) fn copy(&mut self, now: Time, from: NodeId, author: NodeId, sequence: u64) {
        let copy = Copy { from, sequence: Some(sequence), at: now };
        if author == self.me || self.records.copy(&author, copy) {
            self.stats.duplicates += 1;
        }
    }

    /// Hands messages to the subscriptions that want them, and keeps them when the topic is read
    /// here in no group, or a group here got them.
    pub(super) fn deliver(
        &mut self,
        now: Time,
        topic: &str,
        messages: Vec<Arc<Received>>,
        published_here: bool,
        chosen: Option<&Chosen>,
        out: &mut Outbox<Output>,
    ) {
        let wants_all = self.subscriptions.wants_all(topic);
        let again = chosen.is_some_and(|chosen| chosen.again.is_some());
        if !again {
            for subscription in self.subscriptions.of(topic, published_here) {
                self.stats.delivered += messages.len() as u64;
                if self.catch_ups.hold(subscription, &messages) {
                    continue;
                }
                out.push(Output::Deliver { subscription, messages: messages.clone() });
            }
        }
        for message in messages {
            let grouped = chosen
                .is_some_and(|c| self.deliver_to_groups(now, &message, published_here, c, out));
            if wants_all && !again || grouped && !wants_all {
                self.shelf.keep(now, message);
            }
        }
    }
}
