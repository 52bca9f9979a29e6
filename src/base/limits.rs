//! Bounds of what comes from outside. Where a limit is a setting it lives in a config; these are
//! the ones the wire format itself fixes, so every node has the same.

/// Longest name of a node, a topic or a network, in bytes. (Guess: longer names are mistakes.)
pub const MAX_NAME: usize = 256;

/// Largest request or answer between two nodes, in bytes.
pub const MAX_FRAME: usize = 1024 * 1024;

/// Largest probe or answer to one, in bytes. Probes have streams of their own, so that nothing
/// large goes before them; an acknowledgement needs some hundred bytes.
pub const MAX_PROBE: usize = 2 * 1024;

#[cfg(feature = "net")]
/// Largest message of the tree room, in bytes: it goes before batches on the same stream.
pub const MAX_TREE_MESSAGE: usize = 16 * 1024;

/// Largest certificate that a hello carries, in bytes. One of 64 voters, with a node id, a
/// signature and a handful of numbers for each, needs some 8 KiB.
pub const MAX_CERTIFICATE: usize = 12 * 1024;

/// Deepest nesting a decoder follows. Our messages need 8; a stack overflow needs thousands.
pub const MAX_DEPTH: usize = 16;

/// Most addresses a card may list.
pub const MAX_ADDRESSES: usize = 32;

/// Largest signed card, in bytes.
pub const MAX_CARD: usize = 32 * 1024;

/// Most topics a card may list. Every text in memory costs some 100 bytes beside its own, so
/// 32 KiB of one-letter names would become a megabyte. (Guess: who reads more is a bridge.)
pub const MAX_TOPICS: usize = 1024;

/// Most labels a card may carry. (Guess: people read them.)
pub const MAX_LABELS: usize = 64;
