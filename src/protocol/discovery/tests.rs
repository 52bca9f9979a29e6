//! The spec's sentences, on machines in virtual time.

mod cards;
mod dialing;
mod fuzz;
mod joining;
mod leaving;
mod world;
