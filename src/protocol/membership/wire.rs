//! What nodes say about membership.

use serde::{Deserialize, Serialize};

use crate::base::id::{Life, NodeId};

/// "I end this life of mine, on purpose", signed by the one who says it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Left {
    /// Who left.
    pub node: NodeId,
    /// The life that ended.
    pub life: Life,
    /// The node's signature over a domain prefix and the two fields.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// How long ago it was said, in milliseconds, as far as the teller knows. Not signed: it only
    /// makes a good-bye end everywhere at about the same time.
    pub age_ms: u64,
}

/// Questions and answers of the membership room. Each is at most `MAX_FRAME` bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Message {
    /// "Note that these have left." At most `max_left` are read. Answered with `Noted`.
    Left(Vec<Left>),
    /// The answer.
    Noted,
}

impl Message {
    /// True for what must not wait behind anything else: questions whose answers are timed, and
    /// these answers. At most `MAX_PROBE` bytes each.
    pub const fn is_probe(&self) -> bool {
        match self {
            Self::Left(_) | Self::Noted => false,
        }
    }
}
