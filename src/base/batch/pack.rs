//! Compressed bodies: one LZ4 block each (the block format of lz4.org, without frame or size).

use bytes::Bytes;

use super::MAX_ENTRY;

/// What a byte of a block becomes at most: a byte that lengthens a match adds 255.
const MAX_RATIO: usize = 255;

/// Compresses a body. `None` when that saves less than a sixteenth and 16 bytes: readers would
/// have the work, and the links nothing of it.
pub(super) fn pack(body: &[u8]) -> Option<Vec<u8>> {
    let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(body.len())];
    let length = lz4_flex::compress_into(body, &mut packed).ok()?;
    packed.truncate(length);
    (length + body.len() / 16 + 16 <= body.len()).then_some(packed)
}

/// Whether bytes of a block may become as many as their author says, in a batch of so many
/// messages: decided before any memory is taken for them.
pub(super) fn may_become(packed: usize, expanded: usize, count: usize, max: usize) -> bool {
    let table = if count == 1 { 0 } else { count.saturating_mul(MAX_ENTRY) };
    expanded > packed
        && expanded <= max.saturating_add(table)
        && expanded <= packed.saturating_mul(MAX_RATIO)
}

/// Expands a body; `None` when it does not become exactly so many bytes.
pub(super) fn unpack(packed: &[u8], expanded: usize) -> Option<Bytes> {
    let mut body = vec![0; expanded];
    let length = lz4_flex::decompress_into(packed, &mut body).ok()?;
    (length == expanded).then(|| body.into())
}
