//! The wide error of the user's door.

use std::path::PathBuf;

use crate::base::codec::EncodeError;
use crate::config::ConfigError;
use crate::net::{FaultError, NetworkError};
use crate::protocol::discovery::ConnectError;
use crate::protocol::topic::TopicError;
use crate::store::StoreError;

/// What can go wrong with a node. Each message says what happened and what to do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings contradict each other or themselves. Nothing was started.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or folder cannot be used. Nothing was started.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The store on disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network cannot start: an address is taken, a protocol cannot be set up.
    #[error("{0}")]
    Network(String),
    /// A message or a subscription was refused.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A connect led to no link.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A fault was not set.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// A value could not be encoded. Nothing was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Nothing is recorded; set `recorder.max_bytes` above 0 before the start.
    #[error("this node records nothing: set `recorder.max_bytes` above 0 and start it again")]
    NotRecorded,
    /// The node has stopped; start another one.
    #[error("the node has stopped")]
    Stopped,
}

impl From<NetworkError> for Error {
    fn from(error: NetworkError) -> Self {
        Self::Network(error.to_string())
    }
}
