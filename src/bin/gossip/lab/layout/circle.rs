//! One circle.

use std::f64::consts::TAU;

use super::place::Point;

/// `nodes` points on the unit circle, clockwise from the top.
pub(super) fn place(nodes: usize) -> Vec<Point> {
    if nodes == 1 {
        return vec![Point::default()];
    }
    (0..nodes).map(|node| Point::polar(node as f64 / nodes as f64 * TAU, 1.0)).collect()
}
