//! Floor 3: all machines as one. The driver and the simulator turn this, and nothing else.
//!
//! ```text
//!   user, network, clock                          network, user
//!          │                                            ▲
//!        Input ──► route ──► link ───────┐              │
//!                    │  ▲    membership ─┤              │
//!                    │  │    discovery ──┼──► route ──► Output
//!                    │  │    topic ──────┘      │
//!                    │  └───────────────────────┘
//!                    └ what one room learns, another needs
//! ```
//!
//! `route.rs` translates and never decides.

mod branches;
mod condition;
mod event;
pub(crate) mod frame;
pub(crate) mod input;
pub(crate) mod output;
mod recorder;
mod recording;
mod replay;
mod route;
mod story;
#[cfg(test)]
mod tests;

pub use condition::Condition;
pub use event::Event;
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use input::Input;
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use output::Output;
#[cfg(any(feature = "net", test))]
pub(crate) use recorder::Limits;
pub use recording::{Recording, RecordingHeader};
pub use replay::{Replay, ReplayStep};
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use route::{Engine, EngineSettings};
pub use story::{Episode, Story};
