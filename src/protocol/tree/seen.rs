//! Which frames of a source were here.

use std::collections::BTreeMap;

use super::wire::WINDOW;

/// Most gaps remembered; of more the oldest is given up, and what comes of it is taken for a copy.
/// As many as frames are asked for at once.
const MAX_GAPS: usize = WINDOW as usize;

/// The highest contiguous sequence, and bounded runs above it. What is at or below `floor` counts
/// as seen.
#[derive(Debug)]
pub(super) struct Seen {
    floor: u64,
    /// First and last sequence of each run above the floor; none touches another or the floor.
    above: BTreeMap<u64, u64>,
    newest: u64,
}

impl Seen {
    /// Nothing was seen; `first` is the first that comes. What is a window older is not missed.
    pub(super) fn before(first: u64) -> Self {
        Self {
            floor: first.saturating_sub(WINDOW),
            above: BTreeMap::new(),
            newest: first.saturating_sub(1),
        }
    }

    /// The highest sequence seen.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// The newest run without a gap, cut to `WINDOW`.
    pub(super) fn newest_run(&self) -> (u64, u64) {
        let (from, to) =
            self.above.last_key_value().map_or((1, self.floor), |(from, to)| (*from, *to));
        (from.max(to.saturating_sub(WINDOW - 1)), to)
    }

    /// Whether this one and all before it were seen: a quick yes, where things are in order.
    pub(super) fn contains_up_to(&self, sequence: u64) -> bool {
        sequence <= self.floor
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        let below = self.above.range(..=sequence).next_back();
        sequence <= self.floor || below.is_some_and(|(_, to)| sequence <= *to)
    }

    /// Takes one in. `None` when it was seen; else the sequences between the newest before and
    /// this one, which are missing now (`from..to`, empty in order).
    pub(super) fn insert(&mut self, sequence: u64) -> Option<std::ops::Range<u64>> {
        if self.contains(sequence) {
            return None;
        }
        let missing = self.newest.saturating_add(1)..sequence;
        self.newest = self.newest.max(sequence);
        self.join(sequence);
        if self.above.len() > MAX_GAPS
            && let Some((_, to)) = self.above.pop_first()
        {
            self.floor = to;
        }
        Some(missing)
    }

    /// Makes it a run, or a part of the runs it touches.
    fn join(&mut self, sequence: u64) {
        let mut to = sequence;
        if let Some(after) = sequence.checked_add(1)
            && let Some(end) = self.above.remove(&after)
        {
            to = end;
        }
        // Not below the floor, which is below every unseen sequence.
        let before = sequence - 1;
        if before == self.floor {
            self.floor = to;
            return;
        }
        match self.above.range_mut(..sequence).next_back() {
            Some((_, end)) if *end == before => *end = to,
            _ => {
                self.above.insert(sequence, to);
            }
        }
    }
}
