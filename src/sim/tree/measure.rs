//! What came of a run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use super::report::{Said, TreeReport};
use super::run::Run;
use super::world::Published;
use crate::base::time::Time;
use crate::protocol::tree::TreeStats;

impl Run<'_> {
    /// Looks at every measured frame and every node that is alive at the end.
    pub(super) fn report(&self) -> TreeReport {
        let measured = self.measured();
        let living: Vec<usize> =
            (0..self.world.hosts.len()).filter(|node| self.world.hosts[*node].alive).collect();
        let mut times: Vec<Duration> = Vec::new();
        let mut lasts: Vec<Option<Duration>> = Vec::new();
        let (mut copies, mut places, mut reached) = (0, 0, 1.0_f64);
        for frame in &measured {
            let all = living.iter().filter(|node| **node != frame.author as usize);
            let came: Vec<Option<Duration>> =
                all.map(|node| frame.came[*node].map(|at| at.since(frame.at))).collect();
            let got = came.iter().flatten().count();
            reached = reached.min(share(got as u64, came.len() as u64));
            copies += frame.copies - frame_firsts(frame);
            places += came.len() as u64;
            let last = came.iter().flatten().max().copied();
            lasts.push(last.filter(|_| got == came.len()));
            times.extend(came.into_iter().flatten());
        }
        times.sort_unstable();
        let whole = self.whole(&measured, &lasts);
        let mut report = TreeReport {
            about: self.scenario.about.clone(),
            nodes: self.scenario.nodes,
            seed: self.scenario.seed,
            live: living.len() as u32,
            frames: measured.len() as u32,
            reached,
            p50: quantile(&times, 0.5),
            p99: quantile(&times, 0.99),
            last: quantile(&times, 1.0),
            all: lasts
                .iter()
                .copied()
                .collect::<Option<Vec<_>>>()
                .and_then(|all| all.into_iter().max()),
            whole,
            stretches: self.stretches(&measured, &lasts),
            extra_copies: share(copies, places),
            said: self.said(),
            failures: Vec::new(),
        };
        report.failures = report.judge(&self.scenario.expect);
        report
    }

    /// The frames after the warm-up, in the order of their publishing.
    fn measured(&self) -> Vec<&Published> {
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        let late = |frame: &&Published| {
            let count = counts.entry(frame.author).or_default();
            *count += 1;
            *count > self.scenario.warmup
        };
        self.world.published.iter().filter(late).collect()
    }

    /// From the first publishing until all frames were everywhere.
    fn whole(&self, measured: &[&Published], lasts: &[Option<Duration>]) -> Option<Duration> {
        let first = measured.iter().map(|frame| frame.at).min()?;
        let ends = measured.iter().zip(lasts).map(|(frame, last)| Some(frame.at + (*last)?));
        let ends: Vec<Time> = ends.collect::<Option<_>>()?;
        ends.into_iter().max().map(|end| end.since(first))
    }

    /// Per frame, how much later than over the shortest way its last node was reached; sorted.
    fn stretches(&self, measured: &[&Published], lasts: &[Option<Duration>]) -> Vec<f64> {
        let links = self.world.living_links();
        let mut farthest: BTreeMap<u32, Duration> = BTreeMap::new();
        let mut stretches: Vec<f64> = measured
            .iter()
            .zip(lasts)
            .filter_map(|(frame, last)| {
                let author = frame.author;
                let far = *farthest.entry(author).or_insert_with(|| shortest(&links, author));
                Some((*last)?.as_secs_f64() / far.as_secs_f64().max(1e-6))
            })
            .collect();
        stretches.sort_unstable_by(f64::total_cmp);
        stretches
    }

    fn said(&self) -> Said {
        let sum = |of: fn(TreeStats) -> u64| self.world.stats().map(of).sum();
        Said {
            announced: sum(|stats| stats.announced),
            grafts_for_missing: sum(|stats| stats.grafts_for_missing),
            grafts_for_latency: sum(|stats| stats.grafts_for_latency),
            prunes: sum(|stats| stats.prunes),
            demoted: sum(|stats| stats.demoted_slow + stats.demoted_stuck + stats.demoted_yielding),
            unrepaired: sum(|stats| stats.unrepaired),
        }
    }
}

/// Nodes, living or not, to which a frame came.
fn frame_firsts(frame: &Published) -> u64 {
    frame.came.iter().flatten().count() as u64 - 1
}

/// How long the shortest way to the farthest node takes (Dijkstra).
fn shortest(links: &BTreeMap<u32, Vec<(u32, Duration)>>, author: u32) -> Duration {
    let mut known: BTreeMap<u32, Duration> = BTreeMap::new();
    let mut heap = BinaryHeap::from([Reverse((Duration::ZERO, author))]);
    while let Some(Reverse((far, node))) = heap.pop() {
        if known.contains_key(&node) {
            continue;
        }
        known.insert(node, far);
        for (peer, latency) in links.get(&node).into_iter().flatten() {
            heap.push(Reverse((far + *latency, *peer)));
        }
    }
    known.values().max().copied().unwrap_or_default()
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 1.0 } else { part as f64 / of as f64 }
}

/// The smallest value that this share of the sorted values does not exceed; zero of none.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}
