//! What may be expected of a world, by name in `[expect]`. One small piece of code each.
//!
//! - safety is checked whenever a node tells something: an expectation's `sign`
//! - deadlines are checked at every look, ten times per virtual second: its `look`
//! - sums are checked when the world ends: its `end`; over all seeds: its `overall`
//!
//! What `always` names is checked in every world; the rest where a scenario asks for it.
//!
//! To add one: a type with this trait in the file of its kind, and a line in `registry`.

mod always;
mod expectation;
mod liveness;
mod proof;
mod quiet;
mod reach;
mod registry;
mod safety;
mod sums;

pub(crate) use expectation::Expectation;
pub use registry::NAMES as EXPECTATIONS;
pub(crate) use registry::{all, lines};
