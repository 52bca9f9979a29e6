//! Who is a neighbour of whom.

use std::collections::BTreeSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The form of the graph.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// No graph: nodes know the first `entries` ones and discovery does the rest.
    #[default]
    Open,
    /// Everybody with everybody.
    Complete,
    /// One after the other, and the last with the first.
    Ring,
    /// One after the other.
    Line,
    /// All with node 1.
    Star,
    /// A ring, and chance until each has `degree` neighbours.
    Random,
    /// A ring of near neighbours (`degree` of them), a tenth of them far away instead.
    SmallWorld,
    /// Node 1, a row of all others, and the last node.
    Diamond,
    /// Two complete halves with one waist of two nodes.
    Butterfly,
}

/// The graph of a scenario.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// Its form. Default `open`.
    pub kind: Form,
    /// Neighbours of each node, where the form leaves it open. Default 6.
    pub degree: u32,
    /// Nodes that every other knows from the beginning, in the open form. Default 2.
    pub entries: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self { kind: Form::Open, degree: 6, entries: 2 }
    }
}

/// Pairs (smaller, larger) of nodes counted from 0.
pub(crate) type Edges = BTreeSet<(u32, u32)>;

impl Shape {
    /// The links that are to be. In the open form those that a world that begins formed has.
    pub(crate) fn edges(&self, nodes: u32, rng: &mut ChaCha8Rng) -> Edges {
        match self.kind {
            Form::Open if nodes <= OPEN_FULL + 1 => complete(0, nodes),
            Form::Open => random(nodes, OPEN_FULL, rng),
            Form::Complete => complete(0, nodes),
            Form::Ring => ring(nodes),
            Form::Line => (1..nodes).map(|node| (node - 1, node)).collect(),
            Form::Star => (1..nodes).map(|node| (0, node)).collect(),
            Form::Random => random(nodes, self.degree, rng),
            Form::SmallWorld => small_world(nodes, self.degree, rng),
            Form::Diamond => diamond(nodes),
            Form::Butterfly => butterfly(nodes),
        }
    }
}

/// Links that discovery wants in an open network.
const OPEN_FULL: u32 = 24;

fn pair(a: u32, b: u32) -> Option<(u32, u32)> {
    (a != b).then(|| (a.min(b), a.max(b)))
}

fn complete(first: u32, end: u32) -> Edges {
    (first..end).flat_map(|a| (a + 1..end).map(move |b| (a, b))).collect()
}

fn ring(nodes: u32) -> Edges {
    (0..nodes).filter_map(|node| pair(node, (node + 1) % nodes)).collect()
}

fn random(nodes: u32, degree: u32, rng: &mut ChaCha8Rng) -> Edges {
    let mut edges = ring(nodes);
    let wanted = u64::from(nodes) * u64::from(degree.min(nodes.saturating_sub(1))) / 2;
    // A draw that hits an edge twice is lost, so draws are bounded apart from edges.
    for _ in 0..wanted.saturating_mul(8) {
        if edges.len() as u64 >= wanted {
            break;
        }
        edges.extend(pair(rng.random_range(0..nodes), rng.random_range(0..nodes)));
    }
    edges
}

fn small_world(nodes: u32, degree: u32, rng: &mut ChaCha8Rng) -> Edges {
    let mut edges = ring(nodes);
    for node in 0..nodes {
        for step in 1..=(degree / 2).max(1) {
            let far = rng.random_bool(0.1) && step > 1;
            let other = if far { rng.random_range(0..nodes) } else { (node + step) % nodes };
            edges.extend(pair(node, other));
        }
    }
    edges
}

fn diamond(nodes: u32) -> Edges {
    let last = nodes.saturating_sub(1);
    (1..last).flat_map(|node| [(0, node), (node, last)]).collect()
}

fn butterfly(nodes: u32) -> Edges {
    let half = nodes / 2;
    let mut edges = complete(0, half);
    edges.extend(complete(half, nodes));
    edges.extend(half.checked_sub(1).and_then(|left| pair(left, half)));
    edges
}
