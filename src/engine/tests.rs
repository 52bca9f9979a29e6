//! Whole nodes without a network: engines talk through a pretend one, in virtual time.

mod foreign;
mod frames;
mod pair;
mod recorder;
mod stories;
mod trace;
mod world;
