//! What gossipsub loses with its default settings must arrive with ours: real nodes on loopback.
#![cfg(feature = "net")]
#![cfg(test)]

mod bursts;
mod idle;
mod lab;
mod proxy;
mod restart;
mod strangers;
mod ties;
mod traps;
