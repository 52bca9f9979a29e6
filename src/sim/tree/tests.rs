//! What the world of the tree shows: the promises of the room, over seeds.

use std::time::Duration;

use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::run;
use super::scenario::TreeScenario;
use super::world::World;
use crate::base::time::Time;
use crate::protocol::tree::{TreeConfig, TreeStats};

/// Nodes whose first link stays, and further links that come, go and may be slow.
struct Storm {
    world: World,
    rng: ChaCha8Rng,
    further: Vec<(u32, u32)>,
    /// When each node was linked.
    since: Vec<Time>,
}

impl Storm {
    fn new(seed: u64, nodes: u32) -> Self {
        let mut storm = Self {
            world: World::new(TreeConfig::default()),
            rng: ChaCha8Rng::seed_from_u64(seed),
            further: Vec::new(),
            since: Vec::new(),
        };
        (0..nodes).for_each(|_| storm.join());
        (0..nodes).for_each(|_| storm.link());
        storm
    }

    fn latency(&mut self) -> Duration {
        Duration::from_micros(self.rng.random_range(500..30_000))
    }

    /// One more node, linked with one that is there.
    fn join(&mut self) {
        let node = self.world.add(None);
        if node > 0 {
            let peer = self.rng.random_range(0..node);
            let latency = self.latency();
            self.world.link(node, peer, latency, None);
        }
        self.since.push(self.world.now());
    }

    /// One more link by chance, one in four slow: 50 to 500 kB/s.
    fn link(&mut self) {
        let nodes = self.since.len() as u32;
        let (a, b) = (self.rng.random_range(0..nodes), self.rng.random_range(0..nodes));
        let slow = self.rng.random_bool(0.25);
        let rate = slow.then(|| self.rng.random_range(50_000.0..500_000.0));
        let latency = self.latency();
        if a != b && !self.world.is_linked(a, b) {
            self.further.push((a, b));
            self.world.link(a, b, latency, rate);
        }
    }

    /// One further link is gone.
    fn unlink(&mut self) {
        if !self.further.is_empty() {
            let place = self.rng.random_range(0..self.further.len());
            let (a, b) = self.further.swap_remove(place);
            self.world.unlink(a, b);
        }
    }

    /// Something happens, or nothing.
    fn happen(&mut self) {
        match self.rng.random_range(0..20) {
            0 => self.link(),
            1 => self.unlink(),
            2 if self.since.len() < 40 => self.join(),
            _ => {}
        }
    }

    fn publish(&mut self, authors: u32, steps: u32) {
        for _ in 0..steps {
            let pause = Duration::from_millis(self.rng.random_range(1..20));
            self.world.run_until(self.world.now() + pause);
            self.happen();
            let author = self.rng.random_range(0..authors);
            let bytes = self.rng.random_range(100..10_000);
            if self.world.has_room(author) {
                self.world.publish(author, bytes);
            }
        }
        self.world.run_until(self.world.now() + Duration::from_secs(8));
    }

    /// What did not come where it should have.
    fn missing(&self) -> Vec<(usize, usize)> {
        let mut missing = Vec::new();
        for (number, frame) in self.world.published.iter().enumerate() {
            for (node, since) in self.since.iter().enumerate() {
                let came = frame.came.get(node).copied().flatten();
                if *since + Duration::from_millis(200) < frame.at && came.is_none() {
                    missing.push((number, node));
                }
            }
        }
        missing
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Random graphs, delays, slow links, links that come and go, nodes that join.
    #[test]
    fn every_frame_reaches_every_node_that_stays_once(
        seed in any::<u64>(), nodes in 2_u32..36, authors in 1_u32..4,
    ) {
        let mut storm = Storm::new(seed, nodes);
        storm.world.run_until(Time::from_micros(300_000));
        storm.publish(authors.min(nodes), 150);
        prop_assert_eq!(storm.missing(), vec![]);
        for (node, host) in storm.world.hosts.iter().enumerate() {
            let came = storm.world.published.iter().filter(|frame| {
                frame.author as usize != node && frame.came.get(node).copied().flatten().is_some()
            });
            prop_assert_eq!(host.delivered, came.count() as u64, "node {}", node);
        }
    }

    /// After the first frames there are hardly any further copies, and ways are as short as can be.
    #[test]
    fn a_quiet_graph_becomes_a_tree(seed in any::<u64>(), nodes in 2_u32..40, authors in 1_u32..4) {
        let scenario = TreeScenario {
            seed, nodes, authors: authors.min(nodes), degree: 4, warmup: 3, frames: 30,
            ..TreeScenario::default()
        };
        let report = run(&scenario).unwrap();
        prop_assert_eq!(report.reached, 1.0);
        prop_assert!(report.extra_copies <= 0.1, "{}", report.render());
        prop_assert!(report.stretch(1.0) <= 1.25, "{}", report.render());
    }
}

/// Links of 10 MB/s, but for those that are given a rate of their own; the authors publish all that
/// there is room for, for so many seconds. Returns how many of the frames came to each node.
fn saturated(
    nodes: u32,
    authors: u32,
    links: &[(u32, u32, f64)],
    seconds: u64,
) -> (usize, Vec<usize>) {
    let mut world = World::new(TreeConfig::default());
    (0..nodes).for_each(|_| {
        world.add(None);
    });
    for (a, b, rate) in links {
        world.link(*a, *b, Duration::from_millis(2), Some(*rate));
    }
    world.run_until(Time::from_micros(1_000_000));
    let end = world.now() + Duration::from_secs(seconds);
    while world.now() < end {
        for author in 0..authors {
            // Twenty times what its links take.
            for _ in 0..10 {
                if world.has_room(author) {
                    world.publish(author, 65_536);
                }
            }
        }
        world.run_until(world.now() + Duration::from_millis(1));
    }
    world.run_until(end + Duration::from_secs(3));
    let demoted: Vec<u64> = world.stats().map(demotions).collect();
    let came = |node: u32| {
        world.published.iter().filter(|frame| frame.came[node as usize].is_some()).count()
    };
    let came: Vec<usize> = (0..nodes).map(came).collect();
    println!("{} published, came {came:?}, demoted {demoted:?}", world.published.len());
    (world.published.len(), came)
}

fn demotions(stats: TreeStats) -> u64 {
    stats.demoted_slow + stats.demoted_stuck + stats.demoted_yielding
}

const FAST: f64 = 10_000_000.0;

/// Two rings that touch, and a node with a link to each: the last one of the two is the slow one.
fn rings(last: f64) -> Vec<(u32, u32, f64)> {
    let mut links: Vec<_> = [(0, 1), (1, 2), (2, 3), (3, 0), (2, 4), (4, 5), (5, 0), (5, 6)]
        .into_iter()
        .map(|(a, b)| (a, b, FAST))
        .collect();
    links.push((2, 6, last));
    links
}

#[test]
fn a_slow_link_does_not_slow_the_others() {
    let (_, whole) = saturated(7, 1, &rings(FAST), 10);
    let (_, slow) = saturated(7, 1, &rings(FAST / 20.0), 10);
    for (whole, slow) in whole.iter().zip(&slow) {
        assert!(slow * 10 >= whole * 8, "{slow} frames instead of {whole}");
    }
}

/// A node that can only be reached over a slow link gets what that takes, and the others go on
/// after some two seconds in which they waited for it.
#[test]
fn a_slow_node_at_the_end_does_not_slow_the_others() {
    let mut links = rings(FAST);
    let (_, whole) = saturated(7, 1, &links, 20);
    links.push((3, 7, FAST / 20.0));
    let (_, slow) = saturated(8, 1, &links, 20);
    for (whole, slow) in whole.iter().zip(&slow) {
        assert!(slow * 10 >= whole * 8, "{slow} frames instead of {whole}");
    }
    assert!(slow[7] > 20, "{slow:?}");
}

/// Pressure in all directions at once does not end in everybody waiting for everybody.
#[test]
fn many_busy_authors_do_not_lock_each_other_up() {
    for authors in [2, 7] {
        let (published, came) = saturated(7, authors, &rings(FAST), 10);
        assert!(published > 600, "{published} with {authors} authors");
        // What is lost here between equally busy links is repaired by number, above.
        assert!(came.iter().all(|came| came * 10 >= published * 6), "{published}: {came:?}");
    }
}

/// Sixteen nodes in a ring with chords, each with three links; the last one's are slower.
fn chords(last: f64) -> Vec<(u32, u32, f64)> {
    let ring = (0..16).map(|node| (node, (node + 1) % 16));
    let chords = (0..8).map(|node| (node, node + 8));
    let rate = |a: u32, b: u32| if a == 15 || b == 15 { last } else { FAST };
    ring.chain(chords).map(|(a, b)| (a, b, rate(a, b))).collect()
}

/// Who takes a fifth or less is not waited for; between that and the full rate it may take longer
/// to find out who is slow.
#[test]
fn a_slower_node_costs_the_others_no_frame_and_a_part_of_their_rate() {
    let (whole, _) = saturated(16, 1, &chords(FAST), 30);
    for (share, percent) in [(0.5, 60), (0.35, 60), (0.2, 80), (0.1, 80)] {
        let (published, came) = saturated(16, 1, &chords(FAST * share), 30);
        assert!(published * 100 >= whole * percent, "{published} instead of {whole} at {share}");
        assert!(came[..15].iter().all(|came| *came == published), "{came:?} at {share}");
        assert!(came[15] as f64 >= published as f64 * share, "{came:?} at {share}");
    }
}
