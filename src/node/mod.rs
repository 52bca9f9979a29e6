//! Floor 5: the node as its users hold it, and the driver that turns its engine.
//!
//! ```text
//!  a verb ──► Command ──► driver: obey, show ──► engine ──► network ──► others
//!                            ▲                      │
//!                            └── network            ▼
//!  the program ◄─── reply, delivery, event ◄─── replies, sinks
//! ```
//!
//! `builder.rs` takes the settings, `start.rs` makes a running node of them.
//!
//! `handle.rs` holds `Node`; each of its verbs stands with what it gives, in the file named like
//! it:
//!
//! | verbs | file |
//! | --- | --- |
//! | `publish`, and how: copies, confirmations, strategy | `publish.rs` |
//! | `publisher`: many messages | `publisher.rs` |
//! | `subscribe`, and how: groups, what was before | `subscribe.rs` |
//! | `on`: a callback | `on.rs` |
//! | `topic`: publish, subscribe, and who reads it | `topic.rs` |
//! | `messages`: what was kept | `messages.rs` |
//! | `peers`, `members` | `members.rs` |
//! | `why`, `recording` | `why.rs` |
//! | `overview`, `addresses` | `overview.rs` |
//! | `events` | `events.rs` |
//! | `connect`, `disconnect`, `forget`, `rewire` | `connect.rs` |
//! | `fault`, `faults` | `fault.rs` |
//! | `leave`, `stopped` | `leave.rs` |
//!
//! A verb's `Command` is taken by the driver in `obey.rs`, when it is for the engine, else in
//! `show.rs`.

#[cfg(feature = "api")]
pub mod api;
mod builder;
mod command;
mod connect;
mod driver;
mod error;
mod events;
mod fault;
mod folder;
mod follow;
mod handle;
mod leave;
mod members;
mod messages;
mod obey;
mod on;
mod overview;
mod pace;
mod publish;
mod publisher;
mod replies;
mod show;
mod sinks;
mod source;
mod start;
mod subscribe;
mod tally;
mod topic;
#[cfg(feature = "api")]
mod weak;
mod why;

pub use builder::Builder;
pub use error::Error;
pub use events::Events;
pub use handle::Node;
pub use members::{Member, Peer};
pub use messages::Message;
pub use on::Handler;
pub use overview::{Overview, Stats};
pub use pace::{Durations, TurnStats};
pub use publish::{Confirmed, Publish};
pub use publisher::Publisher;
pub use source::{AddressSource, Sighting};
pub use subscribe::{Subscribe, Subscription};
pub use tally::{ReaderStats, Refusals, TreeTraffic, Undelivered};
pub use topic::TopicHandle;
