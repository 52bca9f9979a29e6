//! What topics promise while the network does not behave: peers that are slow or stalled, links
//! that delay, stall and break, halves that part and meet again, and crowds of authors. Real nodes
//! on loopback.
#![cfg(feature = "net")]
#![cfg(test)]

mod book;
mod crowd;
mod faulty;
mod mesh;
#[path = "../nodes/mod.rs"]
mod nodes;
mod script;
mod slow;
mod splits;
