//! What is said in a hello, and how it becomes bytes.

use std::collections::BTreeSet;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::Incarnation;
use crate::base::limits::MAX_CERTIFICATE;
use crate::base::name::check_name;
use crate::net::refusal::{HelloError, Limits, Refusal};

/// The first thing both sides say, so that no other program is taken for ours.
pub(super) const MAGIC: [u8; 8] = *b"goss-msh";

/// The version of everything nodes of one network say to each other.
pub(super) const FORMAT_VERSION: u16 = 1;

/// Largest message of the hello, in bytes: a refusal with a certificate.
pub(super) const MAX_MESSAGE: usize = MAX_CERTIFICATE + 256;

/// Largest introduction, in bytes. The largest within its other limits needs 2.6 KiB.
pub(super) const MAX_INTRODUCTION: usize = 4096;

/// Most features a node may name.
pub(super) const MAX_FEATURES: usize = 32;

/// Longest name of a feature, in bytes.
pub(super) const MAX_FEATURE: usize = 64;

/// One message of the hello.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Message {
    /// Who is there, as far as a stranger may know.
    Hello(Opening),
    /// That the network key is known, and the rest about the node.
    Proof(Proof),
    /// The dialer agrees; the hello is over.
    Welcome,
    /// The end, and why.
    Refusal(Reason),
}

/// Later versions may add fields, but keep these: two versions must be able to part in peace.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Opening {
    /// [`MAGIC`].
    pub magic: ByteArray<8>,
    /// [`FORMAT_VERSION`] of the sender.
    pub version: u16,
    /// The name of the sender's network.
    pub network: String,
    /// Fresh for every connection, from the system's entropy.
    pub nonce: ByteArray<32>,
}

/// That the sender knows the network key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Proof {
    /// The keyed hash of `proof.rs`.
    pub mac: ByteArray<32>,
    /// An [`Introduction`] in CBOR: the proof covers these very bytes.
    pub introduction: ByteBuf,
}

/// What a member says of itself. Nothing of topics, addresses or names: at this moment the dialer
/// does not know yet whether the listener is a member.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Introduction {
    /// Which start of the node, and how often it refuted its death since.
    pub incarnation: Incarnation,
    /// What has to be the same on every node.
    pub limits: Limits,
    /// What it can do beyond the format version.
    pub features: BTreeSet<String>,
    /// Program and version, for people.
    pub agent: String,
}

impl Introduction {
    /// Reads an introduction and holds it against its limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let said: Self = from_cbor(bytes, MAX_INTRODUCTION).map_err(|_| Refusal::Garbage)?;
        if said.is_within_limits() { Ok(said) } else { Err(Refusal::Garbage) }
    }

    /// True when the features are few and short, and the agent is a name.
    pub fn is_within_limits(&self) -> bool {
        self.features.len() <= MAX_FEATURES
            && self.features.iter().all(|feature| feature.len() <= MAX_FEATURE)
            && check_name(&self.agent).is_ok()
    }
}

/// A refusal on the wire: a code that every version can read, and details that fit the code.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Reason {
    code: u16,
    #[serde(default)]
    detail: ByteBuf,
}

#[cfg(test)]
impl Reason {
    /// What a peer may send, fitting or not.
    pub fn of_bytes(code: u16, detail: Vec<u8>) -> Self {
        Self { code, detail: ByteBuf::from(detail) }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        let detail = match refusal {
            Refusal::UnknownVersion { refuser, refused } => to_cbor(&(refuser, refused)),
            Refusal::OtherNetwork { refuser, refused } => to_cbor(&(refuser, refused)),
            Refusal::IncompatibleLimits { refuser, refused } => to_cbor(&(refuser, refused)),
            Refusal::Down { certificate } if certificate.len() <= MAX_CERTIFICATE => {
                certificate.clone()
            }
            _ => Vec::new(),
        };
        Self { code: refusal.code(), detail: ByteBuf::from(detail) }
    }
}

impl From<Reason> for Refusal {
    /// A code of a later version, or a detail that does not fit, is `Unknown`.
    fn from(reason: Reason) -> Self {
        let Reason { code, detail } = reason;
        let known = match code {
            1 => Some(Self::NotAHello),
            2 => from_cbor(&detail, MAX_MESSAGE)
                .ok()
                .map(|(refuser, refused)| Self::UnknownVersion { refuser, refused }),
            3 => from_cbor(&detail, MAX_MESSAGE)
                .ok()
                .filter(|(one, other): &(String, String)| {
                    check_name(one).is_ok() && check_name(other).is_ok()
                })
                .map(|(refuser, refused)| Self::OtherNetwork { refuser, refused }),
            4 => Some(Self::WrongProof),
            5 => from_cbor(&detail, MAX_MESSAGE)
                .ok()
                .map(|(refuser, refused)| Self::IncompatibleLimits { refuser, refused }),
            6 => Some(Self::Ourselves),
            7 => Some(Self::Busy),
            8 => Some(Self::Garbage),
            9 => Some(Self::Echo),
            10 if detail.len() <= MAX_CERTIFICATE => {
                Some(Self::Down { certificate: detail.into_vec() })
            }
            _ => None,
        };
        known.unwrap_or(Self::Unknown(code))
    }
}

/// The bytes of a message, without the length before them.
pub(super) fn encode(message: &Message) -> Vec<u8> {
    to_cbor(message)
}

/// The message in these bytes. Anything else is garbage.
pub(super) fn decode(bytes: &[u8]) -> Result<Message, Refusal> {
    from_cbor(bytes, MAX_MESSAGE).map_err(|_| Refusal::Garbage)
}

/// Writes a message that was encoded, with its length before it, and flushes.
pub(super) async fn write<S>(stream: &mut S, message: &[u8]) -> Result<(), HelloError>
where
    S: AsyncWrite + Unpin,
{
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(4 + message.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    stream.write_all(&frame).await?;
    Ok(stream.flush().await?)
}

/// Reads the bytes of one message. A length beyond the limit is refused before anything is
/// allocated for it; so ends, at its first four bytes, any other protocol.
pub(super) async fn read<S>(stream: &mut S) -> Result<Vec<u8>, HelloError>
where
    S: AsyncRead + Unpin,
{
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE {
        return Err(HelloError::RefusedByUs(Refusal::Garbage));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(message)
}
