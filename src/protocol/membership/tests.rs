//! The sentences of the spec, one test each.

mod behind;
mod births;
mod certificates;
mod crowds;
mod fuzz;
mod knowing;
mod large;
mod leaving;
mod mesh;
mod partitions;
mod probes;
mod proofs;
mod records;
mod room;
mod rounds;
mod storm;
mod thresholds;
mod verdicts;
