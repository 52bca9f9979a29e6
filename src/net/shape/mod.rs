//! Faults on purpose: links that are cut, slow or lossy, for tests and for the lab.
//!
//! Every connection over TCP, websocket or memory runs through a [`Shaped`] stream below
//! noise and yamux, so a fault hits bytes that nobody can tell apart, as a cable does. QUIC
//! has no stream below its encryption: a node that may shape has no QUIC.
//!
//! ```text
//!   noise ──► Shaped ──► lane out (delayed bytes) ──► socket
//!   noise ◄── Shaped ◄── lane in  (delayed bytes) ◄── socket
//!               ▲ weather of both lanes
//!             Shaper: rules per peer and direction, and a seat for every stream
//! ```
//!
//! - Upon *cut*: reads wait, and what is written waits in the lane; when that is full, writes wait
//!   too. The connection is not closed; whoever closes it need not wait for the other side. A new
//!   connection falls silent as soon as the peer is known: from its first byte where we dialled a
//!   known node, after the noise handshake elsewhere. Then its handshake or hello times out.
//! - Upon *delay*: each byte arrives that much later, in order.
//! - Upon *loss*: a lost segment arrives after a retransmission timeout, which doubles with each
//!   further loss, and what came behind it waits for it, as under TCP. No byte is ever missing.
//! - Upon *rate*: bytes leave one after the other at that rate.
//! - Upon *clear*: what was held back arrives at once.
//!
//! Invariants:
//! - *Ordered and whole*: a stream's bytes arrive in order, each once, or the stream ends.
//! - *Bounded*: a lane that holds 512 KiB takes no more; then there is back-pressure.
//! - *Free of charge*: without rules a poll costs one relaxed load and two comparisons; on a node
//!   that may not shape, the comparison with `None`.
//! - *Reproducible*: what is lost follows from the node's id and the number of its connection.

mod fault;
mod lane;
mod shaper;
mod stream;
#[cfg(test)]
mod tests;
mod weather;

pub use fault::{Fault, FaultDirection, FaultEffect, FaultError, FaultPeer};
pub(super) use shaper::Shaper;
pub(super) use stream::Shaped;
