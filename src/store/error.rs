//! What can go wrong with the disk.

use std::path::PathBuf;

/// The store cannot do what was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the store open.
    #[error(
        "the store {path} is open in another process: stop that node first, or give this one a \
         data folder of its own"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The store cannot be opened or made.
    #[error("the store {path} cannot be opened: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or the database said.
        reason: String,
    },
    /// A read failed.
    #[error("the store cannot be read: {0}")]
    Read(String),
    /// A write failed; what is on disk is unknown, so the store takes nothing more.
    #[error(
        "a write to the store failed ({0}), so it takes nothing more: make room or repair the \
         disk, then start the node again"
    )]
    Poisoned(String),
}
