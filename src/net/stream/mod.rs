//! The tree carrier's streams: one long-lived stream per link and direction, for packets that may
//! not be lost as long as the link lives.
//!
//! ```text
//!   Output::TreeSend ──► Queue ──► writer ═══ one stream ═══► reader ──► Input::TreePacket
//!                                    │                         │
//!   Input::TreeSent ◄────────────────┘                         └ checks every signature
//! ```
//!
//! Only members say the hello, so only they meet this protocol; and streams are opened only to
//! peers whose hello has the feature `tree`.
//!
//! Upon a link: open a stream, then say `TreeUp`. Upon its end, or the end of its link, or a queue
//! that is full: say `TreeDown`, and open another, over another link at once, over the same one
//! after 100 ms, doubling to 10 s. Of several connections with a peer one carries our stream; the
//! peer's may come by any.
//!
//! A packet is its length (u32, big endian, of what follows the kind), its kind (u8: 1 a batch,
//! 2 a CBOR message of the tree room), and its bytes. A stream that breaks this rule, or brings a
//! batch that its author did not sign, is closed and counted, and `TreeRefused` names the peer.
//!
//! Invariants:
//! - *In order*: what is sent to a peer while one stream lives arrives in the order of its kind,
//!   whole and once; messages pass batches that are still queued.
//! - *Told*: whatever was sent before a `TreeDown` and was not read by then is lost, and every loss
//!   has its `TreeDown`.
//! - *Pushed back*: while the driver takes no packets, or no batches of one peer (`TreeHold`),
//!   readers read none, and the peers' writers stop when the window of the stream is full.
//! - *Bounded*: a queue holds 8 MiB; all readers together hold 2 MiB of packets that wait for the
//!   driver, and each at most one packet under way, in memory that grows as its bytes arrive.
//! - *Ended*: a task ends with its stream, a stream with its link.
//!
//! The streams have a connection handler of their own: `libp2p-stream` chooses the connection by
//! itself, dials, and may wait for ever for a stream.

mod frame;
mod handler;
mod opener;
mod queue;
mod reader;
mod report;
mod streams;
#[cfg(test)]
mod tests;
mod ways;
mod writer;

pub use streams::StreamStats;

pub(super) use frame::Limits;
pub(super) use opener::{Opener, StreamEvent};
pub(super) use streams::{Effects, Streams};

/// What the hello of a node says that speaks this protocol.
pub(super) const FEATURE: &str = "tree";
