//! The network without an engine.

mod barred;
mod gate;
mod lanes;
pub mod pair;
