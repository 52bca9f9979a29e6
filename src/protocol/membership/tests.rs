//! The sentences of the spec, one test each.

mod certificates;
mod fuzz;
mod knowing;
mod leaving;
mod mesh;
mod room;
mod thresholds;
mod verdicts;
