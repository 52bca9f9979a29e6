//! A run: the links that are drawn, what happens when, and who dies.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::report::TreeReport;
use super::scenario::TreeScenario;
use super::world::World;
use crate::base::time::Time;
use crate::config::ConfigError;
use crate::sim::queue::Queue;

/// Tries to find a partner for one link.
const TRIES: usize = 64;

/// Dials of a node at a time.
const DIALS: usize = 8;

/// When the links are up and the first frame is published.
const START: Time = Time::from_micros(1_000_000);

/// Runs a scenario on this thread.
///
/// # Errors
/// Names all contradictions of the scenario. Expectations that do not hold are no error: they
/// stand in [`TreeReport::failures`].
///
/// ```
/// use gossip_mesh::sim::tree::{TreeScenario, run};
///
/// let scenario = TreeScenario { nodes: 50, frames: 20, ..TreeScenario::default() };
/// let report = run(&scenario).unwrap();
/// assert_eq!(report.reached, 1.0);
/// assert_eq!(run(&scenario).unwrap(), report, "the same seed, the same run");
/// ```
pub fn run(scenario: &TreeScenario) -> Result<TreeReport, ConfigError> {
    scenario.check()?;
    let mut course = Run::new(scenario);
    course.plan();
    course.perform();
    Ok(course.report())
}

#[derive(Debug)]
enum Act {
    Publish(u32),
    Kill,
    Bury,
    Dial,
}

pub(super) struct Run<'a> {
    pub scenario: &'a TreeScenario,
    pub world: World,
    pub authors: Vec<u32>,
    rng: ChaCha8Rng,
    acts: Queue<Act>,
    /// Who is known to be dead, per node.
    dead: Vec<BTreeSet<u32>>,
    end: Time,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a TreeScenario) -> Self {
        let mut run = Self {
            scenario,
            world: World::new(scenario.room.clone()),
            authors: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(scenario.seed),
            acts: Queue::new(),
            dead: vec![BTreeSet::new(); scenario.nodes as usize],
            end: START,
        };
        for _ in 0..scenario.nodes {
            let rate = scenario
                .megabits
                .map(|[least, most]| run.rng.random_range(least..=most) * 1_000_000.0 / 8.0);
            run.world.add(rate);
        }
        run.draw();
        run
    }

    /// Links by chance, with a ring through all nodes, so that the graph is connected.
    fn draw(&mut self) {
        let nodes = self.scenario.nodes;
        let mut order: Vec<u32> = (0..nodes).collect();
        order.shuffle(&mut self.rng);
        for (place, node) in order.iter().enumerate() {
            self.link(*node, order[(place + 1) % order.len()]);
        }
        for node in &order {
            for _ in 0..TRIES {
                let peer = self.rng.random_range(0..nodes);
                if self.lacks(*node) && self.lacks(peer) {
                    self.link(*node, peer);
                }
            }
        }
        order.shuffle(&mut self.rng);
        order.truncate(self.scenario.authors as usize);
        self.authors = order;
    }

    fn lacks(&self, node: u32) -> bool {
        self.world.hosts[node as usize].courses.len() < self.scenario.degree
    }

    fn link(&mut self, a: u32, b: u32) {
        if a != b && !self.world.is_linked(a, b) {
            let (least, most) = (self.scenario.latency.least, self.scenario.latency.most);
            let latency = self.rng.random_range(least.as_micros() as u64..=most.as_micros() as u64);
            self.world.link(a, b, Duration::from_micros(latency), None);
        }
    }

    /// Authors publish at the same pace, but not at the same moments.
    fn plan(&mut self) {
        let TreeScenario { every, warmup, frames, .. } = *self.scenario;
        for author in self.authors.clone() {
            let phase = every.mul_f64(self.rng.random());
            for frame in 0..warmup + frames {
                self.acts.push(START + every * frame + phase, Act::Publish(author));
            }
        }
        self.end = START + every * (warmup + frames) + self.scenario.drain;
        if self.scenario.kill > 0.0 {
            let kill = START + every * warmup;
            self.acts.push(kill, Act::Kill);
            self.acts.push(kill + self.scenario.detect, Act::Bury);
        }
    }

    fn perform(&mut self) {
        while let Some((at, act)) = self.acts.pop(self.end) {
            self.world.run_until(at);
            match act {
                Act::Publish(author) if self.world.has_room(author) => {
                    self.world.publish(author, self.scenario.bytes);
                }
                Act::Publish(author) => {
                    self.acts.push(at + Duration::from_millis(1), Act::Publish(author));
                }
                Act::Kill => self.kill(),
                Act::Bury => self.bury(at),
                Act::Dial => self.dial(at),
            }
        }
        self.world.run_until(self.end);
    }

    fn kill(&mut self) {
        let authors = &self.authors;
        let mut mortal: Vec<u32> =
            (0..self.scenario.nodes).filter(|node| !authors.contains(node)).collect();
        mortal.shuffle(&mut self.rng);
        let count = f64::from(self.scenario.nodes) * self.scenario.kill;
        mortal.truncate(count as usize);
        mortal.iter().for_each(|node| self.world.kill(*node));
    }

    /// All know of those of their neighbours that died.
    fn bury(&mut self, now: Time) {
        for node in self.living() {
            let peers: Vec<u32> = self.world.hosts[node as usize].courses.keys().copied().collect();
            for peer in peers {
                if !self.world.hosts[peer as usize].alive {
                    self.dead[node as usize].insert(peer);
                    self.world.unlink(node, peer);
                }
            }
        }
        self.dial(now);
    }

    /// Who lacks links dials addresses it knows.
    fn dial(&mut self, now: Time) {
        for node in self.living() {
            for _ in 0..DIALS {
                let peer = self.rng.random_range(0..self.scenario.nodes);
                if !self.lacks(node) || self.dead[node as usize].contains(&peer) {
                    continue;
                }
                let full =
                    self.world.hosts[peer as usize].courses.len() >= 2 * self.scenario.degree;
                if !self.world.hosts[peer as usize].alive {
                    self.dead[node as usize].insert(peer);
                } else if !full {
                    self.link(node, peer);
                }
            }
        }
        self.acts.push(now + self.scenario.dial, Act::Dial);
    }

    fn living(&self) -> Vec<u32> {
        (0..self.scenario.nodes).filter(|node| self.world.hosts[*node as usize].alive).collect()
    }
}
