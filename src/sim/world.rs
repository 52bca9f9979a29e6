//! A whole world, from its first moment to its end, and who watches it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::bare::BareNodes;
use super::cast::{Breed, Engines};
use super::expect::{self, Expectation};
use super::report::Outcome;
use super::scenario::{Fault, Rooms, Scenario};
use super::scene::{Scene, Sign, Truth};
use super::stage::{Stage, Step};
use super::tally::Tally;
use crate::base::time::Time;

/// Events between two looks at the wish to stop.
const STOP_EVERY: u64 = 4_096;

/// Everything a run left behind.
pub(crate) struct Run {
    pub outcome: Outcome,
    /// What nodes told, where it was asked for.
    pub signs: Vec<Sign>,
    /// What became of processes, where it was asked for.
    pub truths: Vec<Truth>,
}

/// Runs one world with these faults, which chance is no part of. `None` when it was stopped.
pub(crate) fn run_world(
    scenario: &Scenario,
    seed: u64,
    faults: &[Fault],
    keep_signs: bool,
    stop: &AtomicBool,
) -> Option<Run> {
    match scenario.rooms {
        Rooms::All => World::new(scenario, Engines(scenario), seed, faults, keep_signs).run(stop),
        Rooms::Membership => {
            World::new(scenario, BareNodes(scenario), seed, faults, keep_signs).run(stop)
        }
    }
}

/// A world and its watchers.
pub(crate) struct World<'a, B: Breed> {
    stage: Stage<'a, B>,
    seed: u64,
    end: Time,
    tally: Tally,
    expectations: Vec<(String, Box<dyn Expectation>)>,
    broken: Option<String>,
    kept: Option<(Vec<Sign>, Vec<Truth>)>,
}

impl<'a, B: Breed> World<'a, B> {
    /// A world before its first moment.
    pub fn new(
        scenario: &'a Scenario,
        breed: B,
        seed: u64,
        faults: &[Fault],
        keep_signs: bool,
    ) -> Self {
        Self {
            stage: Stage::new(scenario, breed, seed, faults),
            seed,
            end: Time::ZERO + scenario.duration.0,
            tally: Tally::default(),
            expectations: expect::all(scenario),
            broken: None,
            kept: keep_signs.then(Default::default),
        }
    }

    /// Runs to the end; `None` when it was stopped.
    pub fn run(mut self, stop: &AtomicBool) -> Option<Run> {
        let mut steps = 0_u64;
        loop {
            steps += 1;
            if steps.is_multiple_of(STOP_EVERY) && stop.load(Ordering::Relaxed) {
                return None;
            }
            let step = self.stage.step(self.end);
            if !self.stage.signs.is_empty() || !self.stage.truths.is_empty() {
                self.hear();
            }
            match step {
                Step::Done => {}
                Step::Look => self.look(),
                Step::Over => break,
            }
        }
        Some(self.finish())
    }

    fn hear(&mut self) {
        let truths = std::mem::take(&mut self.stage.truths);
        for truth in &truths {
            self.tally.truth(truth, &self.stage);
            self.ask(|expectation, stage| expectation.truth(truth, stage));
        }
        let mut signs = std::mem::take(&mut self.stage.signs);
        for sign in &signs {
            self.tally.sign(sign, &self.stage);
            self.ask(|expectation, stage| expectation.sign(sign, stage));
        }
        if let Some((kept, told)) = &mut self.kept {
            kept.append(&mut signs);
            told.extend(truths);
        }
        // Their memory is used again.
        signs.clear();
        self.stage.signs = signs;
    }

    fn look(&mut self) {
        self.tally.look(&self.stage);
        self.ask(|expectation, stage| expectation.look(stage));
    }

    /// The first expectation that falls is what is told.
    fn ask(&mut self, question: impl Fn(&mut dyn Expectation, &dyn Scene) -> Result<(), String>) {
        for (name, expectation) in &mut self.expectations {
            if let Err(reason) = question(expectation.as_mut(), &self.stage) {
                self.broken.get_or_insert_with(|| format!("{name}: {reason}"));
            }
        }
    }

    fn finish(mut self) -> Run {
        self.tally.end(&self.stage);
        let scenario = self.stage.scenario;
        let whole = f64::from(scenario.nodes) * scenario.duration.0.as_secs_f64();
        let (sent, tally) = (self.stage.sent, &self.tally);
        let mut outcome = Outcome {
            seed: self.seed,
            trace: self.stage.trace.hash(),
            events: self.stage.trace.events,
            detections: tally.detections.clone(),
            undetected: tally.undetected,
            heal: tally.heal,
            verdicts: tally.verdicts(),
            false_verdicts: tally.false_verdicts(),
            suspicions: tally.suspicions,
            resets: tally.resets,
            refused: refused(&self.stage),
            messages: sent.all.messages as f64 / whole,
            bytes: sent.all.bytes as f64 / whole,
            membership_messages: sent.membership.messages as f64 / whole,
            membership_bytes: sent.membership.bytes as f64 / whole,
            connections: sent.connections as f64 / f64::from(scenario.nodes),
            published: sent.published,
            delivered: sent.delivered,
            broken: None,
        };
        self.ask(|expectation, stage| expectation.end(&outcome, stage));
        outcome.broken = self.broken;
        let (signs, truths) = self.kept.unwrap_or_default();
        Run { outcome, signs, truths }
    }
}

/// What honest nodes that are there have refused since they started.
fn refused(scene: &dyn Scene) -> u64 {
    let honest = (0..scene.nodes()).filter(|node| !scene.is_hostile(*node));
    honest.filter_map(|node| Some(scene.look(node)?.refused())).sum()
}
