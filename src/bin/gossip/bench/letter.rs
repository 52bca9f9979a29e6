//! Messages that can be recognised and seen to be whole: a number, and filler that follows from
//! it.
//!
//! The filler is a piece of one random block, from a place that the number chooses. To make or to
//! check a message is to copy or to compare memory, which costs little beside sending it.

use std::sync::LazyLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The number of a message that is no part of a run: it only shows that all is connected.
pub const NO_PART: u64 = u64::MAX;

/// Bytes of a number.
const HEAD: usize = 8;

/// A value that is sent.
pub trait Letter: Sized + Send + 'static {
    /// The message with this number, in so many bytes; in 8 where it is fewer.
    fn write(number: u64, size: usize) -> Self;

    /// Its number, when nothing of it is missing, added or changed.
    fn read(&self, size: usize) -> Option<u64>;
}

/// Bytes as they are: the number, least byte first, and random bytes.
impl Letter for Bytes {
    fn write(number: u64, size: usize) -> Self {
        let mut bytes = Vec::with_capacity(size.max(HEAD));
        bytes.extend_from_slice(&number.to_le_bytes());
        fill(&mut bytes, &RANDOM, number, size);
        bytes.into()
    }

    fn read(&self, size: usize) -> Option<u64> {
        let (head, filler) = self.split_first_chunk()?;
        let number = u64::from_le_bytes(*head);
        is_filler(filler, &RANDOM, number, size).then_some(number)
    }
}

/// The same with words instead of random bytes.
impl Letter for Vec<u8> {
    fn write(number: u64, size: usize) -> Self {
        let mut bytes = Self::with_capacity(size.max(HEAD));
        bytes.extend_from_slice(&number.to_le_bytes());
        fill(&mut bytes, &WORDS, number, size);
        bytes
    }

    fn read(&self, size: usize) -> Option<u64> {
        let (head, filler) = self.split_first_chunk()?;
        let number = u64::from_le_bytes(*head);
        is_filler(filler, &WORDS, number, size).then_some(number)
    }
}

/// A value with fields, for codecs of values. Its text is 64 different letters by chance, or
/// words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Note<const WORDY: bool> {
    number: u64,
    text: String,
}

impl<const WORDY: bool> Note<WORDY> {
    fn block() -> &'static [u8] {
        if WORDY { &WORDS } else { &TEXT }
    }
}

impl<const WORDY: bool> Letter for Note<WORDY> {
    fn write(number: u64, size: usize) -> Self {
        let mut text = Vec::with_capacity(size);
        fill(&mut text, Self::block(), number, size);
        // It is ASCII, of which every piece is text.
        Self { number, text: String::from_utf8(text).unwrap_or_default() }
    }

    fn read(&self, size: usize) -> Option<u64> {
        is_filler(self.text.as_bytes(), Self::block(), self.number, size).then_some(self.number)
    }
}

/// Pieces begin in the first so many bytes of the block.
const PLACES: usize = 4_096;
/// Longest piece; longer filler repeats it.
const PIECE: usize = 65_536;

static RANDOM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let step = || {
        // Xorshift: any bytes will do that no compression makes smaller.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(step).take(PLACES + PIECE).collect()
});

static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    RANDOM.iter().map(|byte| LETTERS[usize::from(byte % 64)]).collect()
});

/// Words by chance, which compression makes much smaller.
static WORDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const WORDS: [&str; 16] = [
        "node",
        "link",
        "peer",
        "topic",
        "message",
        "batch",
        "tree",
        "silent",
        "author",
        "reader",
        "joined",
        "left",
        "repaired",
        "missing",
        "counted",
        "delivered",
    ];
    let words = RANDOM.iter().flat_map(|byte| WORDS[usize::from(byte % 16)].bytes().chain([b' ']));
    words.take(PLACES + PIECE).collect()
});

/// The piece of the block that belongs to a number.
fn piece(block: &[u8], number: u64) -> &[u8] {
    let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52;
    let place = usize::try_from(place).unwrap_or_default();
    &block[place..place + PIECE]
}

fn fill(bytes: &mut Vec<u8>, block: &[u8], number: u64, size: usize) {
    let mut left = size.saturating_sub(HEAD);
    while left > 0 {
        let part = left.min(PIECE);
        bytes.extend_from_slice(&piece(block, number)[..part]);
        left -= part;
    }
}

fn is_filler(filler: &[u8], block: &[u8], number: u64, size: usize) -> bool {
    let piece = piece(block, number);
    filler.len() == size.saturating_sub(HEAD)
        && filler.chunks(PIECE).all(|part| part == &piece[..part.len()])
}
