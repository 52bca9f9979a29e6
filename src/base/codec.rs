//! Bytes and values: CBOR between nodes, and the codecs a topic can have.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::limits::MAX_DEPTH;

/// Why bytes are not the value they should be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than this place accepts.
    #[error("{got} bytes where at most {max} are accepted")]
    TooLarge {
        /// How many there were.
        got: usize,
        /// How many are accepted.
        max: usize,
    },
    /// The bytes do not describe the expected value.
    #[error("cannot be decoded: {0}")]
    Malformed(String),
    /// A whole value, and then more.
    #[error("{0} bytes left over after the value")]
    Trailing(usize),
}

/// The value could not be written in the chosen codec.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot be encoded: {0}")]
pub struct EncodeError(pub String);

/// Writes one of our own messages as CBOR. Our messages are plain data, which always can be
/// written.
pub(crate) fn to_cbor<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    let written = ciborium::into_writer(value, &mut bytes);
    debug_assert!(written.is_ok(), "our messages are plain data: {written:?}");
    bytes
}

/// Reads one value and nothing more from at most `max` bytes of CBOR.
pub(crate) fn from_cbor<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLarge { got: bytes.len(), max });
    }
    let mut rest = bytes;
    let value =
        ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH).map_err(malformed)?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError::Trailing(rest.len())) }
}

/// What is wrong with CBOR, in words: the crate's own are those of its source text.
fn malformed(error: ciborium::de::Error<std::io::Error>) -> DecodeError {
    use ciborium::de::Error;
    DecodeError::Malformed(match error {
        Error::Semantic(_, words) => words,
        Error::Syntax(at) => format!("no CBOR from byte {at} on"),
        Error::RecursionLimitExceeded => "nested too deeply".to_owned(),
        Error::Io(_) => "it ends in the middle of the value".to_owned(),
    })
}

/// How values of a topic become bytes and bytes values.
///
/// Implement it for a type of your own to bring another format; it must not run code found in the
/// bytes. Decoding gets at most the configured maximum message size.
///
/// ```
/// use gossip_mesh::{Codec, DecodeError, EncodeError, Topic};
///
/// struct Decimal;
/// impl Codec<u32> for Decimal {
///     fn encode(value: &u32) -> Result<Vec<u8>, EncodeError> {
///         Ok(value.to_string().into_bytes())
///     }
///     fn decode(bytes: &[u8]) -> Result<u32, DecodeError> {
///         std::str::from_utf8(bytes)
///             .ok()
///             .and_then(|text| text.parse().ok())
///             .ok_or_else(|| DecodeError::Malformed("not a decimal number".into()))
///     }
/// }
/// const COUNT: Topic<u32, Decimal> = Topic::new("count");
/// assert_eq!(COUNT.name(), "count");
/// ```
pub trait Codec<T: ?Sized> {
    /// Writes a value.
    ///
    /// # Errors
    /// When the format cannot hold the value.
    fn encode(value: &T) -> Result<Vec<u8>, EncodeError>;

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// When the bytes are not such a value. They come from the network: expect anything.
    fn decode(bytes: &[u8]) -> Result<T, DecodeError>
    where
        T: Sized;
}

/// CBOR (RFC 8949), the default: compact, self-describing, any serde type.
#[derive(Clone, Copy, Debug)]
pub struct Cbor;

/// JSON (RFC 8259): readable everywhere, larger.
#[derive(Clone, Copy, Debug)]
pub struct Json;

/// MessagePack, with field names.
#[derive(Clone, Copy, Debug)]
pub struct MsgPack;

/// The bytes as they are, for `Vec<u8>`, `bytes::Bytes` and `String`.
#[derive(Clone, Copy, Debug)]
pub struct Raw;

impl<T: Serialize + DeserializeOwned> Codec<T> for Cbor {
    fn encode(value: &T) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::with_capacity(64);
        ciborium::into_writer(value, &mut bytes).map_err(|e| EncodeError(e.to_string()))?;
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<T, DecodeError> {
        let mut rest = bytes;
        // Values of users may nest deeper than our own messages.
        let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, 8 * MAX_DEPTH)
            .map_err(malformed)?;
        if rest.is_empty() { Ok(value) } else { Err(DecodeError::Trailing(rest.len())) }
    }
}

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn encode(value: &T) -> Result<Vec<u8>, EncodeError> {
        serde_json::to_vec(value).map_err(|e| EncodeError(e.to_string()))
    }

    fn decode(bytes: &[u8]) -> Result<T, DecodeError> {
        serde_json::from_slice(bytes).map_err(|e| DecodeError::Malformed(e.to_string()))
    }
}

impl<T: Serialize + DeserializeOwned> Codec<T> for MsgPack {
    fn encode(value: &T) -> Result<Vec<u8>, EncodeError> {
        rmp_serde::to_vec_named(value).map_err(|e| EncodeError(e.to_string()))
    }

    fn decode(bytes: &[u8]) -> Result<T, DecodeError> {
        // `from_read_ref` would not tell what is left over.
        let mut reader = rmp_serde::Deserializer::new(bytes);
        reader.set_max_depth(8 * MAX_DEPTH);
        let value = serde::Deserialize::deserialize(&mut reader)
            .map_err(|e: rmp_serde::decode::Error| DecodeError::Malformed(e.to_string()))?;
        let rest = reader.get_ref().len();
        if rest == 0 { Ok(value) } else { Err(DecodeError::Trailing(rest)) }
    }
}

impl Codec<Vec<u8>> for Raw {
    fn encode(value: &Vec<u8>) -> Result<Vec<u8>, EncodeError> {
        Ok(value.clone())
    }

    fn decode(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
        Ok(bytes.to_vec())
    }
}

impl Codec<bytes::Bytes> for Raw {
    fn encode(value: &bytes::Bytes) -> Result<Vec<u8>, EncodeError> {
        Ok(value.to_vec())
    }

    fn decode(bytes: &[u8]) -> Result<bytes::Bytes, DecodeError> {
        Ok(bytes::Bytes::copy_from_slice(bytes))
    }
}

impl Codec<String> for Raw {
    fn encode(value: &String) -> Result<Vec<u8>, EncodeError> {
        Ok(value.clone().into_bytes())
    }

    fn decode(bytes: &[u8]) -> Result<String, DecodeError> {
        String::from_utf8(bytes.to_vec()).map_err(|e| DecodeError::Malformed(e.to_string()))
    }
}
