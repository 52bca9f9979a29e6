//! The network without an engine.

mod barred;
mod gate;
mod lanes;
mod pair;
