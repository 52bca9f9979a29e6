//! Stress minimisation by stochastic gradient descent, after Zheng, Pawar and Goodman, "Graph
//! Drawing by Stochastic Gradient Descent" (2018), section 2: every pair of nodes is a spring as
//! long as their distance in the graph, and the springs pull one at a time, in random order, each
//! round more gently.
//!
//! Two things are added, because pictures have labels: at the end nodes are pushed apart that would
//! touch, and off links that pass them; and the drawing is turned so that it lies.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::place::Point;
use crate::lab::graph::Graph;

struct Spring {
    a: usize,
    b: usize,
    length: f64,
}

/// A point per node, near to as far apart as the nodes are in the graph.
pub(super) fn place(graph: &Graph) -> Vec<Point> {
    let rng = &mut ChaCha8Rng::seed_from_u64(SEED);
    let nodes = graph.node_count();
    let mut points: Vec<Point> = (0..nodes)
        .map(|_| Point::polar(rng.random_range(0.0..TAU), rng.random_range(0.1..1.0)))
        .collect();
    let mut springs = springs(graph);
    let longest = springs.iter().map(|spring| spring.length).fold(1.0, f64::max);
    for round in 0..ROUNDS {
        springs.shuffle(rng);
        let strength = strength(round, longest);
        for spring in &springs {
            pull(&mut points, spring, strength);
        }
    }
    make_room(&mut points, graph);
    lay_down(&mut points);
    points
}

/// A spring per pair. Pairs that do not reach each other are kept a little further apart than the
/// farthest pair that does.
fn springs(graph: &Graph) -> Vec<Spring> {
    let nodes: Vec<usize> = graph.nodes().collect();
    let rows: Vec<_> = nodes.iter().map(|&node| graph.distances_from(node)).collect();
    let farthest = rows.iter().flat_map(|row| row.values()).max().copied().unwrap_or(0);
    let mut springs = Vec::with_capacity(nodes.len() * nodes.len() / 2);
    for (a, row) in rows.iter().enumerate() {
        for (b, node) in nodes.iter().enumerate().skip(a + 1) {
            let length = row.get(node).copied().unwrap_or(farthest + 1) as f64;
            springs.push(Spring { a, b, length });
        }
    }
    springs
}

/// From "each spring gets what it wants" down to a tenth of that for the shortest, exponentially
/// (the paper's schedule).
fn strength(round: usize, longest: f64) -> f64 {
    let (first, last) = (longest * longest, 0.1_f64);
    let part = round as f64 / (ROUNDS - 1) as f64;
    first * (last / first).powf(part)
}

/// Moves both ends of a spring towards its length; near pairs weigh more, by the inverse square.
fn pull(points: &mut [Point], spring: &Spring, strength: f64) {
    let (a, b) = (points[spring.a], points[spring.b]);
    let apart = a.distance(b).max(TOUCHING);
    let weight = (strength / (spring.length * spring.length)).min(1.0);
    let part = weight * (apart - spring.length) / 2.0 / apart;
    let (dx, dy) = ((a.x - b.x) * part, (a.y - b.y) * part);
    points[spring.a] = Point { x: a.x - dx, y: a.y - dy };
    points[spring.b] = Point { x: b.x + dx, y: b.y + dy };
}

/// Turns the drawing so that its longer axis is horizontal.
fn lay_down(points: &mut [Point]) {
    let count = points.len().max(1) as f64;
    let middle_x = points.iter().map(|point| point.x).sum::<f64>() / count;
    let middle_y = points.iter().map(|point| point.y).sum::<f64>() / count;
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for point in points.iter_mut() {
        *point = Point { x: point.x - middle_x, y: point.y - middle_y };
        xx += point.x * point.x;
        yy += point.y * point.y;
        xy += point.x * point.y;
    }
    let (sin, cos) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
    for point in points {
        *point = Point { x: cos * point.x + sin * point.y, y: cos * point.y - sin * point.x };
    }
}

/// Pushes nodes apart until no two are nearer than a good part of the room there is per node, and
/// away from links that pass them, as long as there are few enough links for that to succeed.
fn make_room(points: &mut [Point], graph: &Graph) {
    let reach = points.iter().map(|point| point.x.hypot(point.y)).fold(0.0, f64::max);
    let share = (PI * reach * reach / points.len().max(1) as f64).sqrt();
    let links = links_by_place(graph);
    let lengths: f64 = links.iter().map(|&(a, b)| points[a].distance(points[b])).sum();
    // A ring or a line would crumple if its nodes asked for more room than its links are long.
    let link = if links.is_empty() { share } else { lengths / links.len() as f64 };
    let room = (share * ELBOW_ROOM).min(link * 0.9);
    let sparse = links.len() <= points.len() * SPARSE;
    for round in 0..PUSH_ROUNDS {
        // The last rounds belong to the nodes alone, so that what they won stays.
        if sparse && round < PUSH_ROUNDS * 3 / 4 {
            for &(a, b) in &links {
                for node in (0..points.len()).filter(|&node| node != a && node != b) {
                    push_off_link(points, node, (a, b), room * LINK_ROOM);
                }
            }
        }
        for a in 0..points.len() {
            for b in a + 1..points.len() {
                if points[a].distance(points[b]) < room {
                    pull(points, &Spring { a, b, length: room }, f64::INFINITY);
                }
            }
        }
    }
}

/// Moves a node that is nearer than `room` to the inside of a link away from it, and the link the
/// other way, each by a part of what is missing.
fn push_off_link(points: &mut [Point], node: usize, (a, b): (usize, usize), room: f64) {
    let (from, to, at) = (points[a], points[b], points[node]);
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(TOUCHING);
    let along = ((at.x - from.x) * dx + (at.y - from.y) * dy) / (length * length);
    // To the left of the link or to the right of it, seen from its beginning.
    let aside = ((at.y - from.y) * dx - (at.x - from.x) * dy) / length;
    if !(0.0..=1.0).contains(&along) || aside.abs() >= room {
        return;
    }
    let push = (room - aside.abs()).copysign(aside) * LINK_PUSH;
    let (px, py) = (-dy / length * push, dx / length * push);
    points[node] = Point { x: at.x + px, y: at.y + py };
    points[a] = Point { x: from.x - px * (1.0 - along), y: from.y - py * (1.0 - along) };
    points[b] = Point { x: to.x - px * along, y: to.y - py * along };
}

/// The links as pairs of places in the order of the nodes, which may have holes.
fn links_by_place(graph: &Graph) -> Vec<(usize, usize)> {
    let places: BTreeMap<usize, usize> =
        graph.nodes().enumerate().map(|(place, node)| (node, place)).collect();
    graph.edges().filter_map(|(a, b)| Some((*places.get(&a)?, *places.get(&b)?))).collect()
}

/// The picture of a graph is always the same one.
const SEED: u64 = 0x676f_7373_6970;
/// Enough for no visible change by more (the paper uses 15 to 60).
const ROUNDS: usize = 60;
/// Rounds of pushing apart.
const PUSH_ROUNDS: usize = 80;
/// Links per node up to which nodes are pushed off links.
const SPARSE: usize = 3;
/// The least distance of a node from a link that passes it, as a part of the least distance between
/// nodes.
const LINK_ROOM: f64 = 0.5;
/// The part of a missing distance that one push makes good on each side; less is steadier.
const LINK_PUSH: f64 = 0.25;
/// The least distance as a part of the side of the square that is a node's share of the room.
const ELBOW_ROOM: f64 = 0.62;
/// Below this two points are in one place.
const TOUCHING: f64 = 1e-9;
