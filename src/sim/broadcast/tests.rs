//! The sentences of the spec, and what is known exactly of small worlds.

mod knowing;
mod parts;
mod storm;

use super::{BroadcastReport, BroadcastScenario, run};

/// The report of a run that must be possible.
fn report(scenario: &BroadcastScenario) -> BroadcastReport {
    run(scenario).expect("the scenario is sound")
}
