//! Nodes that do not play by the rules, one file each.
//!
//! An adversary sits between its node and the world: it sees what the node hears and wants, may
//! keep it back or change it, and makes messages of its own at its turns. To add one: a file
//! here, and a line in `kinds`.

mod accuser;
mod equivocator;
mod flooder;
mod forger;
mod kinds;
mod lying_witness;
mod replayer;

pub(crate) use kinds::{Adversary, KINDS, Mischief, hire};
