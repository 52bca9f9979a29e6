//! One short name for each message, to follow it by.

use std::fmt;

use super::wire::MessageId;

/// The name by which one message is followed across nodes: 32 hexadecimal digits.
///
/// It is half a BLAKE3 hash of the message's id, so every node that sees the message finds the
/// same one without a byte on the wire; and it has the form of a W3C trace id (16 bytes, lower
/// case), for programs that continue a trace of their own by it.
///
/// It is computed when it is asked for, and written out when it is shown: a log that is not read
/// costs nothing.
///
/// ```
/// # use gossip_mesh::{Life, MessageId, SecretKey};
/// let author = SecretKey::from_seed([1; 32]).id();
/// let id = MessageId { author, life: Life(7), topic: "chat".to_owned(), number: 3 };
/// assert_eq!(id.trace().to_string(), "e72a823b01cfcb70861f8ae24538612c");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TraceId([u8; 16]);

/// Separates these hashes from all others.
const CONTEXT: &str = "gossip-mesh 2026-11 trace id of a message";

impl MessageId {
    /// The name to follow it by.
    pub fn trace(&self) -> TraceId {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        let author = self.author.to_bytes();
        // With the length of the only other part that has no fixed one, no two ids look alike.
        hasher.update(&(author.len() as u64).to_be_bytes()).update(&author);
        hasher.update(&self.life.0.to_be_bytes()).update(&self.number.to_be_bytes());
        hasher.update(self.topic.as_bytes());
        let mut half = [0; 16];
        hasher.finalize_xof().fill(&mut half);
        TraceId(half)
    }
}

impl TraceId {
    /// Its 16 bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Whether its text begins so.
    pub(super) fn begins(self, text: &str) -> bool {
        self.to_string().starts_with(text)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
