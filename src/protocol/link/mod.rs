//! The link room: which of the connections with a peer is *the* link, and when it is given up.
//!
//! ```text
//!  Opened, Closed ──► links ──► Linked, Unlinked
//!  Pinged, Slow,        │
//!  Unlink, Tick ────────┴─────► Close
//! ```
//!
//! It knows connections and nothing of what nodes say to each other: who is a member, who left and
//! who failed is decided in other rooms. What they want to be rid of comes in as `Unlink`.
//!
//! # Spec
//!
//! - upon the first connection with a peer: it is the link; `Linked`, in the life of its hello.
//! - upon a second connection in the same life within `tie_window`: one is kept. Dialled from
//!   different sides: the one that the smaller id dialled. Dialled from the same side: the newer.
//!   The other is closed after `tie_grace`, so that what is under way on it arrives; by the side
//!   that did not dial only after `tie_patience`, because it may see the two in the other order.
//! - upon a later second connection, or one in a newer life: the peer knows nothing of the link we
//!   hold. Everything to it is closed, the new connection too, because gossipsub tells its topics
//!   only to a peer it has no connection with. The peer dials again at once and meets a clean
//!   slate.
//! - upon a connection in an older life than that of the link: it is closed; it is a leftover.
//! - upon `misses` failed pings in a row on a link, or `slow_limit` complaints of gossipsub about a
//!   slow peer within `slow_window`: all connections to it are closed, to be dialled again.
//! - upon `Unlink`: all connections to the peer are closed.
//! - upon a connection while all others to the peer are being closed: it is closed with them.
//! - upon the end of the last connection: `Unlinked`.
//!
//! # Invariants
//!
//! 1. At most one link per peer is told to the other rooms, and `Linked` and `Unlinked` alternate
//!    per peer.
//! 2. The life of a peer's link never falls while it is linked.
//! 3. Two sides that see the same connections end with the same one, or with none.
//! 4. What is kept is bounded by the open connections, whose number the network limits, and by
//!    `slow_limit` times for each peer.

mod config;
mod links;
mod machine;
mod stats;
#[cfg(test)]
mod tests;

pub use config::WatchConfig;
pub use stats::LinkStats;

pub(crate) use links::{Link, LinkId, Links};
pub(crate) use machine::{Input, LinkMachine, Output};
