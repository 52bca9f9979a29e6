//! Several machines, links between them that can be cut, and a clock that only tests turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::room::{MS, SECOND, id, key};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::machine::{Machine, Outbox};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::membership::{
    Certificate, Finding, GoingDownReason, Input, MembershipConfig, MembershipMachine, Message,
    Output, Phase, Saved, Settings, Standing,
};

/// How long the network takes to say that a question will have no answer.
const GIVEN_UP: Duration = Duration::from_secs(5);

/// How often nodes that know each other try to link again.
const REDIAL: Duration = Duration::from_millis(500);

type Bars = BTreeMap<NodeId, (Incarnation, Certificate)>;

struct Running {
    machine: MembershipMachine,
    /// Every node counts the time since its own start.
    started: Time,
    bars: Bars,
    paused_until: Time,
}

pub struct Mesh {
    pub now: Time,
    config: MembershipConfig,
    nodes: BTreeMap<u8, Running>,
    numbers: BTreeMap<NodeId, u8>,
    lives: BTreeMap<u8, Life>,
    pub saved: BTreeMap<u8, Saved>,
    links: BTreeSet<(u8, u8)>,
    /// What goes from the first to the second is lost.
    cuts: BTreeSet<(u8, u8)>,
    pub loss: f64,
    /// One way, about.
    pub latency: Duration,
    /// Only neighbours by number link of themselves, the last with the first: the others when one
    /// of them wants it.
    is_ring: bool,
    /// How long a dial takes that leads nowhere.
    pub dial_fails_after: Duration,
    queue: BTreeMap<(Time, u64), (u8, Input)>,
    questions: BTreeMap<Token, (u8, Token)>,
    next_redial: Time,
    count: u64,
    random: ChaCha8Rng,
    verifier: Verifier,
    /// What every node found out, and when.
    pub log: Vec<(Time, u8, Finding)>,
    /// Questions and news sent, probes left out.
    pub messages: u64,
}

/// Checks every signature once.
fn remembering() -> Verifier {
    type Signed = (NodeId, Vec<u8>, Vec<u8>);
    let checked: Mutex<BTreeMap<Signed, bool>> = Mutex::default();
    Verifier::new(Arc::new(move |node: NodeId, bytes: &[u8], signature: &[u8]| {
        let mut checked = checked.lock().unwrap();
        *checked
            .entry((node, bytes.to_vec(), signature.to_vec()))
            .or_insert_with(|| node.verify(bytes, signature))
    }))
}

impl Running {
    fn deadline(&self) -> Option<Time> {
        let due = self.machine.deadline()?;
        Some((self.started + due.since(Time::ZERO)).max(self.paused_until))
    }
}

impl Mesh {
    pub fn empty(config: MembershipConfig) -> Self {
        Self {
            now: Time::ZERO,
            config,
            nodes: BTreeMap::new(),
            numbers: BTreeMap::new(),
            lives: BTreeMap::new(),
            saved: BTreeMap::new(),
            links: BTreeSet::new(),
            cuts: BTreeSet::new(),
            loss: 0.0,
            latency: 2 * MS,
            is_ring: false,
            dial_fails_after: Duration::ZERO,
            queue: BTreeMap::new(),
            questions: BTreeMap::new(),
            next_redial: Time::ZERO,
            count: 0,
            random: ChaCha8Rng::seed_from_u64(7),
            verifier: remembering(),
            log: Vec::new(),
            messages: 0,
        }
    }

    /// So many members that agree on each other.
    pub fn new(count: u8) -> Self {
        Self::with(count, MembershipConfig::default())
    }

    pub fn with(count: u8, config: MembershipConfig) -> Self {
        let mut mesh = Self::empty(config);
        mesh.form(count);
        mesh
    }

    /// The same with few links: most of them never met each other.
    pub fn ring(count: u8) -> Self {
        let config = MembershipConfig { monitors: 1, ..MembershipConfig::default() };
        let mut mesh = Self::empty(config);
        mesh.is_ring = true;
        mesh.form(count);
        mesh
    }

    fn form(&mut self, count: u8) {
        self.start(0, true);
        self.run(100 * MS);
        (1..count).for_each(|number| self.start(number, false));
        self.run(10 * SECOND);
        self.expect_whole(count);
        self.log.clear();
    }

    /// Starts a node in its next life, with what it saved in the one before.
    pub fn start(&mut self, number: u8, alone: bool) {
        let life = self.lives.entry(number).or_insert(Life(0));
        life.0 += 1;
        let settings = Settings {
            config: self.config.clone(),
            signer: Signer::new(key(number)),
            verifier: self.verifier.clone(),
            life: *life,
            seed: u64::from(number) + 1_000 * life.0,
            saved: self.saved.get(&number).cloned().unwrap_or_default(),
            alone,
            formed: None,
        };
        let machine = MembershipMachine::new(settings);
        self.numbers.insert(id(number), number);
        let (bars, started) = (BTreeMap::new(), self.now);
        let running = Running { machine, started, bars, paused_until: Time::ZERO };
        self.nodes.insert(number, running);
        let others: Vec<u8> = self.nodes.keys().copied().filter(|n| *n != number).collect();
        for other in others {
            self.knows(number, other);
            self.knows(other, number);
            if self.is_edge(number, other) {
                self.dial(number, other);
            }
        }
        self.input(number, Input::Tick);
    }

    fn knows(&mut self, number: u8, other: u8) {
        let life = self.lives[&other];
        self.later(number, Input::Known { node: id(other), life });
    }

    /// The process is gone; the others see its links break.
    pub fn kill(&mut self, number: u8) {
        self.nodes.remove(&number);
        self.queue.retain(|_, (to, _)| *to != number);
        let broken: Vec<(u8, u8)> =
            self.links.iter().filter(|(a, b)| [*a, *b].contains(&number)).copied().collect();
        broken.into_iter().for_each(|(a, b)| self.close(a, b));
    }

    /// The process stands still for a while; what is sent to it waits.
    pub fn pause(&mut self, number: u8, span: Duration) {
        let until = self.now + span;
        self.nodes.get_mut(&number).unwrap().paused_until = until;
    }

    pub fn cut_one_way(&mut self, from: u8, to: u8) {
        self.cuts.insert((from, to));
    }

    pub fn cut(&mut self, a: u8, b: u8) {
        self.cut_one_way(a, b);
        self.cut_one_way(b, a);
    }

    pub fn split(&mut self, one: &[u8], other: &[u8]) {
        one.iter().for_each(|a| other.iter().for_each(|b| self.cut(*a, *b)));
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    pub fn machine(&self, number: u8) -> &MembershipMachine {
        &self.nodes[&number].machine
    }

    pub fn numbers(&self) -> Vec<u8> {
        self.nodes.keys().copied().collect()
    }

    /// The sizes of A and D as a node sees them.
    pub fn sizes(&self, number: u8) -> (u32, u32) {
        self.machine(number).roll().sizes()
    }

    pub fn phase(&self, number: u8) -> Phase {
        self.machine(number).phase()
    }

    pub fn standing(&self, number: u8, of: u8) -> Option<Standing> {
        self.machine(number).member(id(of)).map(|member| member.standing)
    }

    /// All that run are members, of one mesh of `count` members, and believe the same.
    pub fn expect_whole(&self, count: u8) {
        let digests: BTreeSet<_> =
            self.nodes.values().map(|node| node.machine.roll().digests()).collect();
        for (number, node) in &self.nodes {
            let got = (node.machine.phase(), node.machine.roll().sizes());
            let size = u32::from(count);
            assert_eq!(got, (Phase::Active, (size, size)), "node {number}; {:#?}", self.tail());
        }
        assert_eq!(digests.len(), 1, "they believe the same");
    }

    /// The end of the log, for people.
    pub fn tail(&self) -> Vec<String> {
        let name = |node: NodeId| self.numbers.get(&node).map_or("?".into(), u8::to_string);
        let last = self.log.len().saturating_sub(60);
        let line = |(at, number, finding): &(Time, u8, Finding)| {
            format!("{:>9} {number}: {}", at.as_micros() / 1_000, finding.tell(&name))
        };
        self.log[last..].iter().map(line).collect()
    }

    /// How often `which` is true of what a node found out.
    pub fn count(&self, number: u8, which: impl Fn(&Finding) -> bool) -> usize {
        self.log.iter().filter(|(_, teller, finding)| *teller == number && which(finding)).count()
    }

    pub fn count_all(&self, which: impl Fn(&Finding) -> bool) -> usize {
        self.log.iter().filter(|(_, _, finding)| which(finding)).count()
    }

    /// Who was put out, each once.
    pub fn put_out(&self) -> BTreeSet<u8> {
        let down = |(_, _, finding): &(Time, u8, Finding)| match finding {
            Finding::Down { node, .. } => self.numbers.get(node).copied(),
            _ => None,
        };
        self.log.iter().filter_map(down).collect()
    }

    /// When `which` was first found, since the log was cleared.
    pub fn first(&self, which: impl Fn(&Finding) -> bool) -> Option<Time> {
        self.log.iter().find(|(_, _, finding)| which(finding)).map(|(at, _, _)| *at)
    }

    pub fn tell(&mut self, from: u8, to: u8, message: Message) {
        self.later(to, Input::Told { from: id(from), message });
    }

    /// Puts itself out, as in self-doubt.
    pub fn reset(&mut self, number: u8) {
        let node = self.nodes.get_mut(&number).unwrap();
        let mut out = Outbox::new();
        let now = Time::ZERO + self.now.since(node.started);
        node.machine.go_down(now, GoingDownReason::SelfDoubt, &mut out);
        out.drain().collect::<Vec<_>>().into_iter().for_each(|output| self.obey(number, output));
    }

    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        self.run_until(end, |_| false);
    }

    /// Runs until something is true; false when it was not within `span`.
    pub fn run_to(&mut self, span: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + span;
        self.run_until(end, enough)
    }

    fn run_until(&mut self, end: Time, enough: impl Fn(&Self) -> bool) -> bool {
        loop {
            if enough(self) {
                return true;
            }
            let event = self.queue.keys().next().map(|(at, _)| *at);
            let due = self.nodes.iter().filter_map(|(n, node)| Some((node.deadline()?, *n))).min();
            let times = [event, due.map(|(at, _)| at), Some(self.next_redial)];
            let next = times.into_iter().flatten().min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            if event == Some(next) {
                self.happen();
            } else if let Some((_, number)) = due.filter(|(at, _)| *at == next) {
                self.input(number, Input::Tick);
            } else {
                self.redial();
            }
        }
        self.now = end;
        false
    }

    fn happen(&mut self) {
        let Some(((_, count), (number, input))) = self.queue.pop_first() else { return };
        let Some(node) = self.nodes.get(&number) else { return };
        if node.paused_until > self.now {
            self.queue.insert((node.paused_until, count), (number, input));
        } else {
            self.input(number, input);
        }
    }

    pub fn input(&mut self, number: u8, input: Input) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let before = node.machine.incarnation();
        let is_tick = matches!(input, Input::Tick);
        let mut out = Outbox::new();
        node.machine.handle(Time::ZERO + self.now.since(node.started), input, &mut out);
        let due = node.deadline();
        assert!(!is_tick || due.is_none_or(|due| due > self.now), "a tick settles what was due");
        assert!(node.machine.incarnation() >= before, "an incarnation never falls");
        let wanted: Vec<Output> = out.drain().collect();
        wanted.into_iter().for_each(|output| self.obey(number, output));
    }

    fn obey(&mut self, number: u8, output: Output) {
        match output {
            Output::Found(finding) => {
                if let Finding::TakedownReceived { certificate, .. } = &finding {
                    assert_eq!(certificate.check(), Ok(()), "nobody goes without a proof");
                }
                self.log.push((self.now, number, finding));
            }
            Output::Reach { peer } => self.reach(number, peer),
            Output::Unlink { peer } => self.close(number, self.numbers[&peer]),
            Output::Bar { node, incarnation, certificate } => {
                assert_eq!(certificate.check(), Ok(()), "nobody is put out without a proof");
                self.nodes.get_mut(&number).unwrap().bars.insert(node, (incarnation, certificate));
            }
            Output::Unbar { node } => {
                self.nodes.get_mut(&number).unwrap().bars.remove(&node);
            }
            Output::Save(saved) => drop(self.saved.insert(number, saved)),
            Output::Ask { to, token, message } => self.send_question(number, to, token, message),
            Output::Tell { to, message } => {
                self.messages += 1;
                self.send(number, self.numbers[&to], Input::Told { from: id(number), message });
            }
            Output::Answer { token, message } => {
                if let Some((asker, token)) = self.questions.remove(&token) {
                    self.send(number, asker, Input::Answer { token, message });
                }
            }
            _ => {}
        }
    }

    fn send_question(&mut self, number: u8, to: NodeId, token: Token, message: Message) {
        self.messages += u64::from(!message.is_probe());
        self.count += 1;
        let name = Token(self.count);
        self.questions.insert(name, (number, token));
        let to = self.numbers[&to];
        self.send(number, to, Input::Asked { from: id(number), token: name, message });
        self.count += 1;
        self.queue.insert((self.now + GIVEN_UP, self.count), (number, Input::Settled { token }));
    }

    fn send(&mut self, from: u8, to: u8, input: Input) {
        let lost = self.cuts.contains(&(from, to)) || self.random.random_bool(self.loss);
        if !lost && self.links.contains(&pair(from, to)) {
            self.later(to, input);
        }
    }

    fn later(&mut self, number: u8, input: Input) {
        self.count += 1;
        // 2 ms and a little by link, in order: a link never overtakes itself.
        let latency = self.latency + MS / 10 * u32::from(number % 7);
        self.queue.insert((self.now + latency, self.count), (number, input));
    }

    fn reach(&mut self, number: u8, peer: NodeId) {
        let other = self.numbers[&peer];
        if !self.dial(number, other) {
            // Refused at once: whoever counts misses must not count three in a moment.
            let latency = self.latency + self.dial_fails_after;
            self.count += 1;
            self.queue
                .insert((self.now + latency, self.count), (number, Input::Unreached { peer }));
        }
    }

    fn dial(&mut self, a: u8, b: u8) -> bool {
        let is_cut = self.cuts.contains(&(a, b)) || self.cuts.contains(&(b, a));
        let ready =
            |number: &u8| self.nodes.get(number).is_some_and(|node| node.paused_until <= self.now);
        if is_cut || !ready(&a) || !ready(&b) || self.links.contains(&pair(a, b)) {
            return false;
        }
        for (here, there) in [(a, b), (b, a)] {
            let incarnation = self.machine(there).incarnation();
            let barred = self.nodes[&here].bars.get(&id(there));
            if let Some((_, proof)) = barred.filter(|(until, _)| incarnation <= *until) {
                let barred = Input::Barred { by: Some(id(here)), certificate: proof.clone() };
                self.later(there, barred);
                return false;
            }
        }
        self.links.insert(pair(a, b));
        for (here, there) in [(a, b), (b, a)] {
            let life = self.lives[&there];
            self.later(here, Input::Linked { peer: id(there), life });
        }
        true
    }

    fn is_edge(&self, a: u8, b: u8) -> bool {
        let last = self.nodes.keys().next_back().copied();
        !self.is_ring || a.abs_diff(b) == 1 || (a.min(b) == 0 && Some(a.max(b)) == last)
    }

    fn redial(&mut self) {
        self.next_redial = self.now + REDIAL;
        let numbers = self.numbers();
        for a in &numbers {
            for b in numbers.iter().filter(|b| *b > a) {
                if self.is_edge(*a, *b) {
                    self.dial(*a, *b);
                }
            }
        }
    }

    fn close(&mut self, a: u8, b: u8) {
        if self.links.remove(&pair(a, b)) {
            self.later(a, Input::Unlinked { peer: id(b) });
            self.later(b, Input::Unlinked { peer: id(a) });
        }
    }
}

fn pair(a: u8, b: u8) -> (u8, u8) {
    (a.min(b), a.max(b))
}
