//! What the swarm tells, as inputs of the engine. One file per kind of teller.

mod carrier;
mod control;
mod discovery;
mod event;
mod link;
mod stream;

pub use event::swarm;
