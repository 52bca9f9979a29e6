//! Processes start, end, pause and go on; the network changes.

use std::collections::{BTreeSet, HashSet};

use super::cast::{Birth, Breed, Cast};
use super::clock::Clock;
use super::happening::Happening;
use super::host::Power;
use super::scene::{Fortune, Truth};
use super::schedule::Act;
use super::stage::Stage;
use super::workload;
use crate::base::id::{Incarnation, Life};
use crate::base::time::{Time, WallTime};
use crate::engine::Input;
use crate::store::op::{Op, Space};

/// The wall clock when the world begins: 2023-11-14.
pub(crate) const WALL: WallTime = WallTime(1_700_000_000_000_000);

const LIFE: &[u8] = b"life";

impl<B: Breed> Stage<'_, B> {
    /// A line of the schedule.
    pub fn act(&mut self, act: &Act) {
        self.acts_left = self.acts_left.saturating_sub(1);
        self.disturbed = self.now;
        match act {
            Act::Crash { node, silent } => {
                self.crash(*node, if *silent { Power::Dark } else { Power::Off });
            }
            Act::Start { node } => self.start(*node),
            Act::Pause { node } => {
                let host = self.host(*node);
                if host.power == Power::On {
                    host.power = Power::Paused;
                }
            }
            Act::Resume { node } => self.resume(*node),
            Act::Leave { node } => self.later(self.now, *node, Input::Leave),
            Act::Jump { node, by } => {
                self.host(*node).clock.jump(*by);
                self.host(*node).wake = None;
                self.set_alarm(*node);
            }
            network => self.weather.change(network),
        }
    }

    /// Starts a node whose process is not there.
    pub fn start(&mut self, node: u32) {
        if self.host(node).node.is_some() {
            return;
        }
        let now = self.now;
        let life = self.begin_life(node);
        let host = &mut self.hosts[node as usize];
        host.generation += 1;
        host.power = Power::On;
        host.life = life;
        host.incarnation = Incarnation { life, refutations: 0 };
        host.bars.clear();
        host.wake = None;
        host.clock = Clock::new(now, host.skew);
        let birth = Birth {
            node,
            life,
            started: WALL.at(now),
            disk: &host.disk,
            formed: now == Time::ZERO && self.scenario.start == super::scenario::Start::Formed,
        };
        host.node = Some(self.breed.start(&self.cast, birth));
        self.truths.push(Truth { at: now, node, life, fortune: Fortune::Started });
        self.trace.note(now, node, 200, [life.0, 0]);
        self.input(node, Input::Listening { addresses: vec![Cast::address(node)] });
        workload::subscribe(self, node);
    }

    /// The rule of the product: above the stored life, and not below the wall clock.
    fn begin_life(&mut self, node: u32) -> Life {
        let clock = WALL.at(self.now).as_millis();
        let model = self.scenario.disk;
        let disk = &mut self.hosts[node as usize].disk;
        let last = disk.read(Space::Node, LIFE).and_then(|bytes| bytes.try_into().ok());
        let life = clock.max(last.map_or(0, u64::from_be_bytes).saturating_add(1));
        let (key, value) = (LIFE.to_vec(), life.to_be_bytes().to_vec());
        // A node whose store fails goes on without one.
        let _ = disk.write(&[Op::Put { space: Space::Node, key, value }], &model, &mut self.rng);
        Life(life)
    }

    /// The process is gone without a word of its own.
    pub fn crash(&mut self, node: u32, power: Power) {
        if self.host(node).node.is_none() {
            // A machine that is off can still lose its power.
            self.host(node).power = power;
            return;
        }
        self.trace.note(self.now, node, 201, [0, 0]);
        let links: Vec<u64> = self.host(node).links.iter().map(|(_, link)| *link).collect();
        for link in links {
            let Some(connection) = self.connections.get(&link) else { continue };
            let end = connection.end_of(node);
            if power != Power::Dark {
                self.tell_end(link, end);
            }
            self.forget_end(link, end);
        }
        let now = self.now;
        let host = self.host(node);
        host.node = None;
        host.power = power;
        host.generation += 1;
        host.held.clear();
        host.links.clear();
        let asked = std::mem::take(&mut host.asked);
        host.joined = BTreeSet::new();
        host.neighbours = BTreeSet::new();
        host.heard = HashSet::new();
        host.disk.crash();
        let life = host.life;
        for (_, name) in asked {
            self.questions.remove(&name);
        }
        self.truths.push(Truth { at: now, node, life, fortune: Fortune::Crashed });
    }

    /// The node has said its good-bye.
    pub fn end_politely(&mut self, node: u32) {
        // After what it still wants in this turn.
        self.crash(node, Power::Off);
        if let Some(truth) = self.truths.last_mut() {
            truth.fortune = Fortune::Left;
        }
    }

    /// What came meanwhile is delivered at once; the clock has gone on.
    fn resume(&mut self, node: u32) {
        let host = self.host(node);
        if host.power != Power::Paused {
            return;
        }
        host.power = Power::On;
        let held: Vec<Happening> = std::mem::take(&mut host.held).into();
        held.into_iter().for_each(|happening| self.happen(happening));
        self.host(node).wake = None;
        self.set_alarm(node);
    }
}
