//! Several machines, a network that delivers with latency, and a clock that only tests turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::Multiaddr;
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::limits::MAX_FRAME;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::discovery::{
    Command, DialFailure, DiscoveryConfig, DiscoveryMachine, Input, Message, Output, Settings,
    Topology,
};

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(2);

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub fn id(number: u8) -> NodeId {
    key(number).id()
}

pub fn address(number: u8) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{}", 7000 + u16::from(number)).parse().unwrap()
}

pub fn settings(number: u8) -> Settings {
    Settings {
        config: DiscoveryConfig::default(),
        key: key(number),
        life: Life(1),
        name: format!("node {number}"),
        labels: BTreeMap::new(),
        bootstrap: Vec::new(),
        topology: Topology::Open,
    }
}

pub struct World {
    pub now: Time,
    pub nodes: BTreeMap<u8, DiscoveryMachine>,
    lives: BTreeMap<u8, Life>,
    pub strangers: BTreeSet<u8>,
    pub links: BTreeSet<(u8, u8)>,
    /// What every node ever wanted, and when.
    pub log: Vec<(Time, u8, Output)>,
    queue: BTreeMap<(Time, u64), (u8, Input)>,
    questions: BTreeMap<Token, (u8, u8, Token)>,
    count: u64,
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Time::ZERO,
            nodes: BTreeMap::new(),
            lives: BTreeMap::new(),
            strangers: BTreeSet::new(),
            links: BTreeSet::new(),
            log: Vec::new(),
            queue: BTreeMap::new(),
            questions: BTreeMap::new(),
            count: 0,
        }
    }

    pub fn start(&mut self, number: u8, settings: Settings) {
        self.lives.insert(number, settings.life);
        let machine = DiscoveryMachine::new(settings, u64::from(number));
        self.nodes.insert(number, machine);
        self.input(number, Input::Listening { addresses: vec![address(number)] });
    }

    /// A node in the open topology that joins through `entries`.
    pub fn start_open(&mut self, number: u8, entries: &[u8]) {
        let bootstrap = entries.iter().map(|entry| address(*entry)).collect();
        self.start(number, Settings { bootstrap, ..settings(number) });
    }

    /// A machine that was made elsewhere.
    pub fn adopt(&mut self, number: u8, machine: DiscoveryMachine) {
        self.lives.insert(number, Life(1));
        self.nodes.insert(number, machine);
    }

    /// The process is gone; the others see their links break.
    pub fn kill(&mut self, number: u8) {
        self.nodes.remove(&number);
        for (a, b) in self.links.clone() {
            if a == number || b == number {
                self.cut(a, b);
            }
        }
    }

    pub fn cut(&mut self, a: u8, b: u8) {
        if self.links.remove(&pair(a, b)) {
            self.later(a, Input::Unlinked { peer: id(b) });
            self.later(b, Input::Unlinked { peer: id(a) });
        }
    }

    pub fn input(&mut self, number: u8, input: Input) {
        let mut out = Outbox::new();
        let Some(node) = self.nodes.get_mut(&number) else { return };
        node.handle(self.now, input, &mut out);
        let deadline = node.deadline();
        assert!(deadline.is_none_or(|due| due > self.now), "no spinning: {deadline:?}");
        while let Some(output) = out.pop() {
            self.log.push((self.now, number, output.clone()));
            self.obey(number, output);
        }
    }

    pub fn command(&mut self, number: u8, command: Command) {
        self.input(number, Input::Command(command));
    }

    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let event = self.queue.first_key_value().map(|((at, _), _)| *at);
            let due = self.nodes.iter().filter_map(|(n, node)| Some((node.deadline()?, *n))).min();
            let next = event.into_iter().chain(due.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if event == Some(next) {
                let (_, (number, input)) = self.queue.pop_first().unwrap();
                self.input(number, input);
            } else {
                self.input(due.unwrap().1, Input::Tick);
            }
        }
        self.now = end;
    }

    fn later(&mut self, number: u8, input: Input) {
        self.count += 1;
        self.queue.insert((self.now + LATENCY, self.count), (number, input));
    }

    fn obey(&mut self, number: u8, output: Output) {
        match output {
            Output::Dial { token, peer, addresses } => {
                assert!((1..=8).contains(&addresses.len()));
                self.dial(number, token, peer, &addresses);
            }
            Output::Unlink { peer } | Output::Unneeded { peer } => {
                let other = self.number(peer).unwrap();
                self.cut(number, other);
            }
            Output::Ask { to, token, message } => {
                let Some(to) = self.linked(number, to) else {
                    return self.later(number, Input::NoAnswer { token });
                };
                self.count += 1;
                let name = Token(self.count);
                self.questions.insert(name, (number, to, token));
                let message = travel(&message);
                self.later(to, Input::Asked { from: id(number), token: name, message });
            }
            Output::Tell { to, token, message } => match self.linked(number, to) {
                Some(to) => {
                    let message = travel(&message);
                    self.later(to, Input::Told { from: id(number), message });
                }
                None => self.later(number, Input::NoAnswer { token }),
            },
            Output::Answer { token, message } => {
                if let Some((asker, _, token)) = self.questions.remove(&token) {
                    let message = travel(&message);
                    self.later(asker, Input::Answer { token, message });
                }
            }
            _ => {}
        }
    }

    fn dial(&mut self, from: u8, token: Token, peer: Option<NodeId>, addresses: &[Multiaddr]) {
        let answers = |place: &&Multiaddr| {
            self.nodes.keys().chain(&self.strangers).any(|number| address(*number) == **place)
        };
        let Some(place) = addresses.iter().find(answers).cloned() else {
            let failure = DialFailure::Unreachable("refused".to_owned());
            return self.later(from, Input::DialFailed { token, failure });
        };
        let to = (0..=255).find(|number| address(*number) == place).unwrap();
        let failure = if to == from {
            DialFailure::Ourselves
        } else if self.strangers.contains(&to) {
            DialFailure::Stranger("another network".to_owned())
        } else if peer.is_some_and(|peer| peer != id(to)) {
            DialFailure::WrongPeer(Some(id(to)))
        } else {
            let is_new = self.links.insert(pair(from, to));
            let life = self.lives[&to];
            self.later(from, Input::Linked { peer: id(to), life, address: Some(place) });
            if is_new {
                let life = self.lives[&from];
                self.later(to, Input::Linked { peer: id(from), life, address: None });
            }
            return;
        };
        self.later(from, Input::DialFailed { token, failure });
    }

    fn number(&self, peer: NodeId) -> Option<u8> {
        self.lives.keys().copied().find(|number| id(*number) == peer)
    }

    fn linked(&self, from: u8, to: NodeId) -> Option<u8> {
        self.number(to).filter(|to| self.links.contains(&pair(from, *to)))
    }

    /// How many others a node knows.
    pub fn known(&self, number: u8) -> usize {
        self.nodes[&number].known().count()
    }

    pub fn knows(&self, number: u8, other: u8) -> bool {
        self.nodes[&number].known().any(|card| card.node == id(other))
    }

    /// When a node dialled an address since some time.
    pub fn dials(&self, number: u8, place: &Multiaddr, since: Time) -> Vec<Time> {
        let dialled = |output: &Output| match output {
            Output::Dial { addresses, .. } => addresses.contains(place),
            _ => false,
        };
        let log = self
            .log
            .iter()
            .filter(|(at, n, output)| *at >= since && *n == number && dialled(output));
        log.map(|(at, _, _)| *at).collect()
    }

    pub fn outputs(&self, number: u8) -> impl Iterator<Item = &Output> {
        self.log.iter().filter(move |(_, n, _)| *n == number).map(|(_, _, output)| output)
    }
}

pub fn pair(a: u8, b: u8) -> (u8, u8) {
    (a.min(b), a.max(b))
}

/// Messages travel as bytes.
fn travel(message: &Message) -> Message {
    from_cbor(&to_cbor(message), MAX_FRAME).unwrap()
}
