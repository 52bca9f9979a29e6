//! Measuring: one author or several, many readers, every message numbered and looked at. Knows
//! nothing of the command line.
//!
//! Pure:
//! - [`plan`]: how much is sent, and how long is waited for it
//! - [`letter`]: messages that can be recognised, and seen to be whole
//! - [`spread`]: percentiles of samples that are all kept
//! - [`outcome`]: what came of a run, as programs read it
//!
//! What is measured with:
//! - [`board`]: who has what, and when it came
//! - [`usage`]: processor time and memory of processes
//! - [`run`]: warm-up, single messages at rest, a full window
//! - [`measure`]: a run from its beginning to its end
//!
//! What is measured:
//! - [`mesh`]: nodes of this process
//! - [`lab`]: a network that runs, through its local API
//! - [`plain`]: gossipsub used directly, for comparison

pub mod board;
pub mod lab;
pub mod letter;
pub mod measure;
pub mod mesh;
pub mod outcome;
pub mod plain;
pub mod plan;
pub mod run;
pub mod spread;
#[cfg(test)]
mod tests;
pub mod usage;
