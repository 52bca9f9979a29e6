//! Who is down, by quorum: the promises of membership, kept by real nodes on loopback whose links
//! are cut and whose lives end without a word.
#![cfg(feature = "net")]
#![cfg(test)]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod alone;
mod cuts;
mod deaths;
mod mesh;
#[path = "../nodes/mod.rs"]
mod nodes;
mod settings;
mod splits;
