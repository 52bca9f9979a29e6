//! Floor 1: memory. One redb file in the data folder, one writer.
//!
//! Who decides asks for `Store(ops)`; the writer gathers what waits, commits it with one fsync, and
//! only then says `Stored`. Nothing is said to others before it is stored. Without a data folder
//! there is no store and nothing is written.
//!
//! A failed write poisons the store: what is on disk is unknown then, so nothing more is accepted
//! and the node is told.

mod error;
pub(crate) mod op;
// Apart, because clippy knows tests by this attribute alone.
#[cfg(feature = "store")]
#[cfg(test)]
mod tests;
#[cfg(feature = "store")]
mod writer;

pub use error::StoreError;
#[cfg(any(feature = "net", all(feature = "store", test)))]
pub(crate) use op::{Op, Space};
#[cfg(any(feature = "net", all(feature = "store", test)))]
pub(crate) use writer::Store;
