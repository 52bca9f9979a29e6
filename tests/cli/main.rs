//! The binary as a user runs it. Each test has its own state folder and ports, and ends what it
//! started, by process id.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod bench;
mod crashes;
mod envelopes;
mod faults;
mod follow;
mod forms;
mod lone;
mod mistakes;
mod quorum;
mod removal;
mod rewire;
mod simulate;
mod thread;
mod verdicts;
mod world;
