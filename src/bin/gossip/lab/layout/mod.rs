//! Where each node of a graph goes in a picture.
//!
//! [`Layout::place`] gives one [`Point`] per node, in the unit square, y downwards. The same graph
//! always gets the same places.
//!
//! - *circle*: all on one circle, in the order of their numbers
//! - *shell*: hubs inside, the others around them, on the side of their neighbours further in
//! - *force*: distances in the picture follow the distances in the graph

mod circle;
mod force;
mod place;
mod shell;
#[cfg(test)]
mod tests;

pub use place::{Layout, Point};
