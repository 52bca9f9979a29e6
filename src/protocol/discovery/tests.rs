//! The spec's sentences, on machines in virtual time.

mod cards;
mod dialing;
mod full;
mod fuzz;
mod joining;
mod leaving;
mod mending;
mod world;
