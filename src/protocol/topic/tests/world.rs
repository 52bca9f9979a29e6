//! A pretend world: rooms wired in a graph, a flooding carrier, and virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::base::batch::Batch;
use crate::base::group::Interests;
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;
use crate::protocol::topic::{
    Bucket, Carried, Command, Earlier, Envelope, Input, Kept, Message, Output, Query, Received,
    Report, Strategy, TopicConfig, TopicMachine,
};

/// The wall clock at the start of every world.
pub(super) const START: WallTime = WallTime(1_700_000_000_000_000);

/// From one node to its neighbour.
const LATENCY: Duration = Duration::from_micros(500);

pub(super) fn id(number: usize) -> NodeId {
    key(number).id()
}

pub(super) fn key(number: usize) -> SecretKey {
    let mut seed = [7; 32];
    seed[0] = u8::try_from(number % 256).unwrap();
    seed[1] = u8::try_from(number / 256).unwrap();
    SecretKey::from_seed(seed)
}

pub(super) fn room(number: usize, config: TopicConfig) -> TopicMachine {
    TopicMachine::new(config, Signer::new(key(number)), Verifier::default(), Life(1), START)
}

/// Turns a machine once and returns what it wants.
pub(super) fn turn(machine: &mut TopicMachine, now: Time, input: Input) -> Vec<Output> {
    let mut out = Outbox::new();
    machine.handle(now, input, &mut out);
    out.drain().collect()
}

pub(super) fn at(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

pub(super) fn publish(token: u64, topic: &str, text: &str) -> Command {
    Command::Publish {
        token: Token(token),
        topic: topic.into(),
        payload: Bytes::copy_from_slice(text.as_bytes()),
        relays: NonZeroU8::MIN,
        receipts: None,
        foreign: false,
        strategy: Strategy::RoundRobin,
        if_read: false,
        envelope: Envelope::default(),
    }
}

pub(super) fn subscribe(subscription: u64, topic: &str) -> Command {
    Command::Subscribe {
        subscription: Token(subscription),
        topic: topic.into(),
        own: false,
        group: None,
        earlier: Earlier::default(),
    }
}

pub(super) fn topics(names: &[&str]) -> Interests {
    names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>().into()
}

/// Rooms, the links between them, and what is under way.
pub(super) struct World {
    pub(super) now: Time,
    pub(super) rooms: Vec<TopicMachine>,
    ids: Vec<NodeId>,
    links: BTreeSet<(usize, usize)>,
    joined: Vec<BTreeSet<Bucket>>,
    heard: Vec<BTreeSet<(NodeId, u64)>>,
    dead: BTreeSet<usize>,
    /// Questions to these get no answer at all.
    pub(super) silent: BTreeSet<usize>,
    events: BTreeMap<(Time, u64), (usize, Event)>,
    questions: BTreeMap<Token, (usize, Token)>,
    last: u64,
    /// Of a hundred broadcasts and batches on a link, so many are lost.
    pub(super) loss: u32,
    dice: ChaCha8Rng,
    /// How often receipts were told.
    pub(super) tells: usize,
    /// What every room wanted for its user, with the time.
    pub(super) said: Vec<Vec<(Time, Output)>>,
}

enum Event {
    Input(Input),
    /// The sender learns when this did not arrive.
    Told {
        sender: usize,
        token: Token,
        message: Message,
    },
    Wave {
        from: usize,
        author: NodeId,
        sequence: u64,
        bucket: Bucket,
        frame: Bytes,
    },
    /// By a tree carrier that floods.
    Grown {
        from: usize,
        batch: Arc<Batch>,
    },
}

impl World {
    pub(super) fn new(nodes: usize, links: &[(usize, usize)], config: &TopicConfig) -> Self {
        let mut world = Self {
            now: Time::ZERO,
            rooms: (0..nodes).map(|number| room(number, config.clone())).collect(),
            ids: (0..nodes).map(id).collect(),
            links: links.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect(),
            joined: vec![BTreeSet::new(); nodes],
            heard: vec![BTreeSet::new(); nodes],
            dead: BTreeSet::new(),
            silent: BTreeSet::new(),
            events: BTreeMap::new(),
            questions: BTreeMap::new(),
            last: 0,
            loss: 0,
            dice: ChaCha8Rng::seed_from_u64(nodes as u64),
            tells: 0,
            said: vec![Vec::new(); nodes],
        };
        for (a, b) in world.links.clone() {
            let peer = world.ids[b];
            world.input(a, Input::Linked { peer });
            world.input(a, Input::Neighbour { peer, joined: true });
        }
        world
    }

    pub(super) fn ring(nodes: usize) -> Self {
        let links: Vec<_> = (0..nodes).map(|n| (n, (n + 1) % nodes)).collect();
        Self::new(nodes, &links, &TopicConfig { relay_all: true, ..TopicConfig::default() })
    }

    /// Every node reads the topic under subscription 1, and knows that all others do.
    pub(super) fn all_read(mut self, topic: &str) -> Self {
        for node in 0..self.rooms.len() {
            self.command(node, subscribe(1, topic));
        }
        self.run(Duration::from_millis(10));
        self
    }

    pub(super) fn command(&mut self, node: usize, command: Command) {
        self.input(node, Input::Command(command));
    }

    /// The node is gone without a word; its neighbours notice.
    pub(super) fn kill(&mut self, node: usize) {
        self.dead.insert(node);
        for peer in self.neighbours(node) {
            self.input(peer, Input::Unlinked { peer: self.ids[node] });
        }
    }

    /// The node is gone, and nobody notices.
    pub(super) fn freeze(&mut self, node: usize) {
        self.dead.insert(node);
    }

    pub(super) fn input(&mut self, node: usize, input: Input) {
        let mut out = Outbox::new();
        self.rooms[node].handle(self.now, input, &mut out);
        while let Some(output) = out.pop() {
            self.obey(node, output);
        }
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        let mut ticks_at_once = 0;
        loop {
            let event = self.events.keys().next().map(|(time, _)| *time);
            let alive = (0..self.rooms.len()).filter(|node| !self.dead.contains(node));
            let tick = alive.filter_map(|n| self.rooms[n].deadline().map(|t| (t, n))).min();
            let next = [event, tick.map(|(time, _)| time)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if event == Some(next) {
                let (_, (node, event)) = self.events.pop_first().unwrap();
                self.happen(node, event);
            } else if let Some((_, node)) = tick {
                self.input(node, Input::Tick);
                let due = self.rooms[node].deadline();
                let is_later = due.is_none_or(|due| due > self.now);
                // A large message leaves in several turns.
                ticks_at_once = if is_later { 0 } else { ticks_at_once + 1 };
                assert!(ticks_at_once < 5, "a tick must move the deadline");
            }
        }
        self.now = end;
    }

    /// The texts delivered at a node, in order.
    pub(super) fn delivered(&self, node: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for (_, output) in &self.said[node] {
            if let Output::Deliver { messages, .. } = output {
                let text = |m: &Arc<Received>| String::from_utf8(m.payload.to_vec()).unwrap();
                texts.extend(messages.iter().map(text));
            }
        }
        texts
    }

    pub(super) fn report(&self, node: usize) -> Option<(Time, Report)> {
        self.said[node].iter().rev().find_map(|(time, output)| match output {
            Output::Confirmed { report, .. } => Some((*time, report.clone())),
            _ => None,
        })
    }

    /// Asks a node, lets time pass, and returns the answer.
    pub(super) fn read(&mut self, node: usize, query: Query) -> Vec<Kept> {
        self.command(node, Command::Read { token: Token(77), query });
        self.run(Duration::from_secs(3));
        self.kept(node).expect("the query was answered")
    }

    pub(super) fn kept(&self, node: usize) -> Option<Vec<Kept>> {
        self.said[node].iter().rev().find_map(|(_, output)| match output {
            Output::Kept { messages, .. } => Some(messages.clone()),
            _ => None,
        })
    }

    /// The ways of the only message a query returned, as node numbers.
    pub(super) fn numbers(&self, kept: &[Kept]) -> Vec<(Vec<usize>, bool)> {
        let number = |node: &NodeId| self.ids.iter().position(|id| id == node).unwrap();
        assert_eq!(kept.len(), 1, "one message");
        let ways = kept[0].ways.iter();
        ways.map(|way| (way.hops.iter().map(|h| number(&h.node)).collect(), way.complete)).collect()
    }

    fn neighbours(&self, node: usize) -> Vec<usize> {
        self.links.iter().filter(|(a, _)| *a == node).map(|(_, b)| *b).collect()
    }

    fn later(&mut self, node: usize, event: Event) {
        self.last += 1;
        // Higher numbers hear a bit later, so that no two ways are equally fast.
        let skew = Duration::from_micros(node as u64);
        self.events.insert((self.now + LATENCY + skew, self.last), (node, event));
    }

    fn happen(&mut self, node: usize, event: Event) {
        if self.dead.contains(&node) {
            if let Event::Told { sender, token, .. } = event {
                self.later(sender, Event::Input(Input::NoAnswer { token }));
            }
            return;
        }
        match event {
            Event::Input(input) => self.input(node, input),
            Event::Told { sender, token, message } => {
                self.later(sender, Event::Input(Input::Arrived { token }));
                self.input(node, Input::Told { from: self.ids[sender], message });
            }
            Event::Grown { from, batch } => {
                let place = batch.head().place.expect("it is on a tree");
                // Its numbers are apart from those of broadcasts.
                let name = (batch.author(), u64::MAX - place.sequence);
                if batch.author() != self.ids[node] && self.heard[node].insert(name) {
                    self.grow(node, Some(from), &batch);
                    self.input(node, Input::Grown { from: self.ids[from], batch });
                }
            }
            Event::Wave { from, author, sequence, bucket, frame } => {
                if !self.joined[node].contains(&bucket) || author == self.ids[node] {
                    return;
                }
                let sender = self.ids[from];
                if self.heard[node].insert((author, sequence)) {
                    self.spread(node, Some(from), author, sequence, bucket, &frame);
                    self.input(node, Input::Heard { from: sender, author, sequence, frame });
                }
                self.input(node, Input::Copy { from: sender, author, sequence });
            }
        }
    }

    fn obey(&mut self, node: usize, output: Output) {
        match output {
            Output::Join(bucket) => {
                self.joined[node].insert(bucket);
                for peer in self.neighbours(node) {
                    let joined = Input::Joined { peer: self.ids[node], bucket };
                    self.later(peer, Event::Input(joined));
                }
            }
            Output::Leave(bucket) => {
                self.joined[node].remove(&bucket);
            }
            Output::Reads(topics) => {
                for peer in (0..self.rooms.len()).filter(|peer| *peer != node) {
                    let topics = topics.clone();
                    self.later(peer, Event::Input(Input::Reads { node: self.ids[node], topics }));
                }
            }
            Output::Broadcast { token, bucket, frame } => {
                self.last += 1;
                let sequence = self.last;
                let reached = self.spread(node, None, self.ids[node], sequence, bucket, &frame);
                let outcome = if reached { Carried::Out } else { Carried::NoPeers };
                self.input(node, Input::Carried { token, outcome });
            }
            Output::Grow(batch) => self.grow(node, None, &batch),
            Output::Behind(_) => {}
            Output::Ask { to, token, message } => match self.reach(node, to) {
                Some(peer) if self.silent.contains(&peer) => {}
                Some(peer) => {
                    self.last += 1;
                    let question = Token(self.last);
                    self.questions.insert(question, (node, token));
                    self.later(peer, Event::Input(Input::Asked { token: question, message }));
                }
                None => self.later(node, Event::Input(Input::NoAnswer { token })),
            },
            Output::Tell { to, token, message } => {
                self.tells += usize::from(matches!(message, Message::Receipt { .. }));
                match self.reach(node, to) {
                    Some(peer) => self.later(peer, Event::Told { sender: node, token, message }),
                    None => self.later(node, Event::Input(Input::NoAnswer { token })),
                }
            }
            Output::Answer { token, message } => {
                let (asker, token) = self.questions.remove(&token).expect("answered once");
                self.later(asker, Event::Input(Input::Answer { token, message }));
            }
            said => self.said[node].push((self.now, said)),
        }
    }

    /// The peer, when it is linked and alive.
    fn reach(&self, node: usize, to: NodeId) -> Option<usize> {
        let peer = self.ids.iter().position(|id| *id == to)?;
        (self.links.contains(&(node, peer)) && !self.dead.contains(&peer)).then_some(peer)
    }

    /// The tree carrier reaches all neighbours from now on.
    pub(super) fn with_trees(mut self) -> Self {
        for (a, b) in self.links.clone() {
            let peer = self.ids[b];
            self.input(a, Input::Branch { peer, up: true });
        }
        self
    }

    fn is_lost(&mut self) -> bool {
        self.dice.next_u32() % 100 < self.loss
    }

    fn grow(&mut self, node: usize, from: Option<usize>, batch: &Arc<Batch>) {
        for peer in self.neighbours(node).into_iter().filter(|peer| Some(*peer) != from) {
            if !self.is_lost() {
                self.later(peer, Event::Grown { from: node, batch: Arc::clone(batch) });
            }
        }
    }

    fn spread(
        &mut self,
        node: usize,
        from: Option<usize>,
        author: NodeId,
        sequence: u64,
        bucket: Bucket,
        frame: &Bytes,
    ) -> bool {
        let mut reached = false;
        for peer in self.neighbours(node).into_iter().filter(|peer| Some(*peer) != from) {
            if !self.dead.contains(&peer) && self.joined[peer].contains(&bucket) {
                reached = true;
                if self.is_lost() {
                    continue;
                }
                let frame = frame.clone();
                self.later(peer, Event::Wave { from: node, author, sequence, bucket, frame });
            }
        }
        reached
    }
}
