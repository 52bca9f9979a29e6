//! The room's machine: which part of it an input concerns. What happens then is in the files of
//! the parts.

use std::collections::BTreeSet;

use super::arrivals::Arrivals;
use super::bounded::Bounded;
use super::buckets::Buckets;
use super::choice::Choices;
use super::command::Command;
use super::config::TopicConfig;
use super::errand::Errands;
use super::input::Input;
use super::kept::Shelf;
use super::numbers::Numbers;
use super::output::Output;
use super::publish::Publication;
use super::readers::Readers;
use super::receipt::Receipts;
use super::record::{Key, Records};
use super::relay::Returns;
use super::stats::TopicStats;
use super::subscription::{Subscriptions, Wish};
use super::trace::Traces;
use super::waiting::Waiting;
use super::wire::Message;
use crate::base::group::Interests;
use crate::base::id::{Life, NodeId};
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::time::{Time, WallTime};
use crate::base::token::{Token, Tokens};

/// Topics of one node. See the room's spec in `mod.rs`.
#[derive(Debug)]
pub(crate) struct TopicMachine {
    pub(super) config: TopicConfig,
    pub(super) me: NodeId,
    pub(super) life: Life,
    /// The wall clock at the start of this life.
    pub(super) started: WallTime,
    is_started: bool,
    pub(super) tokens: Tokens,
    pub(super) stats: TopicStats,
    pub(super) linked: BTreeSet<NodeId>,
    pub(super) subscriptions: Subscriptions,
    pub(super) readers: Readers,
    pub(super) arrivals: Arrivals,
    pub(super) buckets: Buckets,
    pub(super) numbers: Numbers,
    pub(super) records: Records,
    pub(super) waiting: Waiting,
    pub(super) shelf: Shelf,
    pub(super) traces: Traces,
    pub(super) receipts: Receipts,
    pub(super) choices: Choices,
    pub(super) errands: Errands,
    /// Messages that were handed to a group here, so that each is once.
    pub(super) handed: Bounded<Key, ()>,
    pub(super) returns: Returns,
}

impl TopicMachine {
    /// The room of node `me` in this life, which began at `started`.
    pub(crate) fn new(config: TopicConfig, me: NodeId, life: Life, started: WallTime) -> Self {
        Self {
            me,
            life,
            started,
            is_started: false,
            tokens: Tokens::default(),
            stats: TopicStats::default(),
            linked: BTreeSet::new(),
            subscriptions: Subscriptions::new(&config.door),
            readers: Readers::default(),
            arrivals: Arrivals::new(),
            buckets: Buckets::new(config.buckets, config.relay_all),
            numbers: Numbers::default(),
            records: Records::new(&config),
            waiting: Waiting::new(&config),
            shelf: Shelf::new(&config),
            traces: Traces::new(me, config.trace_timeout),
            receipts: Receipts::default(),
            choices: Choices::new(me, life),
            errands: Errands::new(&config),
            handed: Bounded::new(config.max_seen, config.seen_for),
            returns: Returns::new(),
            config,
        }
    }

    /// Counters since the start, and what waits and is kept now.
    pub(crate) fn stats(&self) -> TopicStats {
        TopicStats {
            waiting: self.waiting.len() as u64,
            unconfirmed: self.errands.len() as u64,
            kept: self.shelf.len() as u64,
            kept_bytes: self.shelf.bytes() as u64,
            ..self.stats
        }
    }

    /// The other nodes that read a topic, in a group or in none, by their cards; of a pattern,
    /// those that read by this very pattern.
    pub(crate) fn readers_of(&self, topic: &str) -> BTreeSet<NodeId> {
        self.readers.everyone(topic)
    }

    /// How many receipts are gathered, and how many are under way.
    #[cfg(test)]
    pub(crate) fn receipts_on_their_way(&self) -> [usize; 2] {
        self.returns.sizes()
    }

    /// The moment on the wall clock.
    pub(super) const fn wall(&self, now: Time) -> WallTime {
        self.started.at(now)
    }

    /// What a constructor cannot say.
    fn start(&mut self, out: &mut Outbox<Output>) {
        self.is_started = true;
        self.buckets.start(out);
        for topic in &self.config.door {
            self.buckets.read(self.buckets.of(topic), out);
        }
        if !self.config.door.is_empty() {
            out.push(Output::Reads(self.subscriptions.interests()));
        }
    }

    fn tick(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.shelf.expire(now);
        self.traces.tick(now, out);
        self.receipts.tick(now, out);
        self.tick_errands(now, out);
        while let Some(bundle) = self.returns.next_due(now) {
            self.pass_on(now, bundle, out);
        }
        let arrived = self.arrivals.tick(now);
        if self.waiting.tick(now, out) || arrived {
            self.try_lanes(None, out);
        }
        self.buckets.tick(now, |bucket| self.waiting.waits_in(bucket), out);
    }

    fn command(&mut self, now: Time, command: Command, out: &mut Outbox<Output>) {
        match command {
            Command::Publish {
                token,
                topic,
                payload,
                relays,
                receipts,
                foreign,
                strategy,
                if_read,
            } => {
                let publication =
                    Publication { topic, payload, relays, receipts, foreign, strategy, if_read };
                self.publish(now, token, publication, out);
            }
            Command::Subscribe { subscription, topic, own, group } => {
                self.subscribe(subscription, &topic, Wish { own, group }, out);
            }
            Command::Unsubscribe { subscription } => self.unsubscribe(subscription, out),
            Command::Read { token, query } => self.read(now, token, &query, out),
        }
    }

    fn reads(&mut self, now: Time, node: NodeId, topics: Interests, out: &mut Outbox<Output>) {
        if node == self.me {
            return;
        }
        let new = self.readers.set(node, topics);
        let buckets = new.iter().flat_map(|name| self.buckets.of_readable(name)).collect();
        self.arrivals.reads_more(now, node, buckets);
        for name in &new {
            self.try_readable(name, out);
        }
        self.regroup(now, &node, &new, out);
        self.waiting.drop_unread(|topic| self.readers.any(topic), out);
        let readers = &self.readers;
        self.receipts.forget(&node, |topic| readers.reads(&node, topic), out);
    }

    fn asked(&mut self, now: Time, token: Token, message: Message, out: &mut Outbox<Output>) {
        match message {
            Message::Trace { ids, budget } => self.trace(now, token, ids, budget, out),
            Message::Traced { .. } | Message::Receipt { .. } => {
                self.stats.malformed += 1;
                out.push(Output::Answer { token, message: Message::Traced { ways: Vec::new() } });
            }
        }
    }

    fn told(&mut self, now: Time, from: NodeId, message: Message, out: &mut Outbox<Output>) {
        match message {
            Message::Receipt { id, readers } => self.receipt(now, from, id, readers, out),
            Message::Trace { .. } | Message::Traced { .. } => self.stats.malformed += 1,
        }
    }

    fn answered(&mut self, token: Token, message: Message, out: &mut Outbox<Output>) {
        let ways = match message {
            Message::Traced { ways } => ways,
            Message::Trace { .. } | Message::Receipt { .. } => {
                self.stats.malformed += 1;
                Vec::new()
            }
        };
        self.traces.answer(token, ways, out);
    }
}

impl Machine for TopicMachine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        if !self.is_started {
            self.start(out);
        }
        match input {
            Input::Tick => self.tick(now, out),
            Input::Command(command) => self.command(now, command, out),
            Input::Heard { from, author, sequence, frame } => {
                self.heard(now, from, author, sequence, &frame, out);
            }
            Input::Copy { from, author, sequence } => self.copy(now, from, author, sequence),
            Input::Carried { token, outcome } => self.carried(now, token, outcome, out),
            Input::Joined { peer, bucket } => {
                self.arrivals.joined(now, peer, bucket);
                self.try_lanes(Some(bucket), out);
            }
            Input::Parted { peer, bucket } => self.arrivals.parted(peer, bucket),
            Input::Linked { peer } => {
                self.linked.insert(peer);
                let names = self.readers.names(&peer);
                let buckets = names.flat_map(|name| self.buckets.of_readable(name)).collect();
                self.arrivals.linked(now, peer, buckets);
                self.try_lanes(None, out);
            }
            Input::Unlinked { peer } => {
                self.linked.remove(&peer);
                self.arrivals.unlinked(now, peer);
                self.try_lanes(None, out);
            }
            Input::Reads { node, topics } => self.reads(now, node, topics, out),
            Input::Gone { node } => self.reads(now, node, Interests::default(), out),
            Input::Door { topic, author, origin, payload } => {
                self.door(now, topic, author, &origin, payload, out);
            }
            Input::Asked { token, message } => self.asked(now, token, message, out),
            Input::Told { from, message } => self.told(now, from, message, out),
            Input::Answer { token, message } => self.answered(token, message, out),
            Input::Arrived { token } => {
                self.returns.settled(token);
            }
            Input::NoAnswer { token } => self.no_answer(now, token, out),
        }
    }

    fn deadline(&self) -> Option<Time> {
        if !self.is_started {
            return Some(Time::ZERO);
        }
        [
            self.buckets.deadline(),
            self.waiting.deadline(),
            self.arrivals.deadline(),
            self.shelf.deadline(),
            self.traces.deadline(),
            self.receipts.deadline(),
            self.errands.deadline(),
            self.returns.deadline(),
        ]
        .into_iter()
        .fold(None, earliest)
    }
}
