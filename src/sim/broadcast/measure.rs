//! What came of a run.

use std::time::Duration;

use super::report::{BroadcastReport, Control, Hops, Lost, MessageReport, Times};
use super::tick::span;
use super::world::World;

/// A message that reached this share is one that arrived, for the recovery.
const ARRIVED: f64 = 0.999;

/// What all messages together show.
#[derive(Default)]
struct Pool {
    hops: Vec<u32>,
    times: Vec<u32>,
    copies: u64,
    /// Pairs of a message and a node it was to reach.
    places: u64,
}

impl World<'_> {
    /// Looks at every message and every node that was alive all the time since it went out.
    pub fn report(&self) -> BroadcastReport {
        let mut pool = Pool::default();
        let messages: Vec<MessageReport> =
            self.held.messages().map(|message| self.message(message, &mut pool)).collect();
        let live = self.nodes.live().count();
        let mut report = BroadcastReport {
            about: self.scenario.about.clone(),
            nodes: self.scenario.nodes,
            seed: self.scenario.seed,
            live: live as u32,
            mean_links: self.mean(live, |node| self.links.count(node)),
            mean_mesh: self.mean(live, |node| self.links.mesh_count(node)),
            reached: messages.iter().map(|message| message.reached).fold(1.0, f64::min),
            hops: hops(&mut pool.hops),
            times: times(&mut pool.times, messages.iter().map(|message| message.times.all)),
            copies_per_node: share(pool.copies, pool.places),
            control: self.control(live),
            lost: self.lost(),
            recovered: self.recovered(&messages),
            messages,
            trace: format!("{:016x}", self.trace),
            failures: Vec::new(),
        };
        report.failures = report.judge(&self.scenario.expect, self.scenario.kill > 0.0);
        report
    }

    fn message(&self, message: u8, pool: &mut Pool) -> MessageReport {
        let published = self.held.published[usize::from(message)];
        let (mut own_hops, mut own_times) = (Vec::new(), Vec::new());
        let (mut nodes, mut copies) = (0_u64, 0_u64);
        let live = self.nodes.live_since(published.at);
        for node in live.filter(|node| *node != published.author) {
            nodes += 1;
            copies += u64::from(self.held.copies(node, message));
            if let Some(seen) = self.held.seen(node, message) {
                own_hops.push(u32::from(self.held.hops(node, message)));
                own_times.push(seen.since(published.at));
            }
        }
        let all = own_times.len() as u64 == nodes;
        pool.hops.extend(&own_hops);
        pool.times.extend(&own_times);
        pool.copies += copies;
        pool.places += nodes;
        let last = own_times.iter().max().map(|last| span(*last));
        MessageReport {
            after: span(published.at.since(self.start)),
            author: published.author,
            reached: if nodes == 0 { 1.0 } else { share(own_times.len() as u64, nodes) },
            hops: hops(&mut own_hops),
            times: times(&mut own_times, [last.filter(|_| all)].into_iter()),
            copies_per_node: share(copies, nodes),
        }
    }

    fn mean(&self, live: usize, of: impl Fn(u32) -> usize) -> f64 {
        share(self.nodes.live().map(|node| of(node) as u64).sum(), live as u64)
    }

    fn control(&self, live: usize) -> Control {
        let seconds = span(self.end.since(self.start)).as_secs_f64();
        let rate = |count: u64| share(count, live as u64) / seconds.max(f64::MIN_POSITIVE);
        Control {
            ihave: rate(self.counts.haves),
            iwant: rate(self.counts.wants),
            graft: rate(self.counts.grafts),
            prune: rate(self.counts.prunes),
        }
    }

    fn lost(&self) -> Lost {
        Lost {
            copies: self.counts.lost_copies,
            control: self.counts.lost_control,
            to_crashed: self.counts.to_the_dead,
            of_copies: self.counts.copies,
        }
    }

    /// From when on messages arrived, after a kill.
    fn recovered(&self, messages: &[MessageReport]) -> Option<Duration> {
        let first = messages.iter().rposition(|message| message.reached < ARRIVED);
        let first = first.map_or(0, |last_bad| last_bad + 1);
        let killed = self.scenario.kill > 0.0;
        messages.get(first).filter(|_| killed).map(|message| message.after)
    }
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

fn hops(hops: &mut [u32]) -> Hops {
    hops.sort_unstable();
    let sum = hops.iter().map(|hops| u64::from(*hops)).sum();
    let at = |share| quantile(hops, share) as u16;
    Hops { mean: share(sum, hops.len() as u64), p50: at(0.5), p99: at(0.99), max: at(1.0) }
}

/// `all` has a time per message, or none for one that missed a node.
fn times(times: &mut [u32], all: impl Iterator<Item = Option<Duration>>) -> Times {
    times.sort_unstable();
    let at = |share| span(quantile(times, share));
    let all = all.collect::<Option<Vec<Duration>>>().and_then(|all| all.into_iter().max());
    Times { p50: at(0.5), p90: at(0.9), p99: at(0.99), last: at(1.0), all }
}

/// The smallest value that this share of the sorted values does not exceed; zero of none.
fn quantile(sorted: &[u32], share: f64) -> u32 {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}
