//! Repair: who lacks something asks for it, and who has it gives it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_bytes::ByteBuf;

use super::digest::MAX_ENDS;
use super::machine::TopicMachine;
use super::order::Wanted;
use super::output::Output;
use super::record::Copy;
use super::wire::{Feed, Message};
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::pattern::{is_pattern, matches};
use crate::base::time::Time;
use crate::base::token::Token;

/// Most bytes of batches in one answer; the frame has room for its own parts beside them.
const MAX_GIVEN: usize = 768 * 1024;

/// Most batches taken from one answer. (At 768 KiB they have 200 bytes each.)
const MAX_TAKEN: usize = 4_096;

/// Questions for what is missing that are not answered yet.
pub(super) type Asked = BTreeMap<Token, (Feed, NodeId)>;

impl TopicMachine {
    /// Whether this node keeps feeds of the topic whole.
    pub(super) fn follows(&self, topic: &str) -> bool {
        self.config.relay_all || self.subscriptions.reads(topic)
    }

    /// Asks for what is missing, gives up what is late, and tells how far feeds go.
    pub(super) fn repair(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.recent.expire(now);
        self.own.expire(now);
        for (feed, ready) in self.order.tick(now) {
            self.hand_over(now, &feed, ready, out);
        }
        for wanted in self.order.due_to_ask(now) {
            self.ask_for(now, wanted, out);
        }
        let ends = self.digests.tick(now);
        if !ends.is_empty() {
            let peers = self.neighbours().iter().copied().collect();
            for peer in self.digests.choose(peers) {
                self.tell_ends(peer, &ends, out);
            }
        }
    }

    /// A new neighbour may lack what went by before.
    pub(super) fn greet(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        let ends = self.digests.for_newcomer(now);
        self.tell_ends(peer, &ends, out);
    }

    fn tell_ends(&mut self, peer: NodeId, ends: &[(Feed, u64)], out: &mut Outbox<Output>) {
        let concerns = |feed: &Feed| {
            feed.author != peer && (self.config.relay_all || self.readers.reads(&peer, &feed.topic))
        };
        let ends: Vec<_> = ends.iter().filter(|(feed, _)| concerns(feed)).cloned().collect();
        if !ends.is_empty() {
            let token = self.tokens.next();
            out.push(Output::Tell { to: peer, token, message: Message::Ends(ends) });
        }
    }

    /// A neighbour tells how far feeds go.
    pub(super) fn ends(
        &mut self,
        now: Time,
        from: NodeId,
        ends: Vec<(Feed, u64)>,
        out: &mut Outbox<Output>,
    ) {
        if ends.len() > MAX_ENDS {
            self.stats.malformed += 1;
            return;
        }
        for (feed, end) in ends {
            if feed.author == self.me || !feed.is_valid() || !self.follows(&feed.topic) {
                continue;
            }
            let age = self.read_for(now, &feed.topic);
            let mut ready = Vec::new();
            self.order.told(now, &feed, from, end, age, &mut ready);
            self.hand_over(now, &feed, ready, out);
        }
    }

    fn ask_for(&mut self, now: Time, wanted: Wanted, out: &mut Outbox<Output>) {
        let Wanted { feed, from, to, within, asked, likely, at_once, tells } = wanted;
        let readers = self.readers.everyone(&feed.topic);
        let neighbours = self.neighbours();
        let others = readers.into_iter().chain(neighbours.iter().copied());
        let mut peers = Vec::new();
        for peer in likely.into_iter().chain([feed.author]).chain(others) {
            let is_new = !asked.contains(&peer) && !peers.contains(&peer);
            if peers.len() < at_once && is_new && neighbours.contains(&peer) {
                peers.push(peer);
            }
        }
        let mut ready = Vec::new();
        self.order.asks(now, &feed, &peers, &mut ready);
        self.hand_over(now, &feed, ready, out);
        for to_ask in peers {
            if tells {
                self.tell_ends(to_ask, &[(feed.clone(), to)], out);
            }
            let token = self.tokens.next();
            self.stats.repairs_asked += 1;
            self.asked.insert(token, (feed.clone(), to_ask));
            let message = Message::Want { feed: feed.clone(), from, to, within };
            out.push(Output::Ask { to: to_ask, token, message });
        }
    }

    /// A peer lacks something.
    pub(super) fn give(
        &mut self,
        now: Time,
        feed: &Feed,
        (from, to): (u64, u64),
        within: Option<Duration>,
    ) -> Message {
        let kept = if feed.author == self.me { &self.own } else { &self.recent };
        let batches = kept.between(now, feed, from, to, within, MAX_GIVEN);
        self.stats.repairs_given += batches.len() as u64;
        let wire = |batch: Arc<Batch>| ByteBuf::from(batch.wire().to_vec());
        Message::Batches(batches.into_iter().map(wire).collect())
    }

    /// What was asked for came. True when the question was one of these.
    pub(super) fn given(
        &mut self,
        now: Time,
        token: Token,
        batches: Vec<ByteBuf>,
        out: &mut Outbox<Output>,
    ) -> bool {
        let Some((feed, peer)) = self.asked.remove(&token) else { return false };
        let mut helped = false;
        for wire in batches.into_iter().take(MAX_TAKEN) {
            let Some(batch) = self.prove(&Bytes::from(wire.into_vec())) else { continue };
            if Feed::of(batch.head()) != feed {
                self.stats.malformed += 1;
                continue;
            }
            self.stats.repaired += batch.count() as u64;
            helped |= self.take(now, Copy { from: peer, sequence: None, at: now }, batch, out);
        }
        let mut ready = Vec::new();
        self.order.answered(now, &feed, peer, helped, &mut ready);
        self.hand_over(now, &feed, ready, out);
        true
    }

    /// What was asked for does not come from there. True when the question was one of these.
    pub(super) fn refused(&mut self, now: Time, token: Token) -> bool {
        let asked = self.asked.remove(&token);
        if let Some((feed, peer)) = &asked {
            self.order.unanswered(now, feed, *peer);
        }
        asked.is_some()
    }

    /// How long this node has been following a topic, by its name or by a pattern.
    pub(super) fn read_for(&self, now: Time, topic: &str) -> Duration {
        if self.config.relay_all {
            return now.since(Time::ZERO);
        }
        now.since(self.read_since.of(topic).unwrap_or(now))
    }

    /// Forgets what belonged to the topics of a name that are not read any more.
    pub(super) fn unfollow(&mut self, name: &str) {
        self.read_since.remove(name);
        let subscriptions = &self.subscriptions;
        self.pieces.retain(|topic| subscriptions.reads(topic));
        if !self.config.relay_all {
            let is_unread = |topic: &str| matches(name, topic) && !subscriptions.reads(topic);
            self.order.unread(is_unread);
            self.history.unfollow(self.me, is_unread);
        }
    }
}

/// The topics and patterns read here, and since when.
#[derive(Debug, Default)]
pub(super) struct ReadSince {
    /// Found at once: every batch asks.
    exact: BTreeMap<String, Time>,
    patterns: BTreeMap<String, Time>,
}

impl ReadSince {
    pub(super) fn insert(&mut self, name: &str, now: Time) {
        self.names(name).insert(name.to_owned(), now);
    }

    fn remove(&mut self, name: &str) {
        self.names(name).remove(name);
    }

    /// When the oldest of those began that read the topic.
    fn of(&self, topic: &str) -> Option<Time> {
        let patterns = self.patterns.iter().filter(|(pattern, _)| matches(pattern, topic));
        let patterns = patterns.map(|(_, since)| since);
        self.exact.get(topic).into_iter().chain(patterns).min().copied()
    }

    fn names(&mut self, name: &str) -> &mut BTreeMap<String, Time> {
        if is_pattern(name) { &mut self.patterns } else { &mut self.exact }
    }
}
