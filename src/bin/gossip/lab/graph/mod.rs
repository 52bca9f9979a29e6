//! The graph of neighbours, and the shapes it can be drawn in.
//!
//! - [`Graph`]: simple and undirected, over nodes 0..n. People see node `i` as number `i + 1`.
//! - [`Shape`]: what a user asks for on the command line; [`Shape::draw`] makes the graph of it.
//! - [`Limits`]: how many neighbours a random graph may give to a node.
//!
//! Invariants of a drawn graph, each held by a test:
//! 1. *connected*: every node reaches every other;
//! 2. *simple*: no node is its own neighbour, no link is there twice;
//! 3. *seeded*: the same shape, number of nodes and seed give the same graph.

mod adjacency;
mod draw;
mod error;
mod shape;
#[cfg(test)]
mod tests;
mod within;

pub use adjacency::Graph;
#[cfg(test)]
use error::ShapeError;
pub use shape::{Drawn, Shape};
pub use within::Limits;
