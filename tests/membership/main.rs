//! Who is down, by quorum: the promises of membership, kept by real nodes on loopback whose links
//! are cut and whose lives end without a word.
#![cfg(feature = "net")]
#![cfg(test)]

mod alone;
mod cuts;
mod deaths;
mod mesh;
#[path = "../nodes/mod.rs"]
mod nodes;
mod settings;
mod splits;
