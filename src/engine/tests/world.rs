//! Several engines, a network that delivers with latency, and a clock that only tests turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use multiaddr::Multiaddr;

use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::Verifier;
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;
use crate::engine::frame::{Lane, Request, Response, Ticket};
use crate::engine::{Engine, EngineSettings, Event, Input, Limits, Output};
use crate::protocol::discovery::{self, DialFailure, DiscoveryConfig, Topology};
use crate::protocol::link::{Link, LinkId, WatchConfig};
use crate::protocol::membership::{MembershipConfig, Saved};
use crate::protocol::topic::{self, Bucket, Carried, Earlier, TopicConfig};
use crate::protocol::tree::TreeConfig;

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(2);

/// More wishes than this after one input is a loop.
const MAX_WISHES: usize = 1_000;

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub fn id(number: u8) -> NodeId {
    key(number).id()
}

pub fn address(number: u8) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{}", 7000 + u16::from(number)).parse().unwrap()
}

/// Settings of a node that joins through `entries`.
pub fn settings(number: u8, life: Life, entries: &[u8]) -> EngineSettings {
    EngineSettings {
        key: key(number),
        life,
        started: WallTime(1_700_000_000_000_000),
        seed: u64::from(number),
        watch: WatchConfig::default(),
        membership: MembershipConfig::default(),
        saved: Saved::default(),
        verifier: Verifier::default(),
        formed: None,
        discovery: discovery::Settings {
            config: DiscoveryConfig::default(),
            key: key(number),
            life,
            name: format!("node {number}"),
            labels: BTreeMap::new(),
            bootstrap: entries.iter().map(|entry| address(*entry)).collect(),
            topology: Topology::Open,
        },
        topic: TopicConfig::default(),
        tree: TreeConfig::default(),
    }
}

/// Names a broadcast over all nodes, as the carrier does.
type Name = (NodeId, u64);

struct Running {
    engine: Engine,
    joined: BTreeSet<Bucket>,
    heard: BTreeSet<Name>,
}

enum Happening {
    Input(Box<Input>),
    Copy { from: u8, name: Name, bucket: Bucket, frame: Bytes },
}

#[derive(Default)]
pub struct World {
    pub now: Time,
    nodes: BTreeMap<u8, Running>,
    links: BTreeMap<LinkId, (u8, u8)>,
    questions: BTreeMap<Token, (u8, Ticket, Lane)>,
    queue: BTreeMap<(Time, u64), (u8, Happening)>,
    count: u64,
    /// What every node wanted, and when.
    pub log: Vec<(Time, u8, Output)>,
}

impl World {
    pub fn start(&mut self, number: u8, settings: EngineSettings) {
        let engine = Engine::new(settings);
        let running = Running { engine, joined: BTreeSet::new(), heard: BTreeSet::new() };
        self.nodes.insert(number, running);
        self.input(number, Input::Listening { addresses: vec![address(number)] });
    }

    /// A node in its first life that joins through `entries`.
    pub fn join(&mut self, number: u8, entries: &[u8]) {
        self.start(number, settings(number, Life(1), entries));
    }

    /// The process is gone; the others see its connections break.
    pub fn kill(&mut self, number: u8) {
        self.nodes.remove(&number);
        self.queue.retain(|_, (to, _)| *to != number);
        let broken: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, (a, b))| [*a, *b].contains(&number))
            .map(|(l, _)| *l)
            .collect();
        broken.into_iter().for_each(|link| self.close(link));
    }

    /// Records from now on what comes into a node's membership.
    pub fn record(&mut self, number: u8) {
        let limits = Limits { max_bytes: 1 << 24, max_inputs: 1 << 20 };
        self.nodes.get_mut(&number).unwrap().engine.record(limits);
    }

    pub fn engine(&self, number: u8) -> &Engine {
        &self.nodes[&number].engine
    }

    pub fn subscribe(&mut self, number: u8, topic: &str) {
        let topic = topic.to_owned();
        let subscription = self.token();
        let (own, group, earlier) = (false, None, Earlier::default());
        let command = topic::Command::Subscribe { subscription, topic, own, group, earlier };
        self.input(number, Input::Topic(command));
    }

    pub fn publish(&mut self, number: u8, topic: &str, text: &str) {
        let token = self.token();
        let command = topic::Command::Publish {
            token,
            topic: topic.to_owned(),
            payload: Bytes::copy_from_slice(text.as_bytes()),
            relays: std::num::NonZeroU8::MIN,
            receipts: None,
            foreign: false,
            strategy: topic::Strategy::RoundRobin,
            if_read: false,
            envelope: topic::Envelope::default(),
        };
        self.input(number, Input::Topic(command));
    }

    fn token(&mut self) -> Token {
        self.count += 1;
        Token(self.count)
    }

    pub fn input(&mut self, number: u8, input: Input) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let is_tick = matches!(input, Input::Tick);
        let mut out = Outbox::new();
        node.engine.handle(self.now, input, &mut out);
        let due = node.engine.deadline();
        assert!(!is_tick || due.is_none_or(|due| due > self.now), "a tick settles what was due");
        let wishes: Vec<Output> = out.drain().collect();
        assert!(wishes.len() <= MAX_WISHES, "{} wishes after one input", wishes.len());
        for output in wishes {
            self.log.push((self.now, number, output.clone()));
            self.obey(number, output);
        }
    }

    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let event = self.queue.keys().next().map(|(at, _)| *at);
            let dues =
                self.nodes.iter().filter_map(|(n, node)| Some((node.engine.deadline()?, *n)));
            let due = dues.min();
            let next = event.into_iter().chain(due.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if event == Some(next) {
                let (_, (number, happening)) = self.queue.pop_first().unwrap();
                self.happen(number, happening);
            } else {
                self.input(due.unwrap().1, Input::Tick);
            }
        }
        self.now = end;
    }

    fn happen(&mut self, number: u8, happening: Happening) {
        match happening {
            Happening::Input(input) => self.input(number, *input),
            Happening::Copy { from, name, bucket, frame } => {
                self.copy(number, from, name, bucket, frame);
            }
        }
    }

    fn later(&mut self, number: u8, input: Input) {
        self.happens_later(number, Happening::Input(Box::new(input)));
    }

    fn happens_later(&mut self, number: u8, happening: Happening) {
        self.count += 1;
        self.queue.insert((self.now + LATENCY, self.count), (number, happening));
    }

    fn obey(&mut self, number: u8, output: Output) {
        match output {
            Output::Dial { token, peer, addresses } => {
                let outcome = self.dial(number, peer, &addresses);
                let input = match outcome {
                    Ok(peer) => Input::Dialled { token, peer },
                    Err(failure) => Input::DialFailed { token, failure },
                };
                self.later(number, input);
            }
            Output::Close(link) => self.close(link),
            Output::Join(bucket) => {
                self.nodes.get_mut(&number).unwrap().joined.insert(bucket);
                let peers = self.peers(number);
                let joined = Input::Joined { peer: id(number), bucket };
                peers.into_iter().for_each(|peer| self.later(peer, joined.clone()));
            }
            Output::Leave(bucket) => {
                self.nodes.get_mut(&number).unwrap().joined.remove(&bucket);
            }
            Output::Broadcast { token, bucket, frame } => {
                let name = (id(number), token.0);
                self.nodes.get_mut(&number).unwrap().heard.insert(name);
                let reached = self.spread(number, number, name, bucket, &frame);
                let outcome = if reached { Carried::Out } else { Carried::NoPeers };
                self.later(number, Input::Carried { token, outcome });
            }
            Output::Ask { to, ticket, message } => match self.linked(number, to) {
                Some(to) => {
                    let lane = message.lane();
                    let Request::Ask(message) = travel(lane, &Request::Ask(message)) else {
                        return;
                    };
                    let token = self.token();
                    self.questions.insert(token, (number, ticket, lane));
                    self.later(to, Input::Asked { from: id(number), token, message });
                }
                None => self.later(number, Input::NoAnswer { ticket }),
            },
            Output::Tell { to, ticket, message } => match self.linked(number, to) {
                Some(to) => {
                    let lane = message.lane();
                    let Request::Tell(message) = travel(lane, &Request::Tell(message)) else {
                        return;
                    };
                    self.later(to, Input::Told { from: id(number), message });
                    self.later(number, Input::Arrived { from: id(to), ticket });
                }
                None => self.later(number, Input::NoAnswer { ticket }),
            },
            Output::Answer { token, message } => {
                if let Some((asker, ticket, lane)) = self.questions.remove(&token)
                    && let Response(Some(message)) = travel(lane, &Response(Some(message)))
                {
                    self.later(asker, Input::Answer { from: id(number), ticket, message });
                }
            }
            _ => {}
        }
    }

    fn dial(
        &mut self,
        from: u8,
        peer: Option<NodeId>,
        addresses: &[Multiaddr],
    ) -> Result<NodeId, DialFailure> {
        let lives_there = |number: &&u8| addresses.contains(&address(**number));
        let to = self.nodes.keys().find(lives_there).copied();
        let to = to.ok_or_else(|| DialFailure::Unreachable("refused".to_owned()))?;
        if to == from {
            return Err(DialFailure::Ourselves);
        }
        if peer.is_some_and(|peer| peer != id(to)) {
            return Err(DialFailure::WrongPeer(Some(id(to))));
        }
        self.count += 1;
        let link = LinkId(self.count);
        self.links.insert(link, (from, to));
        for (here, there, dialled) in [(from, to, Some(address(to))), (to, from, None)] {
            let peer = &self.nodes[&there];
            let (life, joined) = (peer.engine.life(), peer.joined.clone());
            let link = Link { id: link, dialled };
            self.later(here, Input::Opened { peer: id(there), life, link });
            for bucket in joined {
                self.later(here, Input::Joined { peer: id(there), bucket });
            }
        }
        Ok(id(to))
    }

    fn close(&mut self, link: LinkId) {
        if let Some((a, b)) = self.links.remove(&link) {
            self.later(a, Input::Closed { peer: id(b), link });
            self.later(b, Input::Closed { peer: id(a), link });
        }
    }

    /// To all linked peers in the bucket; false when there is none.
    fn spread(&mut self, node: u8, not_to: u8, name: Name, bucket: Bucket, frame: &Bytes) -> bool {
        let mut peers = self.peers(node);
        peers.retain(|peer| *peer != not_to && self.nodes[peer].joined.contains(&bucket));
        for peer in &peers {
            let frame = frame.clone();
            self.happens_later(*peer, Happening::Copy { from: node, name, bucket, frame });
        }
        !peers.is_empty()
    }

    fn copy(&mut self, node: u8, from: u8, name: Name, bucket: Bucket, frame: Bytes) {
        let Some(running) = self.nodes.get_mut(&node) else { return };
        let (author, sequence) = name;
        let from_id = id(from);
        if running.heard.insert(name) {
            self.spread(node, from, name, bucket, &frame);
            self.input(node, Input::Heard { from: from_id, author, sequence, frame });
        }
        self.input(node, Input::Copy { from: from_id, author, sequence });
    }

    /// Who is connected with a node, each once.
    pub fn peers(&self, number: u8) -> Vec<u8> {
        let others: BTreeSet<u8> = self
            .links
            .values()
            .filter_map(|(a, b)| match number {
                n if n == *a => Some(*b),
                n if n == *b => Some(*a),
                _ => None,
            })
            .collect();
        others.into_iter().filter(|other| self.nodes.contains_key(other)).collect()
    }

    fn linked(&self, from: u8, to: NodeId) -> Option<u8> {
        self.peers(from).into_iter().find(|peer| id(*peer) == to)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.links.len()
    }

    pub fn wanted(&self, number: u8) -> impl Iterator<Item = &Output> {
        self.log.iter().filter(move |(_, n, _)| *n == number).map(|(_, _, output)| output)
    }

    /// The texts delivered to a node's subscriptions.
    pub fn delivered(&self, number: u8) -> Vec<String> {
        let mut messages = Vec::new();
        for output in self.wanted(number) {
            if let Output::Deliver { messages: delivered, .. } = output {
                messages.extend(delivered);
            }
        }
        messages
            .into_iter()
            .map(|message| String::from_utf8_lossy(&message.payload).into_owned())
            .collect()
    }

    /// What a node's user was told.
    pub fn events(&self, number: u8) -> Vec<Event> {
        let event = |output: &Output| match output {
            Output::Event(event) => Some(event.clone()),
            _ => None,
        };
        self.wanted(number).filter_map(event).collect()
    }
}

/// Messages travel as bytes, within the limit of their lane.
fn travel<T: serde::Serialize + serde::de::DeserializeOwned>(lane: Lane, message: &T) -> T {
    from_cbor(&to_cbor(message), lane.max_bytes(0)).unwrap()
}
