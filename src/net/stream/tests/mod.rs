//! The streams of two networks without an engine.

mod broken;
mod frames;
mod queue;
mod speed;
mod ways;
mod whole;
mod world;
