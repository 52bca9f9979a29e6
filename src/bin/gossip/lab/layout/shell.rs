//! Rings around the hubs.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use super::place::Point;
use crate::lab::graph::Graph;

/// Hubs on the innermost ring, nodes well above the mean on the next, all others outside. Where no
/// node stands out, as in a ring, that is one circle.
pub(super) fn place(graph: &Graph) -> Vec<Point> {
    let mut placed: BTreeMap<usize, Point> = BTreeMap::new();
    for (radius, members) in rings(graph) {
        let members = by_side(graph, &placed, members);
        let step = TAU / members.len().max(1) as f64;
        let turn = turn(&members, step);
        for (place, (node, _)) in members.into_iter().enumerate() {
            placed.insert(node, Point::polar(place as f64 * step + turn, radius));
        }
    }
    placed.into_values().collect()
}

/// The rings that have members, each with its radius, from the inside out.
fn rings(graph: &Graph) -> Vec<(f64, Vec<usize>)> {
    let mean = 2.0 * graph.edge_count() as f64 / graph.node_count().max(1) as f64;
    let mut tiers = [Vec::new(), Vec::new(), Vec::new()];
    for node in graph.nodes() {
        let degree = graph.degree(node) as f64;
        let tier = if degree > HUB * mean { 0 } else { usize::from(degree <= ABOVE * mean) + 1 };
        tiers[tier].push(node);
    }
    let [hubs, above, others] = tiers.each_ref().map(|tier| tier.len() as f64);
    // Inside, nodes stand at least as far from one another as on the outer ring.
    let inner = if hubs <= 1.0 { 0.0 } else { (hubs / others.max(hubs)).clamp(0.25, 0.5) };
    let middle = (above / others.max(above)).clamp(inner + 0.3, 0.75);
    let rings = [inner, middle, 1.0].into_iter().zip(tiers);
    rings.filter(|(_, members)| !members.is_empty()).collect()
}

/// The members of a ring with the angle at which their neighbours further in stand, in the order of
/// these angles; without an angle where they have none, or have them all around.
fn by_side(
    graph: &Graph,
    placed: &BTreeMap<usize, Point>,
    members: Vec<usize>,
) -> Vec<(usize, Option<f64>)> {
    let side = |node: usize| {
        let inner = graph.neighbours(node).iter().filter_map(|other| placed.get(other));
        let (x, y) = inner.fold((0.0, 0.0), |(x, y), point| (x + point.x, y + point.y));
        (f64::hypot(x, y) > 1e-6).then(|| x.atan2(-y).rem_euclid(TAU))
    };
    let mut members: Vec<_> = members.into_iter().map(|node| (node, side(node))).collect();
    members.sort_by(|(a, one), (b, other)| {
        one.unwrap_or(TAU).total_cmp(&other.unwrap_or(TAU)).then(a.cmp(b))
    });
    members
}

/// The angle of the first place that brings all members as near to their sides as can be.
fn turn(members: &[(usize, Option<f64>)], step: f64) -> f64 {
    let sides = members.iter().enumerate();
    let off = sides.filter_map(|(place, (_, side))| Some((*side)? - place as f64 * step));
    let (sin, cos) = off.fold((0.0, 0.0), |(sin, cos), off| (sin + off.sin(), cos + off.cos()));
    if f64::hypot(sin, cos) > 1e-6 { sin.atan2(cos) } else { 0.0 }
}

/// A hub has more than so many times the mean number of neighbours.
const HUB: f64 = 1.8;
/// A node well above the mean has more than so many times of it.
const ABOVE: f64 = 1.25;
