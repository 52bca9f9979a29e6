//! Who is who: nodes, their lives and their incarnations.

use std::fmt;
use std::str::FromStr;

use libp2p_identity::{PeerId, PublicKey};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a node that nobody can forge: the libp2p `PeerId` of its ed25519 key.
///
/// It survives restarts as long as the key file does. Human names may repeat, this never does.
/// Shown and parsed in base58 (`12D3KooW…`), 52 characters.
///
/// ```
/// use gossip_mesh::SecretKey;
/// let id = SecretKey::generate().id();
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(PeerId);

/// The text is not the base58 form of a node's id.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a node id: expected the base58 form, e.g. `12D3KooW…`")]
pub struct NotANodeId(String);

impl NodeId {
    /// The eight last characters of the id: enough to tell a few nodes apart on a screen.
    pub fn short(&self) -> String {
        let text = self.to_string();
        text.get(text.len().saturating_sub(8)..).unwrap_or(&text).to_owned()
    }

    /// The id as libp2p writes it, 38 bytes for ed25519.
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Reads what [`NodeId::to_bytes`] wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        PeerId::from_bytes(bytes).ok().map(Self)
    }

    /// True when `signature` over `bytes` was made with this node's key.
    ///
    /// The public key is inside the id of every member, because members have ed25519 keys. An id
    /// that only holds the hash of a key verifies nothing.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let hash = self.0.as_ref();
        // Multihash code 0 is "identity": the digest is the key itself.
        hash.code() == 0
            && PublicKey::try_decode_protobuf(hash.digest())
                .is_ok_and(|key| key.verify(bytes, signature))
    }
}

impl From<PeerId> for NodeId {
    fn from(peer: PeerId) -> Self {
        Self(peer)
    }
}

impl From<NodeId> for PeerId {
    fn from(id: NodeId) -> Self {
        id.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.short())
    }
}

impl FromStr for NodeId {
    type Err = NotANodeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| NotANodeId(text.to_owned()))
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.to_bytes())
        }
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What serde has put aside before (a flattened field, a variant named by a tag) says that
        // it is readable, whatever the format was: so either form is taken in either case.
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_str(EitherForm),
            false => deserializer.deserialize_bytes(EitherForm),
        }
    }
}

struct EitherForm;

impl Visitor<'_> for EitherForm {
    type Value = NodeId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node id")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NodeId, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<NodeId, E> {
        NodeId::from_bytes(bytes).ok_or_else(|| E::custom("not a node id"))
    }
}

/// One start of a node. Raised once per start, so a higher life is always the newer one.
///
/// It is the larger of "one above the stored life" and the wall clock in milliseconds, which keeps
/// it rising with a store, without one, and after an old backup was put back.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Life(pub u64);

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A life and how often its owner had to contradict a rumour of its death in it.
///
/// Ordered by life first. Only the owner raises it; links and numbering know only the life.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Incarnation {
    /// Which start of the node.
    pub life: Life,
    /// How often it refuted a suspicion in this life.
    pub refutations: u32,
}
