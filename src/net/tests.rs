//! The network without an engine.

mod gate;
mod lanes;
mod pair;
