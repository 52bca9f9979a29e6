//! The tree room of the product among a thousand nodes, in virtual time.
//!
//! ```text
//!  TreeScenario (TOML) ──► run: who is linked, publishes, dies ──► measure ──► TreeReport
//!                           │ drives
//!                          world: one queue; host: lines, links ── turns ──► TreeMachine
//! ```
//!
//! # What is pretended
//!
//! - Everybody takes part in one bucket. A link comes up at both ends at once and keeps the order
//!   of frames; messages go before frames that were not begun.
//! - A line is shared by the links of its node in turns of 16 KiB, each way by itself. Who does not
//!   read is not sent to; what was under way waits.
//! - The dead swallow everything until the others know of it. Who lost links dials known addresses,
//!   dead ones too, a few at a time; a dial that succeeds takes no time.
//! - There are no processors, no slow start and no loss: those of TCP show as slow links.

mod host;
mod measure;
mod port;
mod report;
mod run;
mod scenario;
mod world;

#[cfg(test)]
mod tests;

pub use crate::protocol::tree::TreeConfig;
pub use report::{Said, TreeReport};
pub use run::run;
pub use scenario::{Between, TreeExpect, TreeScenario, is_tree};
