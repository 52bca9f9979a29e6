//! The three layouts behind one door.

use std::fmt;
use std::str::FromStr;

use super::{circle, force, shell};
use crate::lab::graph::Graph;

/// How the nodes of a picture are arranged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// All on one circle, clockwise from the top.
    Circle,
    /// Distances in the picture follow the distances in the graph.
    #[default]
    Force,
    /// Hubs inside, the others around them.
    Shell,
}

/// A place in the unit square; y grows downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// From the left, 0 to 1.
    pub x: f64,
    /// From the top, 0 to 1.
    pub y: f64,
}

/// No layout has this name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no layout called {0:?}: give circle, force or shell")]
pub struct UnknownLayout(String);

impl Layout {
    /// A point per node of `graph`, in the order of [`Graph::nodes`].
    ///
    /// The greater extent of the drawing fills the square and the other one is centred, so that
    /// a circle stays round.
    pub fn place(self, graph: &Graph) -> Vec<Point> {
        let mut points = match self {
            Self::Circle => circle::place(graph.node_count()),
            Self::Force => force::place(graph),
            Self::Shell => shell::place(graph),
        };
        fill_unit_square(&mut points);
        points
    }
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "circle" => Ok(Self::Circle),
            "force" => Ok(Self::Force),
            "shell" => Ok(Self::Shell),
            _ => Err(UnknownLayout(name.to_owned())),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Circle => "circle",
            Self::Force => "force",
            Self::Shell => "shell",
        })
    }
}

impl Point {
    /// The point at this angle (0 at the top, clockwise) and distance from the origin.
    pub(super) fn polar(angle: f64, radius: f64) -> Self {
        Self { x: radius * angle.sin(), y: -radius * angle.cos() }
    }

    /// How far it is to `other`.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

fn fill_unit_square(points: &mut [Point]) {
    let extent = |of: fn(&Point) -> f64| {
        let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    };
    let ((left, right), (top, bottom)) = (extent(|p| p.x), extent(|p| p.y));
    // One node, or all in one place, has no extent to fill the square with.
    let size = (right - left).max(bottom - top).max(f64::MIN_POSITIVE);
    for point in points {
        point.x = 0.5 + (point.x - f64::midpoint(left, right)) / size;
        point.y = 0.5 + (point.y - f64::midpoint(top, bottom)) / size;
    }
}
