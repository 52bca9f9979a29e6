//! Floor 5: the node as its users hold it, and the driver that turns its engine.

#[cfg(feature = "api")]
pub mod api;
mod builder;
mod command;
mod driver;
mod error;
mod events;
mod folder;
mod follow;
mod handle;
mod pace;
mod peer;
mod publish;
mod publisher;
mod replies;
mod sinks;
mod source;
mod subscribe;
mod tally;
mod topic;

pub use builder::Builder;
pub use error::Error;
pub use events::Events;
pub use handle::Node;
pub use pace::{Durations, TurnStats};
pub use peer::{Member, Overview, Peer, Stats};
pub use publish::{Confirmed, Publish};
pub use publisher::Publisher;
pub use source::{AddressSource, Sighting};
pub use subscribe::{Handler, Subscribe, Subscription};
pub use tally::{ReaderStats, Refusals, TreeTraffic, Undelivered};
pub use topic::{Message, TopicHandle};
