//! The lab: many nodes on one machine. Here are its pure parts, which start nothing and ask
//! nobody.
//!
//! - [`graph`]: who is whose neighbour, and the shapes a network can be drawn in
//! - [`layout`]: where each node of a graph goes in a picture
//! - [`plot`]: the picture as SVG, PNG, DOT, JSON and as a drawing in the terminal

pub mod graph;
pub mod layout;
pub mod plot;
