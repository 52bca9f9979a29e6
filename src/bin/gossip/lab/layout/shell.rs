//! Rings around the hubs.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::f64::consts::TAU;

use super::place::Point;
use crate::lab::graph::Graph;

/// The nodes with the most neighbours in the middle, the others in rings around them.
pub(super) fn place(graph: &Graph) -> Vec<Point> {
    let mut placed: BTreeMap<usize, Point> = BTreeMap::new();
    for (ring, members) in rings(graph).into_iter().enumerate() {
        let radius = ring_radius(ring, &members);
        let members = by_side(graph, &placed, members);
        // Every other ring is turned by half a step, so that fewer links pass under a node.
        let turn = if ring % 2 == 1 { 0.5 } else { 0.0 };
        let step = TAU / members.len() as f64;
        for (place, node) in members.into_iter().enumerate() {
            placed.insert(node, Point::polar((place as f64 + turn) * step, radius));
        }
    }
    placed.into_values().collect()
}

/// The nodes by falling degree, cut into rings. A single greatest hub stands alone in the middle;
/// otherwise the first ring has room for a few. When the rest fits into one ring it is one ring.
fn rings(graph: &Graph) -> Vec<Vec<usize>> {
    let mut nodes: Vec<usize> = graph.nodes().collect();
    nodes.sort_by_key(|&node| (Reverse(graph.degree(node)), node));
    let lone_hub = match nodes.as_slice() {
        [first, second, ..] => graph.degree(*first) > graph.degree(*second),
        _ => true,
    };
    let mut rings = Vec::new();
    let mut rest = nodes.as_slice();
    let mut room = if lone_hub { 1 } else { FIRST_RING };
    while !rest.is_empty() {
        // A last ring that would be nearly empty joins the one before it.
        let take = if rest.len() <= room + room / 3 { rest.len() } else { room };
        let (ring, outer) = rest.split_at(take);
        rings.push(ring.to_vec());
        rest = outer;
        room = if room == 1 { FIRST_RING + 1 } else { room + RING_GROWTH };
    }
    rings
}

/// Rings are one unit apart; a lone node is the middle.
fn ring_radius(ring: usize, members: &[usize]) -> f64 {
    match (ring, members.len()) {
        (0, 1) => 0.0,
        (0, _) => 0.75,
        (ring, _) => 0.15 + ring as f64,
    }
}

/// The members of a ring, ordered by the side on which their neighbours further in stand.
fn by_side(
    graph: &Graph,
    placed: &BTreeMap<usize, Point>,
    mut members: Vec<usize>,
) -> Vec<usize> {
    let side = |node: usize| {
        let inner = graph.neighbours(node).iter().filter_map(|other| placed.get(other));
        let (x, y) = inner.fold((0.0, 0.0), |(x, y), point| (x + point.x, y + point.y));
        x.atan2(-y).rem_euclid(TAU)
    };
    members.sort_by(|&a, &b| side(a).total_cmp(&side(b)).then(a.cmp(&b)));
    members
}

/// Members of the innermost ring where no single hub stands out.
const FIRST_RING: usize = 5;
/// How many more each ring has room for: the circumference grows by 2π units.
const RING_GROWTH: usize = 6;
