//! The generators. Each gives a connected graph; what cannot be drawn was refused before.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::adjacency::Graph;

/// A random graph in which every node has `degree` neighbours. Needs `degree < nodes`, an even
/// product of both, and a degree above 1 unless there are two nodes at most.
///
/// It begins with a ring in which each node is linked with the nearest ones, its nodes in random
/// order. Then pairs of links exchange their ends, which keeps all degrees. A round of exchanges
/// that leaves the graph in pieces is undone, so there is nothing to try again without end.
pub(super) fn random_regular(nodes: usize, degree: usize, rng: &mut ChaCha8Rng) -> Graph {
    let mut order: Vec<usize> = (0..nodes).collect();
    order.shuffle(rng);
    let ring = nearest_ring(nodes, degree);
    let mut graph = Graph::with_links(nodes, ring.edges().map(|(a, b)| (order[a], order[b])));
    for _ in 0..EXCHANGE_ROUNDS {
        let mut next = graph.clone();
        exchange_ends(&mut next, rng);
        if next.is_connected() {
            graph = next;
        }
    }
    graph
}

/// A ring; two nodes share one link.
pub(super) fn circular(nodes: usize) -> Graph {
    Graph::with_links(nodes, (0..nodes).map(|node| (node, (node + 1) % nodes)))
}

/// A chain from the first node to the last.
pub(super) fn line(nodes: usize) -> Graph {
    Graph::with_links(nodes, (1..nodes).map(|node| (node - 1, node)))
}

/// The first node linked with all others.
pub(super) fn star(nodes: usize) -> Graph {
    Graph::with_links(nodes, (1..nodes).map(|node| (0, node)))
}

/// Nodes in `parts` parts whose sizes differ by one at most, linked across parts only.
pub(super) fn turan(nodes: usize, parts: usize) -> Graph {
    let across = |a: usize, b: usize| a % parts != b % parts;
    let pairs = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b)));
    Graph::with_links(nodes, pairs.filter(|&(a, b)| across(a, b)))
}

/// Barabási–Albert: a star of `edges + 1` nodes, then each newcomer is linked with `edges` nodes,
/// chosen by how many links they have already.
pub(super) fn powerlaw(nodes: usize, edges: usize, rng: &mut ChaCha8Rng) -> Graph {
    let first = (edges + 1).min(nodes);
    let mut graph = Graph::with_links(nodes, (1..first).map(|node| (0, node)));
    // Every node as often as it has links, so that a fair pick from here is a pick by degree.
    let mut ends: Vec<usize> = graph.edges().flat_map(|(a, b)| [a, b]).collect();
    for newcomer in first..nodes {
        while graph.degree(newcomer) < edges {
            graph.link(newcomer, ends[rng.random_range(0..ends.len())]);
        }
        for &neighbour in graph.neighbours(newcomer) {
            ends.extend([neighbour, newcomer]);
        }
    }
    graph
}

/// Watts–Strogatz with 4 neighbours and a tenth of the links moved; fewer neighbours where there
/// are fewer than five nodes. A move that would cut the graph in two is not made.
pub(super) fn small_world(nodes: usize, rng: &mut ChaCha8Rng) -> Graph {
    let reach = SMALL_WORLD_REACH.min(nodes.saturating_sub(1) / 2).max(1);
    let pairs = (1..=reach).flat_map(|step| (0..nodes).map(move |a| (a, (a + step) % nodes)));
    let mut graph = Graph::with_links(nodes, pairs);
    for (near, far) in graph.clone().edges() {
        let target = rng.random_range(0..nodes);
        if rng.random_bool(SMALL_WORLD_MOVED) && graph.link(near, target) {
            graph.unlink(near, far);
            if !graph.is_connected() {
                graph.unlink(near, target);
                graph.link(near, far);
            }
        }
    }
    graph
}

/// A ring in which each node is linked with the `degree` nearest, and with the opposite one where
/// the degree is odd.
fn nearest_ring(nodes: usize, degree: usize) -> Graph {
    let near = (1..=degree / 2).flat_map(|step| (0..nodes).map(move |a| (a, (a + step) % nodes)));
    let opposite = (0..nodes / 2 * (degree % 2)).map(|a| (a, a + nodes / 2));
    Graph::with_links(nodes, near.chain(opposite))
}

/// As many times as there are links: two links a-b and c-d become a-d and c-b, where neither is
/// there already.
fn exchange_ends(graph: &mut Graph, rng: &mut ChaCha8Rng) {
    let mut edges: Vec<(usize, usize)> = graph.edges().collect();
    for _ in 0..edges.len() {
        let (i, j) = (rng.random_range(0..edges.len()), rng.random_range(0..edges.len()));
        let (a, b) = edges[i];
        let (c, d) = if rng.random() { edges[j] } else { (edges[j].1, edges[j].0) };
        let possible =
            i != j && a != d && c != b && !graph.are_linked(a, d) && !graph.are_linked(c, b);
        if possible {
            graph.unlink(a, b);
            graph.unlink(c, d);
            graph.link(a, d);
            graph.link(c, b);
            edges[i] = (a, d);
            edges[j] = (c, b);
        }
    }
}

/// Ten exchanges per link: the usual number after which nothing of the ring is left.
const EXCHANGE_ROUNDS: usize = 10;
/// Neighbours on each side of a small world: 4 in all.
const SMALL_WORLD_REACH: usize = 2;
/// The share of links that are moved.
const SMALL_WORLD_MOVED: f64 = 0.1;
