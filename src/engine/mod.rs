//! Floor 3: all machines as one. The driver and the simulator turn this, and nothing else.
//!
//! ```text
//!   user, network, clock                          network, user
//!          │                                            ▲
//!        Input ──► route ──► link ───────┐              │
//!                    │  ▲    membership ─┤              │
//!                    │  │    discovery ──┼──► wants ──► Output
//!                    │  │    topic ──────┘      │
//!                    │  └───────────────────────┘
//!                    └ what one room learns, another needs
//! ```
//!
//! The machines and their outboxes are in `machines.rs`. `route.rs` brings what comes in to the
//! room it is for (`talk.rs` what peers say), `wants.rs` what a room wants to the others and
//! outside; `branches.rs` stands between the tree carrier and the rest. All of these translate,
//! none decides.
//!
//! What membership found out is kept as a story of each node (`story.rs`, `condition.rs`,
//! `why.rs`), and what came into it is recorded (`recorder.rs`), to be told (`recording.rs`) and
//! turned again elsewhere (`replay.rs`).

mod branches;
mod condition;
mod event;
pub(crate) mod frame;
pub(crate) mod input;
mod machines;
pub(crate) mod output;
mod recorder;
mod recording;
mod replay;
mod route;
mod story;
mod talk;
#[cfg(test)]
mod tests;
mod wants;
mod why;

pub use condition::Condition;
pub use event::Event;
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use input::Input;
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use machines::{Engine, EngineSettings};
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use output::Output;
#[cfg(any(feature = "net", test))]
pub(crate) use recorder::Limits;
pub use recording::{Recording, RecordingHeader};
pub use replay::{Replay, ReplayStep};
pub use story::{Episode, Story};
