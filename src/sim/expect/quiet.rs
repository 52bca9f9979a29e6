//! Always checked: where nothing is wrong nothing happens, and what was begun ends.

use std::collections::BTreeMap;
use std::time::Duration;

use super::expectation::{Expectation, Holds};
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::membership::Phase;
use crate::sim::host::Power;
use crate::sim::look::News;
use crate::sim::scene::{Scene, Sign, Truth};

/// Looks per second.
const LOOKS: u32 = 10;

/// In a world in which nothing goes wrong nobody is suspected, nobody doubts itself and nobody is
/// put out (S7).
pub(super) struct NothingFromNothing;

impl Expectation for NothingFromNothing {
    fn sign(&mut self, sign: &Sign, _: &dyn Scene) -> Holds {
        let at = sign.at.as_micros() as f64 / 1e6;
        match sign.news {
            News::Suspected(_)
            | News::LinkDown(_)
            | News::Down(..)
            | News::SelfDoubt
            | News::Isolated
            | News::Reset
            | News::TakenDown => Err(format!(
                "at {at:.3} s node {} says `{}`, and nothing is wrong",
                sign.by + 1,
                sign.news.name()
            )),
            _ => Ok(()),
        }
    }
}

/// Every round of questions ends (L2).
pub(super) struct RoundsEnd {
    /// The longest a round may take.
    pub within: Duration,
    /// For how many looks a round has been open at a node that runs.
    pub open: BTreeMap<(u32, NodeId, Time), u32>,
}

impl Expectation for RoundsEnd {
    fn look(&mut self, scene: &dyn Scene) -> Holds {
        let mut open = BTreeMap::new();
        for by in (0..scene.nodes()).filter(|by| !scene.is_hostile(*by)) {
            let Some(look) = scene.look(by) else { continue };
            for (about, begun) in look.rounds() {
                let before = self.open.get(&(by, about, begun)).copied().unwrap_or(0);
                let more = u32::from(scene.power(by) == Power::On);
                open.insert((by, about, begun), before + more);
            }
        }
        self.open = open;
        let late = self.open.iter().find(|(_, looks)| **looks / LOOKS > seconds(self.within));
        late.map_or(Ok(()), |((by, about, _), _)| {
            Err(format!("the round of node {} about {about} does not end", by + 1))
        })
    }
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

/// An isolated node that reaches all that are there is a member again: within the longest wait
/// between two tries, and the time for those that are dead (L4).
#[derive(Default)]
pub(super) struct IsolationEnds(BTreeMap<u32, u32>);

/// Two longest waits.
const LONGEST_ISOLATION: u32 = 60;

impl Expectation for IsolationEnds {
    fn look(&mut self, scene: &dyn Scene) -> Holds {
        let isolated = |node: &u32| {
            scene.power(*node) == Power::On
                && scene.look(*node).is_some_and(|look| look.phase() == Phase::Isolated)
        };
        let alone: Vec<u32> = (0..scene.nodes()).filter(isolated).collect();
        self.0.retain(|node, _| alone.contains(node));
        for node in alone {
            let living = scene.living();
            let is_active =
                |other: &u32| scene.look(*other).is_some_and(|look| look.phase() == Phase::Active);
            let flows = |other: &u32| {
                *other == node || scene.flows(node, *other) && scene.flows(*other, node)
            };
            if !living.iter().any(is_active) || !living.iter().all(flows) {
                self.0.remove(&node);
                continue;
            }
            let looks = self.0.entry(node).or_default();
            *looks += 1;
            if *looks / LOOKS > LONGEST_ISOLATION {
                return Err(format!("node {} stays isolated among friends", node + 1));
            }
        }
        Ok(())
    }
}

/// Who is counted for quorums is who is active, once nothing has changed for a while (L5).
#[derive(Default)]
pub(super) struct AgreementFollows {
    changed: Time,
}

/// So long after the last change of any view.
const QUIET: Duration = Duration::from_secs(10);

impl Expectation for AgreementFollows {
    fn sign(&mut self, sign: &Sign, _: &dyn Scene) -> Holds {
        let changes = !matches!(
            sign.news,
            News::Suspected(_) | News::QuorumUnavailable(_) | News::SelfDoubt | News::LinkDown(_)
        );
        if changes {
            self.changed = sign.at;
        }
        Ok(())
    }

    fn truth(&mut self, truth: &Truth, _: &dyn Scene) -> Holds {
        self.changed = truth.at;
        Ok(())
    }

    fn look(&mut self, scene: &dyn Scene) -> Holds {
        let last = self.changed.max(scene.disturbed());
        if scene.now().since(last) < QUIET {
            return Ok(());
        }
        let living = scene.living();
        let calm = |one: &u32| {
            scene.power(*one) == Power::On && living.iter().all(|other| scene.flows(*one, *other))
        };
        if !living.iter().all(calm) {
            self.changed = scene.now();
            return Ok(());
        }
        let differs = |node: &u32| {
            let look = scene.look(*node).filter(|look| look.phase() == Phase::Active);
            !scene.is_hostile(*node)
                && look.is_some_and(|look| look.active() != look.denominators())
        };
        match living.iter().find(|node| differs(node)) {
            Some(node) => Err(format!(
                "at {:.1} s node {} counts others than it sees, long after the last change",
                scene.now().as_micros() as f64 / 1e6,
                node + 1
            )),
            None => Ok(()),
        }
    }
}
