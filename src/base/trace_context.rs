//! W3C trace context: the place in a trace of an application that a message belongs to.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteArray;

/// Bytes of a context between nodes: trace id, parent id, flags.
const WIRE: usize = 16 + 8 + 1;

/// Characters of a `traceparent` of version 00.
const TEXT: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// The flag that says that the caller may have recorded the trace.
const SAMPLED: u8 = 1;

/// The place in a trace that a message belongs to: the `traceparent` of W3C Trace Context (Level 1,
/// section 3.2), which tracing systems pass from one program to the next.
///
/// It is printed and parsed as the text of that header, `version-traceid-parentid-flags` in lower
/// case hexadecimal digits, and printed in version 00. Of a later version the fields that 00 has
/// are taken, of the flags `sampled` alone (section 3.2.4). A `tracestate` is not carried.
///
/// ```
/// use gossip_mesh::{NotATraceContext, TraceContext};
///
/// // The example of section 3.2.3.
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context: TraceContext = text.parse()?;
/// assert_eq!(context.to_string(), text);
/// assert!(context.is_sampled());
///
/// let nobodys = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
/// assert_eq!(nobodys.parse::<TraceContext>(), Err(NotATraceContext::ZeroTraceId));
/// # Ok::<(), NotATraceContext>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    parent_id: [u8; 8],
    flags: u8,
}

/// Why something is not a trace context.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotATraceContext {
    /// The text does not have the form of a `traceparent`.
    #[error(
        "not a traceparent: expected 00-TRACEID-PARENTID-FLAGS with 32, 16 and 2 hexadecimal \
         digits in lower case"
    )]
    Malformed,
    /// Version `ff`, which the standard forbids.
    #[error("a traceparent of version ff, which the standard forbids")]
    ForbiddenVersion,
    /// A trace id that is all zero, which the standard forbids.
    #[error("a traceparent whose trace id is all zero, which the standard forbids")]
    ZeroTraceId,
    /// A parent id that is all zero, which the standard forbids.
    #[error("a traceparent whose parent id is all zero, which the standard forbids")]
    ZeroParentId,
}

impl TraceContext {
    /// The context of a span: its trace, the span itself, and the flags (1: sampled).
    ///
    /// # Errors
    /// When one of the ids is all zero.
    ///
    /// ```
    /// use gossip_mesh::TraceContext;
    /// let context = TraceContext::new([0x4b; 16], [7; 8], 0)?;
    /// assert_eq!((context.trace_id(), context.parent_id()), ([0x4b; 16], [7; 8]));
    /// # Ok::<(), gossip_mesh::NotATraceContext>(())
    /// ```
    pub fn new(
        trace_id: [u8; 16],
        parent_id: [u8; 8],
        flags: u8,
    ) -> Result<Self, NotATraceContext> {
        match (trace_id, parent_id) {
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], _) => {
                Err(NotATraceContext::ZeroTraceId)
            }
            (_, [0, 0, 0, 0, 0, 0, 0, 0]) => Err(NotATraceContext::ZeroParentId),
            _ => Ok(Self { trace_id, parent_id, flags }),
        }
    }

    /// Names the whole trace.
    pub const fn trace_id(self) -> [u8; 16] {
        self.trace_id
    }

    /// Names the span that the message belongs to.
    pub const fn parent_id(self) -> [u8; 8] {
        self.parent_id
    }

    /// The flags, as they came.
    pub const fn flags(self) -> u8 {
        self.flags
    }

    /// Whether the publisher may have recorded the trace.
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    fn to_bytes(self) -> [u8; WIRE] {
        let all = self.trace_id.into_iter().chain(self.parent_id).chain([self.flags]);
        let mut bytes = [0; WIRE];
        for (place, byte) in bytes.iter_mut().zip(all) {
            *place = byte;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; WIRE]) -> Result<Self, NotATraceContext> {
        let (trace_id, rest) = bytes.split_first_chunk().ok_or(NotATraceContext::Malformed)?;
        let (parent_id, rest) = rest.split_first_chunk().ok_or(NotATraceContext::Malformed)?;
        let &[flags] = rest else { return Err(NotATraceContext::Malformed) };
        Self::new(*trace_id, *parent_id, flags)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, parent) =
            (u128::from_be_bytes(self.trace_id), u64::from_be_bytes(self.parent_id));
        write!(f, "00-{trace:032x}-{parent:016x}-{:02x}", self.flags)
    }
}

impl FromStr for TraceContext {
    type Err = NotATraceContext;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (near, later) = text.split_at_checked(TEXT).ok_or(NotATraceContext::Malformed)?;
        let mut parts = near.split('-');
        let mut part = || parts.next().ok_or(NotATraceContext::Malformed);
        let version = digits::<1>(part()?)?;
        let (trace_id, parent_id) = (digits(part()?)?, digits(part()?)?);
        let [flags] = digits(part()?)?;
        let [flags] = match version {
            [0xff] => return Err(NotATraceContext::ForbiddenVersion),
            [0] if later.is_empty() => [flags],
            [0] => return Err(NotATraceContext::Malformed),
            [_] if later.is_empty() || later.starts_with('-') => [flags & SAMPLED],
            _ => return Err(NotATraceContext::Malformed),
        };
        Self::new(trace_id, parent_id, flags)
    }
}

/// So many bytes out of twice as many hexadecimal digits in lower case.
fn digits<const N: usize>(text: &str) -> Result<[u8; N], NotATraceContext> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(NotATraceContext::Malformed),
    };
    if text.len() != 2 * N {
        return Err(NotATraceContext::Malformed);
    }
    let mut bytes = [0; N];
    for (place, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return Err(NotATraceContext::Malformed) };
        *place = digit(high)? << 4 | digit(low)?;
    }
    Ok(bytes)
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            ByteArray::new(self.to_bytes()).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse()
        } else {
            Self::from_bytes(&*ByteArray::<WIRE>::deserialize(deserializer)?)
        };
        read.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NotATraceContext, TraceContext};
    use crate::base::codec::{from_cbor, to_cbor};

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    proptest! {
        #[test]
        fn a_context_comes_back_from_its_text_and_from_its_bytes(
            trace in 1..u128::MAX, parent in 1..u64::MAX, flags: u8,
        ) {
            let context = TraceContext::new(trace.to_be_bytes(), parent.to_be_bytes(), flags);
            let context = context.unwrap();
            prop_assert_eq!(context.to_string().parse(), Ok(context));
            let bytes = to_cbor(&context);
            prop_assert_eq!(bytes.len(), 27, "two for the length");
            prop_assert_eq!(from_cbor(&bytes, 100), Ok(context));
            let json = serde_json::to_string(&context).unwrap();
            prop_assert_eq!(&json, &format!("\"{context}\""));
            prop_assert_eq!(serde_json::from_str::<TraceContext>(&json).unwrap(), context);
        }

        #[test]
        fn noise_is_refused_and_never_panics(text in "\\PC{0,80}", cut in 0..55_usize) {
            prop_assert!(text.parse::<TraceContext>().is_err());
            prop_assert!(EXAMPLE[..cut].parse::<TraceContext>().is_err());
        }

        #[test]
        fn a_changed_character_is_another_context_or_none(place in 0..55_usize, new in "[ -~]") {
            let mut text = EXAMPLE.to_owned();
            text.replace_range(place..=place, &new);
            if text != EXAMPLE {
                let whole: TraceContext = EXAMPLE.parse().unwrap();
                // Of another version the rest is the same.
                prop_assert!(text.parse() != Ok(whole) || place < 2);
            }
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused_by_name() {
        let of = |text: &str| text.parse::<TraceContext>();
        let rest = &EXAMPLE[2..];
        assert_eq!(of(&format!("ff{rest}")), Err(NotATraceContext::ForbiddenVersion));
        let zero = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        assert_eq!(of(&zero), Err(NotATraceContext::ZeroTraceId));
        let zero = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        assert_eq!(of(&zero), Err(NotATraceContext::ZeroParentId));
        assert_eq!(of(&EXAMPLE.to_uppercase()), Err(NotATraceContext::Malformed));
        assert_eq!(of(&format!("{EXAMPLE}-more")), Err(NotATraceContext::Malformed));
    }

    #[test]
    fn of_a_later_version_the_known_fields_are_taken() {
        let flags = |text: &str| text.parse::<TraceContext>().map(TraceContext::flags);
        let later = format!("cc{}ff-what-the-future-brings", &EXAMPLE[2..53]);
        assert_eq!(flags(&later), Ok(1));
        assert_eq!(flags(&later[..55]), Ok(1));
        assert_eq!(flags(&format!("{}.what", &later[..55])), Err(NotATraceContext::Malformed));
    }
}
