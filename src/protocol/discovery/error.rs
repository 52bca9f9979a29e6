//! What can go wrong with what the user asks of discovery.

use multiaddr::Multiaddr;

use crate::base::id::NodeId;

/// Why `connect` led to no link.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// There is a link with this peer already.
    #[error("{0} is linked already: disconnect first to replace the link")]
    AlreadyLinked(NodeId),
    /// Nobody answered. The address is remembered and dialled again.
    #[error("nobody answers at {address} ({reason}); it will be tried again in the background")]
    Unreachable {
        /// Where.
        address: Multiaddr,
        /// What the transport said.
        reason: String,
    },
    /// It is not of our network.
    #[error("the node at {address} is not of this network: {reason}")]
    Stranger {
        /// Where.
        address: Multiaddr,
        /// What the hello said.
        reason: String,
    },
    /// The address is one of our own.
    #[error("{0} is an address of this very node")]
    Ourselves(Multiaddr),
    /// Another node lives there.
    #[error("another node than {wanted} lives at {address}")]
    WrongPeer {
        /// Whom the address named.
        wanted: NodeId,
        /// Where.
        address: Multiaddr,
    },
    /// Our own limits forbid it for now.
    #[error("no further link is possible now: {0}")]
    Limited(String),
}
