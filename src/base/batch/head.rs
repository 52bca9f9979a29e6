//! What a batch says of itself before its messages.

use serde::{Deserialize, Serialize};

use crate::base::group::Chosen;
use crate::base::id::{Life, NodeId};
use crate::base::name::check_name;
use crate::base::pattern::check_topic;
use crate::base::time::WallTime;
use crate::base::trace_context::TraceContext;

/// Largest head, in bytes. The longest names and origin, and the members of twelve groups, need
/// about 3,000; the rest is for later versions, whose unknown fields are skipped.
pub(crate) const MAX_HEAD: usize = 4 * 1024;

/// Most messages of a batch that have a trace context. Each costs some 30 bytes of the head.
pub(crate) const MAX_CONTEXTS: usize = 64;

/// Longest name of a foreign message among foreigners. (gossipsub's: a PeerId of at most 42 bytes
/// and a number of 8.)
pub(crate) const MAX_ORIGIN: usize = 256;

/// What a batch says before its messages. The keys are short because every batch pays for them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Head {
    /// Who wrote and signed it.
    #[serde(rename = "a")]
    pub author: NodeId,
    /// In which of its lives.
    #[serde(rename = "l")]
    pub life: Life,
    /// On which topic.
    #[serde(rename = "t")]
    pub topic: String,
    /// The number of its first message: counted per author, life and topic, from 1.
    #[serde(rename = "n")]
    pub first: u64,
    /// How many messages it has.
    #[serde(default = "one", rename = "c", skip_serializing_if = "is_one")]
    pub count: u32,
    /// When the first was sent, on the author's clock.
    #[serde(rename = "s")]
    pub sent: WallTime,
    /// Its place on the tree carrier, when it travels there.
    #[serde(default, rename = "p", skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Readers are asked to confirm.
    #[serde(default, rename = "r", skip_serializing_if = "is_false")]
    pub receipts: bool,
    /// The publisher marked the topic as one that doors carry.
    #[serde(default, rename = "f", skip_serializing_if = "is_false")]
    pub foreign: bool,
    /// Where it came from, when that was outside the members.
    #[serde(default, rename = "o", skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Which members of queue groups it is for.
    #[serde(default, rename = "g", skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// Which part of a message that is larger than a batch it is. Only its number is its own.
    #[serde(default, rename = "m", skip_serializing_if = "Option::is_none")]
    pub piece: Option<Piece>,
    /// The body is compressed, and becomes so many bytes.
    #[serde(default, rename = "x", skip_serializing_if = "Option::is_none")]
    pub expanded: Option<u32>,
    /// Trace contexts of some messages: how-manyth from the first one, rising, and the context.
    #[serde(default, rename = "w", skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<(u32, TraceContext)>,
}

/// A part of a message: a batch of its own, with a number of its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Piece {
    /// The how-manyth, from 0.
    #[serde(rename = "i")]
    pub index: u32,
    /// How many there are, two at least.
    #[serde(rename = "k")]
    pub of: u32,
}

/// Where on the tree carrier a batch is: the how-manyth of its author's life in this bucket.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Place {
    /// The bucket.
    #[serde(rename = "b")]
    pub bucket: u16,
    /// Counted per author, life and bucket, from 1.
    #[serde(rename = "q")]
    pub sequence: u64,
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

impl Head {
    /// A plain one for a message of this number. `Batch::seal` sets the count and the time.
    pub fn new(author: NodeId, life: Life, topic: &str, first: u64) -> Self {
        Self {
            author,
            life,
            topic: topic.to_owned(),
            first,
            count: 1,
            sent: WallTime(0),
            place: None,
            receipts: false,
            foreign: false,
            origin: None,
            chosen: None,
            piece: None,
            expanded: None,
            contexts: Vec::new(),
        }
    }

    /// Whether it keeps the rules that its types do not say.
    pub(super) fn is_valid(&self) -> bool {
        let placed = self.place.is_none_or(|place| place.sequence > 0);
        let origin = self.origin.as_ref().is_none_or(Origin::is_valid);
        let numbered = self.first > 0 && self.first.checked_add(u64::from(self.count)).is_some();
        let chosen = self.chosen.as_ref().is_none_or(|chosen| {
            // Who confirms a batch confirms one message.
            chosen.is_valid(self.first) && (self.count == 1 || chosen.names_nobody())
        });
        let traced = self.contexts.len() <= MAX_CONTEXTS
            && self.contexts.is_sorted_by(|(a, _), (b, _)| a < b)
            && self.contexts.last().is_none_or(|(place, _)| *place < self.count);
        let valid = placed && origin && chosen && traced && self.is_valid_piece();
        numbered && self.count > 0 && valid && check_topic(&self.topic).is_ok()
    }

    /// The trace context of the message of this number, if it has one.
    pub(crate) fn context_of(&self, number: u64) -> Option<TraceContext> {
        let place = u32::try_from(number.checked_sub(self.first)?).ok()?;
        let found = self.contexts.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        self.contexts.get(found).map(|(_, context)| *context)
    }

    /// A piece is alone, and of a message that nobody has to confirm and that is from here.
    fn is_valid_piece(&self) -> bool {
        let plain = self.count == 1 && !self.receipts && !self.foreign;
        let plain = plain && self.origin.is_none() && self.chosen.is_none();
        let numbered = |piece: Piece| {
            let (index, of) = (u64::from(piece.index), u64::from(piece.of));
            let first = self.first.checked_sub(index).filter(|first| *first > 0);
            of > 1 && index < of && first.is_some_and(|first| first.checked_add(of).is_some())
        };
        self.piece.is_none_or(|piece| plain && numbered(piece))
    }
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants this signature")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants this signature")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
