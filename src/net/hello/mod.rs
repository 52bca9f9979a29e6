//! The hello: how two nodes find out, before anything else, whether they belong together.
//!
//! It runs on the first stream of every connection, after the transport has proved both ids and
//! sealed the line, and before the swarm hears of the connection. So no behaviour ever meets a
//! stranger, and a stranger sees no topic, no request and no address.
//!
//! ```text
//!   dialer                                       listener
//!     │ Hello { magic, version, network, nonce }   │
//!     ├───────────────────────────────────────────►│  ours? same version? same network?
//!     │ Hello                                      │
//!     │◄───────────────────────────────────────────┤
//!     │ Proof { mac, introduction }                │
//!     ├───────────────────────────────────────────►│  knows the key? same limits? not put out?
//!     │ Proof                                      │
//!     │◄───────────────────────────────────────────┤
//!     │ Welcome                                    │
//!     ├───────────────────────────────────────────►│  both go on
//! ```
//!
//! Instead of any of these a side may send `Refusal` with its reason, and end the connection.
//! Both sides check the same things. Messages are CBOR behind a length of four bytes.
//!
//! Invariants:
//! - *Both or none*: a side goes on only after the other has agreed.
//! - *Fresh*: a proof covers both nonces, so one that was recorded is worth nothing later.
//! - *Directed*: a proof covers both ids and the role of its maker, so our own cannot be sent back
//!   to us, nor handed on to a third node.
//! - *Whole*: a proof covers every byte said before it, and the introduction beside it.
//! - *Heard*: an incarnation that a quorum put out is refused with the certificate, so that it
//!   learns of it however it comes; only members are told, its next incarnation comes in,
//!   and who dials without a proof cannot make us read a certificate.
//! - *Bounded*: 12 KiB a message, 4 KiB an introduction, a thousand nodes put out, sixteen streams
//!   beside the first, one deadline for the whole hello, a limit on hellos under way, and half a
//!   second at most to let the refused side read why.
//!
//! A node without a network key proves a key made of the network's name: no secret, the same path.

mod acquaintances;
mod bars;
mod desk;
mod dialogue;
mod line;
mod proof;
mod stats;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use desk::{Hello, HelloSettings};
pub(crate) use stats::HelloStats;
