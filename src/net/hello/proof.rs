//! The proof that a node knows the network key.

use libp2p::PeerId;

use crate::base::key::NetworkKey;

/// Contexts of the key derivation. They keep a network key that is used elsewhere too, and a
/// network name that looks like a key, from meaning anything here.
const CLOSED: &str = "gossip-mesh hello v1: key of a closed network";
const OPEN: &str = "gossip-mesh hello v1: name of an open network";

/// Which end of the connection a node is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// It opened the connection.
    Dialer,
    /// It accepted the connection.
    Listener,
}

impl Role {
    /// The one at the other end.
    pub const fn other(self) -> Self {
        match self {
            Self::Dialer => Self::Listener,
            Self::Listener => Self::Dialer,
        }
    }
}

/// What a proof is made with.
#[derive(Clone)]
pub(super) struct ProofKey([u8; 32]);

impl ProofKey {
    /// From the network's key, or from its name where it has none.
    pub fn new(network: &str, key: Option<&NetworkKey>) -> Self {
        Self(match key {
            Some(key) => blake3::derive_key(CLOSED, key.as_bytes()),
            None => blake3::derive_key(OPEN, network.as_bytes()),
        })
    }
}

/// Everything that was said so far, under the key. Starts with both ids, so what is proved here
/// is worth nothing between other nodes.
#[derive(Clone)]
pub(super) struct Transcript(blake3::Hasher);

impl Transcript {
    /// A connection on which nothing was said yet.
    pub fn new(key: &ProofKey, dialer: &PeerId, listener: &PeerId) -> Self {
        let mut transcript = Self(blake3::Hasher::new_keyed(&key.0));
        transcript.absorb(&dialer.to_bytes());
        transcript.absorb(&listener.to_bytes());
        transcript
    }

    /// Adds what was said. The length goes first, so that two things never look like one other.
    pub fn absorb(&mut self, said: &[u8]) {
        self.0.update(&(said.len() as u64).to_be_bytes());
        self.0.update(said);
    }

    /// The proof of `role` at this point, over its introduction too. Compare hashes, never bytes:
    /// `blake3::Hash` compares in constant time.
    pub fn proof(&self, role: Role, introduction: &[u8]) -> blake3::Hash {
        let mut transcript = self.clone();
        transcript.absorb(match role {
            Role::Dialer => b"proof of the dialer",
            Role::Listener => b"proof of the listener",
        });
        transcript.absorb(introduction);
        transcript.0.finalize()
    }
}
