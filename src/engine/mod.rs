//! Floor 3: all machines as one. The driver and the simulator turn this, and nothing else.
//!
//! ```text
//!   user, network, clock                          network, user
//!          │                                            ▲
//!        Input ──► route ──► membership ─┐              │
//!                    │  ▲    discovery ──┼──► route ──► Output
//!                    │  │    topic ──────┘      │
//!                    │  └───────────────────────┘
//!                    └ what one room learns, another needs
//! ```
//!
//! `route.rs` translates and never decides.

mod event;
pub(crate) mod frame;
pub(crate) mod input;
pub(crate) mod output;
mod route;
#[cfg(test)]
mod tests;

pub use event::Event;
pub(crate) use input::Input;
pub(crate) use output::Output;
pub(crate) use route::{Engine, EngineSettings};
