//! Which members of D are known to have had the present A: one bit each, in the order of their
//! ids. Only what is true of one pair (D, A) is ever in one set.

use serde::{Deserialize, Serialize};

/// A set of members of D, by their places.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Holders {
    #[serde(with = "serde_bytes")]
    bits: Vec<u8>,
    /// How many places there are.
    size: usize,
}

impl Holders {
    pub fn clear(&mut self) {
        self.bits.clear();
        self.size = 0;
    }

    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// A set over `size` places with one of them in it.
    pub fn begin(&mut self, size: usize, first: Option<usize>) {
        self.size = size;
        self.bits = vec![0; size.div_ceil(8).max(1)];
        if let Some(first) = first {
            self.add(first);
        }
    }

    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// True when it was not in it yet.
    pub fn add(&mut self, index: usize) -> bool {
        let Some(byte) = self.bits.get_mut(index / 8).filter(|_| index < self.size) else {
            return false;
        };
        let bit = 1 << (index % 8);
        let new = *byte & bit == 0;
        *byte |= bit;
        new
    }

    /// True when others were in the other. A set of another size is not of the same pair.
    pub fn merge(&mut self, bits: &[u8]) -> bool {
        if bits.len() != self.bits.len() {
            return false;
        }
        let before = self.count();
        self.bits.iter_mut().zip(bits).for_each(|(mine, theirs)| *mine |= theirs);
        // Places that do not exist are nobody's.
        let beyond = self.size % 8;
        if beyond > 0
            && let Some(last) = self.bits.last_mut()
        {
            *last &= (1 << beyond) - 1;
        }
        self.count() > before
    }

    pub fn count(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }
}
