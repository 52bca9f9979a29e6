//! The lab: many nodes on one machine, a process each.
//!
//! Pure, starting nothing and asking nobody:
//! - [`graph`]: who is whose neighbour, and the shapes a network can be drawn in
//! - [`layout`]: where each node of a graph goes in a picture
//! - [`plot`]: the picture as SVG, PNG, DOT, JSON and as a drawing in the terminal
//!
//! What is on this machine:
//! - [`state`]: a lab's folder, its record, and who may change it
//! - [`process`]: processes by id and start time, so that a reused id is never mistaken
//! - [`room`]: how many nodes the machine has room for, and who holds a port
//! - [`prepare`], [`launch`]: keys and settings of the nodes; their processes
//! - [`member`]: running nodes as the user names them
//! - [`single`]: nodes that run alone, and how they are found
//! - [`survey`]: what all of them say of one another
//! - [`spread`]: how a message spread among them, as a tree

pub mod graph;
pub mod launch;
pub mod layout;
pub mod member;
pub mod plot;
pub mod prepare;
pub mod process;
pub mod room;
pub mod single;
pub mod spread;
pub mod state;
pub mod survey;
#[cfg(test)]
mod tests;
