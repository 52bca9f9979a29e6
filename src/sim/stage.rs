//! The state of a world, and what happens to it one event after the other.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cast::{Breed, Cast};
use super::connect::Connection;
use super::happening::Happening;
use super::host::{Host, Power};
use super::look::Look;
use super::post::Question;
use super::queue::Queue;
use super::scenario::{Fault, Scenario, Start};
use super::scene::{Scene, Sign, Truth};
use super::schedule;
use super::trace::Trace;
use super::weather::Weather;
use super::{adversary, workload};
use crate::base::id::{Life, NodeId};
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::engine::Output;

/// How often expectations look at everything.
const LOOK: Duration = Duration::from_millis(100);

/// Messages, and their bytes where bytes are counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    pub messages: u64,
    pub bytes: u64,
}

impl Amount {
    pub fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

/// What nodes of a world sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Questions, statements, answers and copies of broadcasts, of all rooms.
    pub all: Amount,
    /// Of the membership room alone.
    pub membership: Amount,
    /// Connections that were dialled and came up.
    pub connections: u64,
    /// Broadcasts handed to subscriptions.
    pub delivered: u64,
    /// Broadcasts that were asked for.
    pub published: u64,
}

/// All nodes, all that is between them, and all that is to happen.
pub(crate) struct Stage<'a, B: Breed> {
    pub scenario: &'a Scenario,
    pub breed: B,
    pub cast: Cast,
    pub now: Time,
    pub hosts: Vec<Host<B::Node>>,
    pub queue: Queue<Happening>,
    pub connections: HashMap<u64, Connection>,
    pub questions: HashMap<u64, Question>,
    /// When questions have waited too long, in their order.
    pub patience: VecDeque<(Time, u64)>,
    pub names: u64,
    pub rng: ChaCha8Rng,
    pub weather: Weather,
    pub trace: Trace,
    pub exact: bool,
    pub sent: Sent,
    /// What nodes have told since the watchers heard last.
    pub signs: Vec<Sign>,
    /// What became of processes since then.
    pub truths: Vec<Truth>,
    pub outbox: Outbox<Output>,
    pub acts_left: usize,
    pub disturbed: Time,
}

impl<'a, B: Breed> Stage<'a, B> {
    pub fn new(scenario: &'a Scenario, breed: B, seed: u64, faults: &[Fault]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let skew = i32::try_from(scenario.clock.skew).unwrap_or(0);
        let hosts = (0..scenario.nodes).map(|_| Host::new(rng.random_range(-skew..=skew)));
        let hosts = hosts.collect();
        let mut stage = Self {
            scenario,
            breed,
            cast: Cast::new(scenario, seed),
            now: Time::ZERO,
            hosts,
            queue: Queue::new(),
            connections: HashMap::new(),
            questions: HashMap::new(),
            patience: VecDeque::new(),
            names: 0,
            rng,
            weather: Weather::new(scenario.nodes),
            trace: Trace::new(),
            exact: scenario.is_exact(),
            sent: Sent::default(),
            signs: Vec::new(),
            truths: Vec::new(),
            outbox: Outbox::new(),
            acts_left: 0,
            disturbed: Time::ZERO,
        };
        stage.plan(faults);
        stage
    }

    /// Everything that is known beforehand goes into the queue.
    fn plan(&mut self, faults: &[Fault]) {
        let joining = schedule::joining(faults);
        let formed = self.scenario.start == Start::Formed;
        let mut at = Time::ZERO;
        for node in (0..self.scenario.nodes).filter(|node| !joining.contains(node)) {
            match formed {
                true => self.start(node),
                false => self.queue.push(at, Happening::Begin { node }),
            }
            if self.scenario.start == Start::Staggered {
                at = at + self.scenario.stagger.0;
            }
        }
        if formed {
            self.form(&joining);
        }
        let acts = schedule::acts(faults, self.scenario.nodes);
        self.acts_left = acts.len();
        for (at, act) in acts {
            self.queue.push(at, Happening::Act(act));
        }
        for hostile in &self.scenario.adversaries {
            let at = Time::ZERO + hostile.at.0;
            for node in hostile.nodes.iter().map(|node| node - 1) {
                self.host(node).adversary = adversary::hire(hostile);
                self.queue.push(at, Happening::Scheme { node });
            }
        }
        if let Some(workload) = &self.scenario.workload {
            self.queue.push(Time::ZERO + workload.at.0, Happening::Load);
        }
        self.queue.push(Time::ZERO + LOOK, Happening::Look);
    }

    /// The next event until `end`.
    pub fn step(&mut self, end: Time) -> Step {
        let overdue = self.patience.front().map(|(at, _)| *at).filter(|at| *at <= end);
        if let Some(at) = overdue
            && self.queue.next().is_none_or(|next| at <= next)
        {
            self.now = self.now.max(at);
            self.lose_patience();
            return Step::Done;
        }
        let Some((at, happening)) = self.queue.pop(end) else {
            self.now = end;
            return Step::Over;
        };
        self.now = self.now.max(at);
        if matches!(happening, Happening::Look) {
            self.queue.push(self.now + LOOK, Happening::Look);
            return Step::Look;
        }
        self.happen(happening);
        Step::Done
    }

    pub fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input { node, generation, input } => {
                let host = self.host(node);
                if host.generation == generation && host.power == Power::Paused {
                    host.held.push_back(Happening::Input { node, generation, input });
                } else if host.generation == generation {
                    self.input(node, input);
                }
            }
            Happening::Letter { link, to, letter } => self.arrive(link, to, letter),
            Happening::Wake { node, generation } => self.wake(node, generation),
            Happening::Dial { from, generation, token, to, address } => {
                self.dial_arrives(from, generation, token, to, address);
            }
            Happening::Up { link, token, address } => self.up(link, token, address),
            Happening::Gone { link, end } => self.gone(link, end),
            Happening::Ping { link, end } => self.ping(link, end),
            Happening::PingOver { link, end } => self.ping_over(link, end),
            Happening::Act(act) => self.act(&act),
            Happening::Begin { node } => self.start(node),
            Happening::Load => workload::publish(self),
            Happening::Scheme { node } => self.scheme(node),
            Happening::Look => {}
        }
    }

    pub fn host(&mut self, node: u32) -> &mut Host<B::Node> {
        &mut self.hosts[node as usize]
    }

    /// A name never given before in this world.
    pub fn name(&mut self) -> u64 {
        self.names += 1;
        self.names
    }
}

/// What a step was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// Something happened.
    Done,
    /// It is time to look at everything.
    Look,
    /// The end is reached.
    Over,
}

impl<B: Breed> Scene for Stage<'_, B> {
    fn now(&self) -> Time {
        self.now
    }

    fn nodes(&self) -> u32 {
        self.scenario.nodes
    }

    fn id(&self, node: u32) -> NodeId {
        self.cast.id(node)
    }

    fn power(&self, node: u32) -> Power {
        self.hosts[node as usize].power
    }

    fn life(&self, node: u32) -> Life {
        self.hosts[node as usize].life
    }

    fn is_hostile(&self, node: u32) -> bool {
        self.hosts[node as usize].adversary.is_some()
    }

    fn look(&self, node: u32) -> Option<&dyn Look> {
        self.hosts[node as usize].node.as_ref().map(|node| node as &dyn Look)
    }

    fn passes(&self, from: u32, to: u32) -> bool {
        self.weather.passes(from, to)
    }

    fn flows(&self, from: u32, to: u32) -> bool {
        const MOST_LOST: f64 = 0.25;
        let lost = self.weather.loss(from, to, self.scenario.link.loss);
        self.weather.passes(from, to) && lost < MOST_LOST
    }

    fn disturbed(&self) -> Time {
        self.disturbed
    }

    fn is_over(&self) -> bool {
        self.acts_left == 0
    }
}
