//! Secrets: a node's own key and the key of a network. Neither is ever printed.

use std::fmt;
use std::str::FromStr;

use libp2p_identity::Keypair;

use super::id::NodeId;

/// The key that makes a node who it is. Its public half is the [`NodeId`].
///
/// Only ed25519. `Debug` shows the id and never the secret.
#[derive(Clone)]
pub struct SecretKey(Keypair);

/// The bytes are not a node's secret key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an ed25519 secret key in libp2p's protobuf form")]
pub struct NotASecretKey;

impl SecretKey {
    /// A fresh key from the system's entropy.
    pub fn generate() -> Self {
        Self(Keypair::generate_ed25519())
    }

    /// A key from 32 secret bytes: the same bytes, the same node. For simulations and tests.
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        // Any 32 bytes are a valid ed25519 secret, so the error cannot happen; a fresh key is the
        // harmless answer if libp2p ever disagrees.
        Keypair::ed25519_from_bytes(&mut seed).map_or_else(|_| Self::generate(), Self)
    }

    /// Reads libp2p's protobuf form, as other libp2p programs store it.
    ///
    /// # Errors
    /// [`NotASecretKey`] when the bytes are something else, or a key that is not ed25519.
    pub fn from_protobuf(bytes: &[u8]) -> Result<Self, NotASecretKey> {
        let pair = Keypair::from_protobuf_encoding(bytes).map_err(|_| NotASecretKey)?;
        match pair.key_type() {
            libp2p_identity::KeyType::Ed25519 => Ok(Self(pair)),
            _ => Err(NotASecretKey),
        }
    }

    /// libp2p's protobuf form, to be kept where nobody else can read it.
    pub fn to_protobuf(&self) -> Vec<u8> {
        // Encoding an ed25519 pair cannot fail: the feature is always on.
        self.0.to_protobuf_encoding().unwrap_or_default()
    }

    /// The public name that belongs to this key.
    pub fn id(&self) -> NodeId {
        NodeId::from(self.0.public().to_peer_id())
    }

    /// Signs `bytes`; [`NodeId::verify`] checks it. Always 64 bytes, always the same for the same
    /// input.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        // Only RSA keys can fail to sign.
        self.0.sign(bytes).unwrap_or_default()
    }

    /// libp2p's own type, for the transports.
    #[cfg(feature = "net")]
    pub(crate) fn keypair(&self) -> &Keypair {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.id())
    }
}

/// The 32 secret bytes all members of a network share. Who does not know them is refused at the
/// hello of every connection. `Debug` shows nothing of it.
///
/// As text, and in key files, it is 64 hexadecimal digits.
///
/// ```
/// use gossip_mesh::NetworkKey;
/// let key: NetworkKey = "42".repeat(32).parse().unwrap();
/// assert_eq!(format!("{key:?}"), "NetworkKey(…)");
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct NetworkKey([u8; 32]);

/// The text is not a network key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a network key is 64 hexadecimal digits (32 bytes), e.g. from `openssl rand -hex 32`")]
pub struct NotANetworkKey;

impl NetworkKey {
    /// The key made of these 32 bytes. They should come from a good source of entropy: a proof
    /// made with a guessable key can be guessed.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits of a key file.
    pub fn to_hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl FromStr for NetworkKey {
    type Err = NotANetworkKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = blake3::Hash::from_hex(text.trim()).map_err(|_| NotANetworkKey)?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkKey(…)")
    }
}
