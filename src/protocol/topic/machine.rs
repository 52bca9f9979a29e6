//! The room's machine: which part of it an input concerns. What happens then is in the files of
//! the parts.

use std::collections::{BTreeMap, BTreeSet};

use super::arrivals::Arrivals;
use super::behind::Behind;
use super::bounded::Bounded;
use super::buckets::Buckets;
use super::burst::Bursts;
use super::catch_up::CatchUps;
use super::choice::Choices;
use super::command::Command;
use super::config::TopicConfig;
use super::digest::Digests;
use super::errand::Errands;
use super::history::{Excerpt, History};
use super::input::{Bucket, Input};
use super::kept::Shelf;
use super::numbers::Numbers;
use super::order::Order;
use super::output::Output;
use super::pieces::Pieces;
use super::publish::Publication;
use super::readers::Readers;
use super::receipt::Receipts;
use super::recent::Recent;
use super::record::{Key, Records};
use super::relay::Returns;
use super::repair::{Asked, ReadSince};
use super::stats::TopicStats;
use super::subscription::{Subscriptions, Wish};
use super::trace::Traces;
use super::waiting::Waiting;
use super::wire::Message;
use crate::base::group::Interests;
use crate::base::id::{Life, NodeId};
use crate::base::machine::{Machine, Outbox, earliest};
use crate::base::signer::{Signer, Verifier};
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
    /// Those of them that are neighbours in a fixed graph.
    pub(super) edges: BTreeSet<NodeId>,
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
    pub(super) signer: Signer,
    pub(super) verifier: Verifier,
    pub(super) order: Order,
    behind: Behind,
    pub(super) pieces: Pieces,
    /// What others wrote of late.
    pub(super) recent: Recent,
    /// What was written here of late.
    pub(super) own: Recent,
    pub(super) digests: Digests,
    /// What was said of late, for those who join later.
    pub(super) history: History,
    pub(super) catch_ups: CatchUps,
    pub(super) read_since: ReadSince,
    /// Questions for what is missing.
    pub(super) asked: Asked,
    pub(super) bursts: Bursts,
    /// Neighbours that the tree carrier reaches.
    pub(super) branches: BTreeSet<NodeId>,
    pub(super) tree_has_room: bool,
    /// The last place given on the tree carrier, per bucket.
    pub(super) sequences: BTreeMap<Bucket, u64>,
}

impl TopicMachine {
    /// The room of the node that signs so, in this life, which began at `started`.
    pub(crate) fn new(
        config: TopicConfig,
        signer: Signer,
        verifier: Verifier,
        life: Life,
        started: WallTime,
    ) -> Self {
        let me = signer.me();
        Self {
            me,
            signer,
            verifier,
            order: Order::new(&config),
            behind: Behind::default(),
            pieces: Pieces::new(&config),
            recent: Recent::of_others(&config),
            own: Recent::of_own(&config),
            digests: Digests::new(config.repair_for),
            history: History::new(&config),
            catch_ups: CatchUps::new(&config),
            read_since: ReadSince::default(),
            asked: Asked::new(),
            bursts: Bursts::new(&config),
            branches: BTreeSet::new(),
            tree_has_room: true,
            sequences: BTreeMap::new(),
            life,
            started,
            is_started: false,
            tokens: Tokens::default(),
            stats: TopicStats::default(),
            linked: BTreeSet::new(),
            edges: BTreeSet::new(),
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
        let (lacking, early_bytes) = (self.order.lacking(), self.order.early_bytes());
        TopicStats {
            waiting: (self.waiting.len() + self.bursts.len()) as u64,
            unconfirmed: self.errands.len() as u64,
            kept: self.shelf.len() as u64,
            kept_bytes: self.shelf.bytes() as u64,
            lacking: lacking as u64,
            early_bytes: early_bytes as u64,
            recent_bytes: (self.recent.bytes() + self.own.bytes()) as u64,
            history_bytes: self.history.bytes() as u64,
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
        self.history.expire(now, self.wall(now));
        self.catch_up(now, out);
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
        self.flush(now, out);
        self.repair(now, out);
        self.expire_pieces(now, out);
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
                envelope,
            } => {
                let publication = Publication {
                    topic,
                    payload,
                    relays,
                    receipts,
                    foreign,
                    strategy,
                    if_read,
                    envelope,
                };
                self.publish(now, token, publication, out);
            }
            Command::Send { topic, payload, foreign, envelope } => {
                self.accept(now, topic, payload, foreign, envelope, out);
            }
            Command::Subscribe { subscription, topic, own, group, earlier } => {
                self.subscribe(now, subscription, &topic, Wish { own, group }, earlier, out);
            }
            Command::Unsubscribe { subscription } => self.unsubscribe(now, subscription, out),
            Command::Read { token, query } => self.read(now, token, &query, out),
        }
    }

    fn asked(&mut self, now: Time, token: Token, message: Message, out: &mut Outbox<Output>) {
        match message {
            Message::Trace { ids, budget } => self.trace(now, token, ids, budget, out),
            Message::Want { feed, from, to, within } => {
                let message = self.give(now, &feed, (from, to), within);
                out.push(Output::Answer { token, message });
            }
            Message::Earlier { name, wish, except, before } => {
                let excerpt = Excerpt { name: &name, wish, except, before };
                let message = self.give_earlier(now, &excerpt);
                out.push(Output::Answer { token, message });
            }
            Message::Traced { .. }
            | Message::Receipt { .. }
            | Message::Ends(_)
            | Message::Batches(_)
            | Message::Kept { .. } => {
                self.stats.malformed += 1;
                out.push(Output::Answer { token, message: Message::Traced { ways: Vec::new() } });
            }
        }
    }

    fn told(&mut self, now: Time, from: NodeId, message: Message, out: &mut Outbox<Output>) {
        match message {
            Message::Receipt { id, readers } => self.receipt(now, from, id, readers, out),
            Message::Ends(ends) => self.ends(now, from, ends, out),
            Message::Trace { .. }
            | Message::Traced { .. }
            | Message::Want { .. }
            | Message::Batches(_)
            | Message::Earlier { .. }
            | Message::Kept { .. } => self.stats.malformed += 1,
        }
    }

    fn answered(&mut self, now: Time, token: Token, message: Message, out: &mut Outbox<Output>) {
        if let Message::Batches(batches) = message {
            if !self.given(now, token, batches, out) {
                self.stats.malformed += 1;
            }
            return;
        }
        if let Message::Kept { batches, older } = message {
            return self.take_earlier(now, token, (batches, older), out);
        }
        if self.refused(now, token) || self.nothing_earlier(now, token, out) {
            self.stats.malformed += 1;
            return;
        }
        let ways = match message {
            Message::Traced { ways } => ways,
            _ => {
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
            Input::Grown { from, batch } => self.grown(now, from, batch, out),
            Input::Branch { peer, up: true } => {
                self.branches.insert(peer);
            }
            Input::Branch { peer, up: false } => {
                self.branches.remove(&peer);
            }
            Input::Room(room) => {
                self.tree_has_room = room;
                self.flush(now, out);
            }
            Input::Carried { token, outcome } => self.carried(now, token, outcome, out),
            Input::Joined { peer, bucket } => {
                self.arrivals.joined(now, peer, bucket);
                self.try_lanes(Some(bucket), out);
            }
            Input::Parted { peer, bucket } => self.arrivals.parted(peer, bucket),
            Input::Linked { peer } => self.link(now, peer, out),
            Input::Unlinked { peer } => self.unlink(now, peer, out),
            Input::Neighbour { peer, joined } => self.neighbour(now, peer, joined, out),
            Input::Reads { node, topics } => self.reads(now, node, topics, out),
            Input::Gone { node } => self.reads(now, node, Interests::default(), out),
            Input::Door { topic, author, origin, payload } => {
                self.door(now, topic, author, &origin, payload, out);
            }
            Input::Asked { token, message } => self.asked(now, token, message, out),
            Input::Told { from, message } => self.told(now, from, message, out),
            Input::Answer { token, message } => self.answered(now, token, message, out),
            Input::Arrived { token } => {
                self.returns.settled(token);
            }
            Input::NoAnswer { token } => self.no_answer(now, token, out),
        }
        if let Some(behind) = self.behind.look(now, self.order.early_bytes()) {
            out.push(Output::Behind(behind));
        }
    }

    fn deadline(&self) -> Option<Time> {
        if !self.is_started {
            return Some(Time::ZERO);
        }
        [
            // What was gathered goes out when the driver took what lay ready.
            self.bursts.due().filter(|_| self.tree_has_room),
            self.order.deadline(),
            self.behind.deadline(),
            self.pieces.deadline(),
            self.recent.deadline(),
            self.own.deadline(),
            self.digests.deadline(),
            self.history.deadline(),
            self.catch_ups.deadline(),
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
