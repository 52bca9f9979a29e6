//! The envelope of a broadcast: one version byte, the header's length (u16, big endian), the
//! header in CBOR, then the bare payload to the end.
//!
//! The payload is a slice of the frame: neither copied nor looked at. The author is not in the
//! header, because the carrier proves it by a signature.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::base::codec::{from_cbor, to_cbor};
use crate::base::group::Chosen;
use crate::base::id::Life;
use crate::base::name::check_name;
use crate::base::pattern::check_topic;
use crate::base::time::WallTime;

/// The only version there is.
pub(crate) const VERSION: u8 = 1;

/// Largest header. The longest names and origin need about 1,200 bytes; the rest is for later
/// versions, whose unknown fields are skipped.
pub(crate) const MAX_HEADER: usize = 4 * 1024;

/// Longest name of a foreign message among foreigners. (gossipsub's: a PeerId of at most 42 bytes
/// and a number of 8.)
pub(crate) const MAX_ORIGIN: usize = 256;

const PREFIX: usize = 3;

/// What a frame says before its payload. The keys are short because every message pays for them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Header {
    #[serde(rename = "t")]
    pub(crate) topic: String,
    #[serde(rename = "l")]
    pub(crate) life: Life,
    #[serde(rename = "n")]
    pub(crate) number: u64,
    #[serde(rename = "s")]
    pub(crate) sent: WallTime,
    /// Readers are asked to confirm.
    #[serde(default, rename = "r", skip_serializing_if = "is_false")]
    pub(crate) receipts: bool,
    /// The publisher marked the topic as one that doors carry.
    #[serde(default, rename = "f", skip_serializing_if = "is_false")]
    pub(crate) foreign: bool,
    /// Where it came from, when that was outside the members.
    #[serde(default, rename = "o", skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// Which members of queue groups it is for.
    #[serde(default, rename = "g", skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<Chosen>,
}

/// A message's name and author in the mesh of foreigners.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Origin {
    /// The author's libp2p peer id.
    #[serde(rename = "a")]
    pub(crate) author: String,
    /// What names the message there.
    #[serde(rename = "i", with = "serde_bytes")]
    pub(crate) name: Vec<u8>,
}

impl Origin {
    /// Whether both parts are within their limits.
    pub(crate) fn is_valid(&self) -> bool {
        check_name(&self.author).is_ok() && (1..=MAX_ORIGIN).contains(&self.name.len())
    }
}

/// Header and payload as one piece of memory, and where the payload begins.
pub(crate) fn encode(header: &Header, payload: &[u8]) -> (Bytes, usize) {
    let header = to_cbor(header);
    debug_assert!(header.len() <= MAX_HEADER, "names and origins are checked before");
    let begins = PREFIX + header.len();
    let mut frame = BytesMut::with_capacity(begins + payload.len());
    frame.put_u8(VERSION);
    frame.put_u16(u16::try_from(header.len()).unwrap_or(u16::MAX));
    frame.put_slice(&header);
    frame.put_slice(payload);
    (frame.freeze(), begins)
}

/// Takes a frame apart; `None` for whatever breaks a rule of the format.
pub(crate) fn decode(frame: &Bytes, max_payload: usize) -> Option<(Header, Bytes)> {
    let (&[version, high, low], rest) = frame.split_first_chunk::<PREFIX>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let payload_length = rest.len().checked_sub(length)?;
    if version != VERSION || length > MAX_HEADER || payload_length > max_payload {
        return None;
    }
    let header: Header = from_cbor(rest.get(..length)?, MAX_HEADER).ok()?;
    // The range is inside the frame: `length` is not above the length of `rest`.
    is_valid(&header).then(|| (header, frame.slice(PREFIX + length..)))
}

fn is_valid(header: &Header) -> bool {
    let origin = header.origin.as_ref().is_none_or(Origin::is_valid);
    let chosen = header.chosen.as_ref().is_none_or(|chosen| chosen.is_valid(header.number));
    header.number > 0 && origin && chosen && check_topic(&header.topic).is_ok()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants this signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
