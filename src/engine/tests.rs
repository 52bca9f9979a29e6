//! Whole nodes without a network: engines talk through a pretend one, in virtual time.

mod foreign;
mod pair;
mod stories;
mod trace;
mod world;
