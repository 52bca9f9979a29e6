//! What is measured in a world: who knew of a crash when, and when the views were one again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::look::News;
use super::scene::{Fortune, Scene, Sign, Truth};
use crate::base::id::{Life, NodeId};
use crate::base::time::Time;

/// One life of a node.
type One = (u32, Life);

/// A process that ended without a word, and who knows it.
#[derive(Debug)]
struct Crash {
    who: One,
    at: Time,
    known: BTreeMap<u32, Time>,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    open: Vec<Crash>,
    /// When each node started last.
    started: BTreeMap<u32, Time>,
    /// From a crash until it was known to all who were there all the time.
    pub detections: Vec<Duration>,
    /// Crashes that somebody does not know of in the end.
    pub undetected: u64,
    /// From the last disturbance until the views of all were equal and complete.
    pub heal: Option<Duration>,
    healed_for: Time,
    looked: Option<Time>,
    verdicts: BTreeSet<One>,
    /// Those of them whose process was there.
    false_verdicts: BTreeSet<One>,
    pub suspicions: u64,
    pub resets: u64,
}

/// Up to so many nodes views are compared at every look, above once a second.
const OFTEN: u32 = 64;

impl Tally {
    pub fn false_verdicts(&self) -> u64 {
        self.false_verdicts.len() as u64
    }

    pub fn verdicts(&self) -> u64 {
        self.verdicts.len() as u64
    }

    pub fn truth(&mut self, truth: &Truth, scene: &dyn Scene) {
        match truth.fortune {
            Fortune::Started => {
                // Who is back before everybody knew is no measurement.
                self.close(scene, |crash| crash.who.0 == truth.node, false);
                self.started.insert(truth.node, truth.at);
            }
            Fortune::Crashed => {
                let who = (truth.node, truth.life);
                self.open.push(Crash { who, at: truth.at, known: BTreeMap::new() });
            }
            Fortune::Left => {}
        }
    }

    pub fn sign(&mut self, sign: &Sign, scene: &dyn Scene) {
        match (sign.news, sign.about) {
            (News::Suspected(_), _) => self.suspicions += 1,
            (News::Reset, _) => self.resets += 1,
            (News::Down(_, life), Some(about)) => self.verdict(sign, (about, life), scene),
            _ => {}
        }
    }

    fn verdict(&mut self, sign: &Sign, who: One, scene: &dyn Scene) {
        self.verdicts.insert(who);
        if scene.is_up(who.0) && scene.life(who.0) == who.1 {
            self.false_verdicts.insert(who);
        }
        for crash in self.open.iter_mut().filter(|crash| crash.who == who) {
            crash.known.entry(sign.by).or_insert(sign.at);
        }
    }

    /// Compares the views of all until they are one again after the last disturbance.
    pub fn look(&mut self, scene: &dyn Scene) {
        let (now, disturbed) = (scene.now(), scene.disturbed());
        if disturbed > self.healed_for {
            self.heal = None;
            self.healed_for = disturbed;
        }
        let rest = if scene.nodes() <= OFTEN { Duration::ZERO } else { Duration::from_secs(1) };
        let rested = self.looked.is_none_or(|looked| now.since(looked) >= rest);
        if self.heal.is_some() || !scene.is_over() || !rested {
            return;
        }
        self.looked = Some(now);
        if views_are_one(scene) {
            self.heal = Some(now.since(disturbed));
        }
    }

    pub fn end(&mut self, scene: &dyn Scene) {
        self.close(scene, |_| true, true);
    }

    fn close(&mut self, scene: &dyn Scene, which: impl Fn(&Crash) -> bool, counts: bool) {
        let all = std::mem::take(&mut self.open).into_iter();
        let (ended, open): (Vec<Crash>, Vec<Crash>) = all.partition(|crash| which(crash));
        self.open = open;
        for crash in ended {
            let was_there = |node: &u32| {
                *node != crash.who.0
                    && self.started.get(node).is_some_and(|started| *started <= crash.at)
            };
            let witnesses: Vec<u32> = scene.living().into_iter().filter(was_there).collect();
            let known: Option<Vec<Time>> =
                witnesses.iter().map(|node| crash.known.get(node).copied()).collect();
            match known.and_then(|times| times.into_iter().max()) {
                Some(last) => self.detections.push(last.since(crash.at)),
                None if counts && !witnesses.is_empty() => self.undetected += 1,
                None => {}
            }
        }
    }
}

/// All living nodes see the same active view, and it is the living nodes.
pub(crate) fn views_are_one(scene: &dyn Scene) -> bool {
    let living = scene.living();
    let mut ids: Vec<NodeId> = living.iter().map(|node| scene.id(*node)).collect();
    ids.sort_unstable();
    living.iter().all(|node| scene.look(*node).is_some_and(|look| look.sees_exactly(&ids)))
}
