//! Scenario files: a world, what happens in it, and what is expected of it.
//!
//! - `file`: the whole, `check`: what a scenario may not say
//! - `shape`: the graph; `link`: links, stores, clocks; `fault`: the schedule
//! - `span`: durations

mod check;
mod fault;
mod file;
mod link;
mod shape;
mod span;

pub use check::ScenarioError;
pub use fault::{Fault, FaultKind, Group, Who, Word};
pub use file::{Hostile, Rooms, Scenario, Start, Workload};
pub use link::{ClockModel, DiskModel, Kind, Latency, LinkModel};
pub use shape::{Form, Shape};
pub use span::Span;
