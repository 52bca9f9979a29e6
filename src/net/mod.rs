//! Floor 4a: the real world. libp2p carries what the engine wants, and what happens there becomes
//! inputs of the engine. Nothing is decided here.
//!
//! ```text
//!   swarm events ──► sense/ ──► Input        Output ──► perform.rs ──► swarm
//!   transport.rs: TCP, QUIC, websocket, memory; every connection begins with hello/
//!   shape/: what may be wrong with a connection on purpose, below its encryption
//!   stream/: the tree carrier, one stream per link and direction
//!   door.rs: the second swarm, for foreign programs
//! ```

mod behaviour;
mod carrier;
pub(crate) mod clock;
mod control;
mod door;
mod gate;
mod hello;
mod kademlia;
mod network;
mod parting;
mod perform;
mod probe;
mod refusal;
mod sense;
mod shape;
mod stream;
#[cfg(test)]
mod tests;
mod transport;
mod upgrade;

pub use carrier::CarrierStats;
pub use door::DoorStats;
pub use shape::{Fault, FaultDirection, FaultEffect, FaultError, FaultPeer};
pub use stream::StreamStats;

pub(crate) use network::{Network, NetworkError};
