//! The world of a run: its state, and what happens in it one after another.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::delays::{Delays, mix};
use super::graph;
use super::held::Held;
use super::links::Links;
use super::nodes::Nodes;
use super::report::BroadcastReport;
use super::scenario::BroadcastScenario;
use super::tick::{Tick, ticks};
use super::wheel::Wheel;
use crate::config::ConfigError;

/// Runs a scenario on this thread: 100,000 nodes and ten messages take seconds and some hundred
/// megabytes in a release build.
///
/// # Errors
/// Names all contradictions of the scenario. Expectations that do not hold are no error: they
/// stand in [`BroadcastReport::failures`].
///
/// ```
/// use gossip_mesh::sim::broadcast::{BroadcastScenario, Graph, run};
///
/// let line = BroadcastScenario {
///     nodes: 10,
///     graph: Graph::Line,
///     fixed: true,
///     messages: 1,
///     ..BroadcastScenario::default()
/// };
/// let report = run(&line).unwrap();
/// assert_eq!(report.reached, 1.0);
/// assert!(report.hops.max >= 5, "the author is somewhere in a line of ten");
/// ```
pub fn run(scenario: &BroadcastScenario) -> Result<BroadcastReport, ConfigError> {
    scenario.check()?;
    let mut world = World::new(scenario);
    world.begin();
    while let Some(event) = world.wheel.next(world.end) {
        world.handle(event);
    }
    Ok(world.report())
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Copy {
        to: u32,
        from: u32,
        message: u8,
        hops: u16,
    },
    /// IHAVE and IWANT: a bit per message.
    Have {
        to: u32,
        from: u32,
        messages: u64,
    },
    Want {
        to: u32,
        from: u32,
        messages: u64,
    },
    Graft {
        to: u32,
        from: u32,
    },
    Prune {
        to: u32,
        from: u32,
    },
    Beat(u32),
    /// The warm-up is over.
    Measure,
    Publish,
    Kill,
    Bury(u32),
    Churn,
    Return(u32),
}

/// What was sent since the end of the warm-up, by live nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub copies: u64,
    pub haves: u64,
    pub wants: u64,
    pub grafts: u64,
    pub prunes: u64,
    /// Copies, and IHAVE and IWANT, that the links lost.
    pub lost_copies: u64,
    pub lost_control: u64,
    /// Copies sent to crashed nodes.
    pub to_the_dead: u64,
}

pub(super) struct World<'a> {
    pub scenario: &'a BroadcastScenario,
    pub links: Links,
    pub nodes: Nodes,
    pub held: Held,
    pub wheel: Wheel<Event>,
    pub delays: Delays,
    pub rng: ChaCha8Rng,
    /// Apart from all other chance, so that other runs can have the same authors.
    pub authors: ChaCha8Rng,
    pub counts: Counts,
    pub heartbeat: u32,
    pub start: Tick,
    pub end: Tick,
    pub trace: u64,
    /// Links at hand while one is chosen; kept for its memory.
    pub choice: Vec<super::links::End>,
}

impl<'a> World<'a> {
    pub fn new(scenario: &'a BroadcastScenario) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(scenario.seed);
        let links = graph::draw(scenario, &mut rng);
        let count = scenario.nodes as usize;
        let start = Tick::default().plus(ticks(scenario.warmup));
        let last = ticks(scenario.every) * (scenario.messages as u32 - 1);
        Self {
            scenario,
            links,
            nodes: Nodes::new(count),
            held: Held::new(count, scenario.messages),
            wheel: Wheel::new(),
            delays: Delays::new(scenario.latency, scenario.jitter, mix(scenario.seed)),
            rng,
            authors: authors(scenario.seed),
            counts: Counts::default(),
            heartbeat: ticks(scenario.heartbeat),
            start,
            end: start.plus(last).plus(ticks(scenario.drain)),
            trace: 0,
            choice: Vec::new(),
        }
    }

    /// All join; then it is planned what will come.
    pub fn begin(&mut self) {
        self.form_mesh();
        if !self.scenario.fixed {
            for node in 0..self.nodes.len() {
                let first = Tick(self.rng.random_range(0..self.heartbeat));
                self.wheel.schedule(first, Event::Beat(node));
            }
        }
        self.wheel.schedule(self.start, Event::Measure);
        if self.scenario.kill > 0.0 {
            self.wheel.schedule(self.start, Event::Kill);
        }
        if self.scenario.churn > 0.0 {
            self.wheel.schedule(self.start, Event::Churn);
        }
        for message in 0..self.scenario.messages as u32 {
            let at = self.start.plus(message * ticks(self.scenario.every));
            self.wheel.schedule(at, Event::Publish);
        }
    }

    pub fn now(&self) -> Tick {
        self.wheel.now()
    }

    pub fn handle(&mut self, event: Event) {
        self.trace = mix(self.trace ^ self.fingerprint(event));
        match event {
            Event::Copy { to, from, message, hops } => self.copy(to, from, message, hops),
            Event::Have { to, from, messages } => self.have(to, from, messages),
            Event::Want { to, from, messages } => self.want(to, from, messages),
            Event::Graft { to, from } => self.graft(to, from),
            Event::Prune { to, from } => self.prune(to, from),
            Event::Beat(node) => self.beat(node),
            Event::Measure => self.counts = Counts::default(),
            Event::Publish => self.publish(),
            Event::Kill => self.kill(),
            Event::Bury(node) => self.bury(node),
            Event::Churn => self.churn(),
            Event::Return(node) => self.come_back(node),
        }
    }

    /// A number that differs where anything about the event differs.
    fn fingerprint(&self, event: Event) -> u64 {
        let (kind, to, from, more) = match event {
            Event::Copy { to, from, message, hops } => {
                (0, to, from, u64::from(message) << 16 | u64::from(hops))
            }
            Event::Have { to, from, messages } => (1, to, from, messages),
            Event::Want { to, from, messages } => (2, to, from, messages),
            Event::Graft { to, from } => (3, to, from, 0),
            Event::Prune { to, from } => (4, to, from, 0),
            Event::Beat(node) => (5, node, 0, 0),
            Event::Measure => (6, 0, 0, 0),
            Event::Publish => (7, 0, 0, 0),
            Event::Kill => (8, 0, 0, 0),
            Event::Bury(node) => (9, node, 0, 0),
            Event::Churn => (10, 0, 0, 0),
            Event::Return(node) => (11, node, 0, 0),
        };
        let ends = u64::from(to) << 32 | u64::from(from);
        mix(mix(ends ^ kind << 60) ^ more) ^ u64::from(self.now().0)
    }

    /// Plans a message's arrival.
    pub fn send(&mut self, from: u32, to: u32, event: Event) {
        let delay = self.delays.draw(from, to, &mut self.rng);
        self.wheel.schedule(self.now().plus(delay), event);
    }

    /// Whether the links lose the next message.
    pub fn is_lost(&mut self) -> bool {
        self.scenario.loss > 0.0 && self.rng.random_bool(self.scenario.loss)
    }
}

/// Chance for the choice of authors.
pub(super) fn authors(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(mix(seed ^ 0xa07_4012))
}
