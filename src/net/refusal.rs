//! Why a hello failed: the reasons that travel to the refused side, and the error that travels
//! through libp2p to the driver.

use std::error::Error;
use std::fmt;
use std::io;

use libp2p::core::transport::TransportError;
use libp2p::core::transport::timeout::TransportTimeoutError;
use libp2p::swarm::{DialError, ListenError};
use serde::{Deserialize, Serialize};

use crate::base::id::NodeId;

/// Settings that must be the same on every node, or messages would be lost in silence.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Limits {
    /// Largest payload of a message, in bytes.
    pub max_message_bytes: u64,
    /// Over how many gossipsub topics our topics are spread.
    pub buckets: u16,
}

/// Why a node refuses another. Told to the refused node before the connection ends.
///
/// Where both sides' values differ both are in it, so that one sentence says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub(crate) enum Refusal {
    /// A well-formed beginning, but not of this framework.
    NotAHello,
    /// The format versions differ.
    UnknownVersion {
        /// What the refusing side speaks.
        refuser: u16,
        /// What the refused side speaks.
        refused: u16,
    },
    /// The names of the networks differ.
    OtherNetwork {
        /// The network of the refusing side.
        refuser: String,
        /// The network of the refused side.
        refused: String,
    },
    /// The proof of the network key does not fit: made with another key, without one, for other
    /// nodes, or for an earlier connection (a replay).
    WrongProof,
    /// Settings differ that must be the same on every node.
    IncompatibleLimits {
        /// The limits of the refusing side.
        refuser: Limits,
        /// The limits of the refused side.
        refused: Limits,
    },
    /// Both ends are the same node.
    Ourselves,
    /// Too many hellos are under way at the refusing side. Later it may work.
    Busy,
    /// Bytes that are no message of the hello, too many of them, or out of turn.
    Garbage,
    /// What the refusing side had sent came back to it.
    Echo,
    /// A quorum put out this incarnation of the refused node. The next one is welcome.
    Down {
        /// The quorum's certificate, as the refusing side holds it; whoever reads it must check its
        /// signatures. At most `MAX_CERTIFICATE` bytes. Empty when it is larger.
        certificate: Vec<u8>,
    },
    /// A reason this version does not know, by its code.
    Unknown(u16),
}

impl Refusal {
    /// The reason's number on the wire. A number once given keeps its meaning for ever.
    pub(crate) const fn code(&self) -> u16 {
        match self {
            Self::NotAHello => 1,
            Self::UnknownVersion { .. } => 2,
            Self::OtherNetwork { .. } => 3,
            Self::WrongProof => 4,
            Self::IncompatibleLimits { .. } => 5,
            Self::Ourselves => 6,
            Self::Busy => 7,
            Self::Garbage => 8,
            Self::Echo => 9,
            Self::Down { .. } => 10,
            Self::Unknown(code) => *code,
        }
    }

    /// The reason as a name for counters.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::NotAHello => "not_a_hello",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::OtherNetwork { .. } => "other_network",
            Self::WrongProof => "wrong_proof",
            Self::IncompatibleLimits { .. } => "incompatible_limits",
            Self::Ourselves => "ourselves",
            Self::Busy => "busy",
            Self::Garbage => "garbage",
            Self::Echo => "echo",
            Self::Down { .. } => "down",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The sentence for people, with the names of the two sides put in.
    fn tell(&self, f: &mut fmt::Formatter<'_>, refuser: &str, refused: &str) -> fmt::Result {
        match self {
            Self::NotAHello => write!(f, "{refused} did not begin with the hello of this program"),
            Self::UnknownVersion { refuser: ours, refused: theirs } => {
                write!(f, "{refuser} speaks format version {ours}, {refused} version {theirs}")
            }
            // The names may come from the peer: `{:?}` keeps control characters off the screen.
            Self::OtherNetwork { refuser: ours, refused: theirs } => {
                write!(f, "{refuser} is in network {ours:?}, {refused} in network {theirs:?}")
            }
            Self::WrongProof => {
                write!(f, "{refused} cannot prove the network key: it has another one, or none")
            }
            Self::IncompatibleLimits { refuser: ours, refused: theirs } => write!(
                f,
                "{refuser} is set to messages of {} bytes in {} buckets, {refused} to {} bytes in \
                 {}, and these settings must be the same on every node",
                ours.max_message_bytes, ours.buckets, theirs.max_message_bytes, theirs.buckets,
            ),
            Self::Ourselves => f.write_str("both ends are the same node"),
            Self::Busy => write!(f, "{refuser} is busy with too many other hellos, try again"),
            Self::Garbage => write!(f, "{refused} sent what is no message of the hello"),
            Self::Echo => write!(f, "{refused} sent back what {refuser} had sent"),
            Self::Down { .. } => {
                write!(f, "{refused} was put out by a quorum; it comes back with a new incarnation")
            }
            Self::Unknown(code) => write!(f, "a reason of a later version (code {code})"),
        }
    }
}

impl Refusal {
    /// True for what a later dial may find changed; all other reasons stay until a person acts.
    pub(crate) const fn passes(&self) -> bool {
        matches!(self, Self::Busy | Self::Down { .. })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tell(f, "the refusing node", "the refused node")
    }
}

/// How a hello failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum HelloError {
    /// We refused the peer, and told it why as far as it listened.
    RefusedByUs(Refusal),
    /// The peer refused us.
    RefusedByPeer(Refusal),
    /// The peer did not come to an end in time.
    Silence,
    /// The connection ended, or could not be used, in the middle of the hello.
    Broken(String),
}

impl HelloError {
    /// Which of several failures says most: a reason before silence before a broken line.
    const fn rank(&self) -> u8 {
        match self {
            Self::RefusedByPeer(_) | Self::RefusedByUs(_) => 0,
            Self::Silence => 1,
            Self::Broken(_) => 2,
        }
    }
}

impl fmt::Display for HelloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RefusedByUs(refusal) => {
                f.write_str("this node refused the peer: ")?;
                refusal.tell(f, "this node", "the peer")
            }
            Self::RefusedByPeer(refusal) => {
                f.write_str("the peer refused this node: ")?;
                refusal.tell(f, "the peer", "this node")
            }
            Self::Silence => f.write_str("the peer did not finish the hello in time"),
            Self::Broken(why) => write!(f, "the hello was cut short: {why}"),
        }
    }
}

impl Error for HelloError {}

impl From<io::Error> for HelloError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A hello that failed, and with whom. Travels inside the `io::Error` of the transport.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HelloFailure {
    /// Who it was. The transport has proved this id.
    pub peer: NodeId,
    /// What went wrong.
    pub error: HelloError,
}

impl HelloFailure {
    /// The failed hello behind a failed dial, if a hello was what failed. When several addresses
    /// failed, the one that says most.
    pub(crate) fn of_dial(error: &DialError) -> Option<Self> {
        let DialError::Transport(attempts) = error else { return None };
        attempts
            .iter()
            .filter_map(|(_, error)| Self::of_transport(error))
            .min_by_key(|failure| failure.error.rank())
    }

    /// The failed hello behind a failed incoming connection, if a hello was what failed.
    pub(crate) fn of_listen(error: &ListenError) -> Option<Self> {
        let ListenError::Transport(error) = error else { return None };
        Self::of_transport(error)
    }

    fn of_transport(error: &TransportError<io::Error>) -> Option<Self> {
        inside::<Self>(error).cloned()
    }

    /// What a connection came to that broke before its hello; `None` when another thing failed.
    pub(crate) fn before_hello(error: &ListenError) -> Option<HelloError> {
        let ListenError::Transport(error) = error else { return None };
        let timed_out = matches!(
            inside::<TransportTimeoutError<io::Error>>(error),
            Some(TransportTimeoutError::Timeout)
        );
        let broken = || HelloError::Broken(error.to_string());
        Some(if timed_out { HelloError::Silence } else { broken() })
    }
}

/// The error of this type in a transport's error.
fn inside<T: Error + 'static>(error: &TransportError<io::Error>) -> Option<&T> {
    let TransportError::Other(error) = error else { return None };
    // Every boxed transport adds one `io::Error` around the next. `source` would step over the
    // innermost one, so each layer is opened by hand.
    let mut layer = error;
    loop {
        let inner = layer.get_ref()?;
        if let Some(found) = inner.downcast_ref::<T>() {
            return Some(found);
        }
        layer = inner.downcast_ref::<io::Error>()?;
    }
}

impl fmt::Display for HelloFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no hello with {}: {}", self.peer, self.error)
    }
}

impl Error for HelloFailure {}
