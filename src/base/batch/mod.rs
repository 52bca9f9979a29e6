//! A batch: messages of one author on one topic that travel, are kept and are repaired together.
//!
//! ```text
//!  version u8 │ signature 64 │ head length u16 │ head, CBOR │ body
//!                            └───────────── signed ──────────────┘
//!
//!  body of one message     its payload
//!  body of several         per message: length, microseconds since the first was sent (LEB128);
//!                          then the payloads, one after the other
//!
//!  a body that is compressed is one LZ4 block of all that; the head says what it becomes
//! ```
//!
//! The messages of a batch are numbered one after the other, so a batch says where it belongs and
//! what is missing before it. It is encoded and signed once, by its author; whoever passes it on
//! passes on the same bytes, and whoever gets it from anybody knows who wrote it.
//!
//! A body is compressed once, by its author and before it is signed, so whoever passes the batch on
//! has no work with it: it is expanded where it is read, and kept as it travels. How many bytes it
//! becomes is checked before memory is taken for them.
//!
//! Integers are big endian. The signature is ed25519 over a context and the BLAKE3 hash of what is
//! signed: hashing with BLAKE3 first costs a fifth of what ed25519's own SHA-512 does.
//!
//! Invariants: what `read` accepts, and what `open` then gives, is within the limits they were
//! given; the spans of a batch lie inside its payloads, in order, and cover them; a `Batch` in
//! memory is signed by its author, or was made here.

mod contents;
mod head;
mod pack;
mod read;
mod seal;
#[cfg(test)]
mod tests;
mod varint;
mod view;

pub(crate) use head::{Head, MAX_CONTEXTS, MAX_HEAD, Origin, Piece, Place};
pub(crate) use read::Flaw;
pub(crate) use view::Unexpandable;

use bytes::Bytes;

use contents::Contents;

use super::time::WallTime;
use super::trace_context::TraceContext;

/// The only version there is. (1 was an envelope without a signature of its own.)
const VERSION: u8 = 2;

const SIGNATURE: usize = 64;

/// Version, signature, and the length of the head.
const PREFIX: usize = 1 + SIGNATURE + 2;

/// What every signature of a batch is made over, before the hash: nothing else we sign begins so.
const CONTEXT: &[u8] = b"gossip-mesh batch 2\0";

/// Most bytes of payload that are gathered into one batch: below it the cost per frame still
/// shows, above it a relay waits too long for the whole of it (design 2.2). A value of 64 KiB fits
/// with what its codec adds: a second piece of some bytes would have a signature of its own.
pub(crate) const MAX_GATHERED: usize = 68 * 1024;

/// Most messages of one batch. (Guess: at 16 bytes each they fill 64 KiB.)
pub(crate) const MAX_COUNT: usize = 4_096;

/// Most bytes that a message costs in the table.
const MAX_ENTRY: usize = 10;

/// Messages of one author, life and topic, numbered one after the other. See the module.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    head: Head,
    wire: Bytes,
    body: Body,
}

/// The body, a part of the batch's memory.
#[derive(Clone, Debug)]
enum Body {
    /// As it is.
    Plain(Contents),
    /// Compressed, and what it is to become. Not expanded here: a batch is kept by its size.
    Packed { bytes: Bytes, expanded: usize },
}

/// One message of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Item {
    /// Its number among those of its author, life and topic.
    pub number: u64,
    /// When it was sent, on the author's clock.
    pub sent: WallTime,
    /// A part of the batch's memory, or of what its body was expanded to.
    pub payload: Bytes,
    /// The place in a trace that it belongs to.
    pub trace_context: Option<TraceContext>,
}
