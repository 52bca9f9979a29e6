//! How a watched member did at its last probes.

use serde::{Deserialize, Serialize};

/// Probes remembered.
const WINDOW: u32 = 10;

/// Misses among them that make a suspicion, in a row or not.
const MISSES_OF_WINDOW: u32 = 4;

/// The last probes of one member.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Watch {
    /// In a row.
    pub misses: u32,
    /// The lowest bit is the last probe; a one is a miss.
    window: u16,
}

impl Watch {
    fn note(&mut self, missed: bool) {
        self.window = (self.window << 1 | u16::from(missed)) & ((1 << WINDOW) - 1);
    }

    pub fn missed(&mut self) {
        self.misses = self.misses.saturating_add(1);
        self.note(true);
    }

    /// It answered a probe. Gives the misses in a row that this ends.
    pub fn answered(&mut self) -> u32 {
        self.note(false);
        std::mem::take(&mut self.misses)
    }

    /// It was heard without being asked: the row ends, the window knows only probes.
    pub fn heard(&mut self) -> u32 {
        std::mem::take(&mut self.misses)
    }

    /// Enough misses for a suspicion: in a row, or among the last ones while the last was one.
    pub const fn is_suspect(&self, miss_limit: u32) -> bool {
        self.misses >= miss_limit
            || (self.misses > 0 && self.window.count_ones() >= MISSES_OF_WINDOW)
    }

    /// A suspicion came of it: what counts from here on is new.
    pub fn begin_anew(&mut self) {
        *self = Self::default();
    }
}
