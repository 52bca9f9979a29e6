//! The spec of the pretend world, a sentence each.

mod clocks;
mod expects;
mod faults;
mod hostile;
mod links;
mod load;
mod outcomes;
mod pretend;
mod speed;
mod stores;
mod traces;

use crate::sim::scenario::Scenario;

/// A scenario from its text.
fn scenario(text: &str) -> Scenario {
    Scenario::from_toml(text).unwrap()
}
