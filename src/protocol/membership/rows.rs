//! What membership remembers on disk: one row, written whole when the view has changed.

use super::output::Saved;
use crate::base::codec::{DecodeError, from_cbor, to_cbor};
use crate::store::op::{Op, Space};

/// Under which key.
pub const KEY: &[u8] = b"members";

/// Largest row that is read, in bytes: 16,384 records, some of them with certificates.
const MAX_ROW: usize = 64 * 1024 * 1024;

impl Saved {
    /// The change of the store that remembers it.
    pub fn op(&self) -> Op {
        Op::Put { space: Space::Node, key: KEY.to_vec(), value: to_cbor(self) }
    }

    /// Reads the row.
    pub fn from_row(bytes: &[u8]) -> Result<Self, DecodeError> {
        from_cbor(bytes, MAX_ROW)
    }
}
