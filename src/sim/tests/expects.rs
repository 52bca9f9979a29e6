//! Expectations and measurements, in a scene that is made up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::time::Time;
use crate::sim::expect::{self, Expectation};
use crate::sim::host::Power;
use crate::sim::look::{Look, News};
use crate::sim::scene::{Fortune, Scene, Sign, Truth};
use crate::sim::tally::Tally;

const NODES: u32 = 5;

fn id(node: u32) -> NodeId {
    SecretKey::from_seed([node as u8; 32]).id()
}

#[derive(Default)]
struct MadeUp {
    down: BTreeSet<u32>,
    lives: BTreeMap<u32, Life>,
    cut: BTreeSet<(u32, u32)>,
}

impl Scene for MadeUp {
    fn now(&self) -> Time {
        Time::ZERO
    }

    fn nodes(&self) -> u32 {
        NODES
    }

    fn id(&self, node: u32) -> NodeId {
        id(node)
    }

    fn power(&self, node: u32) -> Power {
        if self.down.contains(&node) { Power::Off } else { Power::On }
    }

    fn life(&self, node: u32) -> Life {
        self.lives.get(&node).copied().unwrap_or(Life(1))
    }

    fn is_hostile(&self, _: u32) -> bool {
        false
    }

    fn look(&self, _: u32) -> Option<&dyn Look> {
        None
    }

    fn passes(&self, from: u32, to: u32) -> bool {
        !self.cut.contains(&(from, to))
    }

    fn disturbed(&self) -> Time {
        Time::ZERO
    }

    fn is_over(&self) -> bool {
        true
    }
}

fn at(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

fn sign(millis: u64, by: u32, news: News, about: Option<u32>) -> Sign {
    Sign { at: at(millis), by, news, about }
}

fn verdict(millis: u64, by: u32, about: u32, life: u64) -> Sign {
    sign(millis, by, News::Down(id(about), Life(life)), Some(about))
}

fn truth(millis: u64, node: u32, fortune: Fortune) -> Truth {
    Truth { at: at(millis), node, life: Life(1), fortune }
}

/// The expectation of a line.
fn of(lines: &str) -> Box<dyn Expectation> {
    let mut found = expect::lines(&toml::from_str(lines).unwrap()).unwrap();
    found.pop().unwrap().1
}

#[test]
fn a_verdict_on_who_is_there_is_false_and_one_on_an_old_life_is_not() {
    let mut scene = MadeUp::default();
    let mut line = of("no_false_verdicts = true");
    assert!(
        line.sign(&verdict(9, 0, 1, 1), &scene).unwrap_err().contains("node 1 puts out node 2")
    );
    scene.lives.insert(1, Life(2));
    assert!(line.sign(&verdict(9, 0, 1, 1), &scene).is_ok(), "of an earlier life");
    scene.down.insert(1);
    assert!(line.sign(&verdict(9, 0, 1, 2), &scene).is_ok(), "of a dead one");
    let mut line = of("may_be_put_out = [3]\nno_false_verdicts = true");
    assert!(line.sign(&verdict(9, 0, 2, 1), &scene).is_ok(), "excepted");
}

#[test]
fn a_minority_may_not_put_out() {
    let mut scene = MadeUp::default();
    let mut line = of("verdicts_only_by = 'majority'");
    assert!(line.sign(&verdict(9, 0, 1, 1), &scene).is_ok());
    scene.cut.extend([(0, 2), (3, 0), (0, 4)]);
    assert!(line.sign(&verdict(9, 0, 1, 1), &scene).unwrap_err().contains("only 2 of 5"));
    assert!(line.sign(&sign(9, 0, News::Suspected(id(1)), Some(1)), &scene).is_ok());
}

#[test]
fn counts_and_bans_fall_with_the_first_too_many() {
    let scene = MadeUp::default();
    let suspected = sign(5, 0, News::Suspected(id(1)), Some(1));
    let mut line = of("at_most_suspicions = 2");
    assert!(line.sign(&suspected, &scene).is_ok());
    assert!(line.sign(&suspected, &scene).is_ok());
    assert!(line.sign(&suspected, &scene).is_err());
    assert!(of("no_resets = true").sign(&sign(5, 3, News::Reset, None), &scene).is_err());
    assert!(of("nobody_put_out = true").sign(&verdict(5, 3, 1, 1), &scene).is_err());
    assert_eq!(expect::lines(&toml::from_str("no_resets = false").unwrap()).unwrap().len(), 0);
}

#[test]
fn a_crash_is_detected_when_the_last_who_was_there_knows() {
    let mut scene = MadeUp::default();
    let mut tally = Tally::default();
    (0..NODES).for_each(|node| tally.truth(&truth(0, node, Fortune::Started), &scene));
    tally.truth(&truth(1_000, 1, Fortune::Crashed), &scene);
    scene.down.insert(1);
    // Node 4 started after the crash and is not asked.
    tally.truth(&truth(1_100, 4, Fortune::Started), &scene);
    for (millis, by) in [(2_400, 0), (2_500, 2), (2_450, 3), (9_000, 2)] {
        tally.sign(&verdict(millis, by, 1, 1), &scene);
    }
    tally.end(&scene);
    assert_eq!(tally.detections, [Duration::from_millis(1_500)]);
    assert_eq!((tally.undetected, tally.verdicts(), tally.false_verdicts()), (0, 1, 0));
}

#[test]
fn a_crash_that_somebody_does_not_know_of_is_undetected() {
    let mut scene = MadeUp::default();
    let mut tally = Tally::default();
    (0..NODES).for_each(|node| tally.truth(&truth(0, node, Fortune::Started), &scene));
    tally.truth(&truth(1_000, 1, Fortune::Crashed), &scene);
    scene.down.insert(1);
    tally.sign(&verdict(2_000, 0, 1, 1), &scene);
    tally.sign(&verdict(2_000, 0, 3, 1), &scene);
    tally.end(&scene);
    assert!(tally.detections.is_empty());
    assert_eq!((tally.undetected, tally.verdicts(), tally.false_verdicts()), (1, 2, 1));
}
