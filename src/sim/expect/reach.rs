//! Always checked: who can speak with a quorum stays, and who cannot puts nobody out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::expectation::{Expectation, Holds};
use crate::base::id::{Incarnation, NodeId};
use crate::base::time::Time;
use crate::protocol::membership::Phase;
use crate::sim::host::Power;
use crate::sim::look::News;
use crate::sim::scene::{Scene, Sign};

/// Votes of one round are at most so far apart, and a verdict follows the last of them: what was
/// true of the network for longer is what the verdict was made in.
const MEMORY: Duration = Duration::from_secs(5);

/// Of the first sign of each verdict: nobody was put out who had been reached all the time by so
/// many voters that those left are no quorum (S3), and whoever published it had reached more than
/// half of those it counts lately (S6).
#[derive(Default)]
pub(super) struct VerdictsAreJust {
    /// No node cheats.
    honest: bool,
    seen: BTreeSet<(u32, Incarnation)>,
    /// Since when so many members reach a node that a quorum cannot miss it.
    reached: BTreeMap<u32, Time>,
    /// When a node last reached more than half of those it counts.
    central: BTreeMap<u32, Time>,
}

impl VerdictsAreJust {
    pub fn new(honest: bool) -> Self {
        Self { honest, ..Self::default() }
    }
}

fn touch(scene: &dyn Scene, one: u32, other: u32) -> bool {
    scene.power(other) == Power::On && scene.flows(one, other) && scene.flows(other, one)
}

/// How many of these a node reaches, itself included.
fn near(scene: &dyn Scene, node: u32, members: &BTreeSet<NodeId>) -> usize {
    let counts = |other: &u32| {
        members.contains(&scene.id(*other)) && (*other == node || touch(scene, node, *other))
    };
    (0..scene.nodes()).filter(counts).count()
}

impl Expectation for VerdictsAreJust {
    fn look(&mut self, scene: &dyn Scene) -> Holds {
        let on = |node: &u32| scene.power(*node) == Power::On;
        let looks =
            (0..scene.nodes()).filter(on).filter_map(|node| Some((node, scene.look(node)?)));
        let counted: BTreeMap<u32, BTreeSet<NodeId>> =
            looks.map(|(node, look)| (node, look.denominators().into_iter().collect())).collect();
        // Whoever is behind counts others than those do who judge it.
        let memberships: BTreeSet<&BTreeSet<NodeId>> = counted.values().collect();
        self.reached.retain(|node, _| counted.contains_key(node));
        for (node, own) in &counted {
            if near(scene, *node, own) * 2 > own.len() {
                self.central.insert(*node, scene.now());
            }
            // Of n members, the node among them, fewer than a majority miss it.
            let is_missed = |members: &BTreeSet<NodeId>| {
                members.len() - near(scene, *node, members) > members.len() / 2
            };
            let id = scene.id(*node);
            let by_them = memberships.iter().filter(|members| members.contains(&id));
            if by_them.copied().chain([own]).any(is_missed) {
                self.reached.remove(node);
            } else {
                self.reached.entry(*node).or_insert_with(|| scene.now());
            }
        }
        Ok(())
    }

    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let (News::Down(about, life), Some(number)) = (sign.news, sign.about) else {
            return Ok(());
        };
        let look = scene.look(sign.by).filter(|look| look.phase() == Phase::Active);
        let record = look.and_then(|look| look.record(about));
        let Some(record) = record.filter(|record| record.incarnation.life == life) else {
            return Ok(());
        };
        if !self.seen.insert((number, record.incarnation)) || !self.honest {
            return Ok(());
        }
        let (by, about, at) = (sign.by + 1, number + 1, sign.at.as_micros() as f64 / 1e6);
        let ago = |time: &Time| sign.at.since(*time);
        let central = self.central.get(&sign.by).is_some_and(|time| ago(time) <= MEMORY);
        if !central {
            return Err(format!("at {at:.3} s node {by} puts out node {about} from a minority"));
        }
        let alive = scene.is_up(number) && scene.life(number) == life;
        let reached = self.reached.get(&number).is_some_and(|since| ago(since) > MEMORY);
        match alive && reached {
            true => Err(format!(
                "at {at:.3} s node {by} puts out node {about}, which a quorum reached all the time"
            )),
            false => Ok(()),
        }
    }
}
