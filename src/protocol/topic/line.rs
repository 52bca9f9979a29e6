//! One feed: what came of it too early, where it goes on, and what it lacks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::beginning::Beginning;
use super::gap::Gap;
use super::order::Ready;
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::time::Time;

/// Most nodes remembered that probably have what is missing.
const MAX_LIKELY: usize = 8;

/// What is known of a feed.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The next number to deliver. `None` until it is known where this reader begins.
    pub(super) next: Option<u64>,
    /// Where it began because nobody knew of anything before.
    began: Option<u64>,
    ahead: BTreeMap<u64, Early>,
    /// One above the highest number that is known to exist.
    pub(super) end: u64,
    pub(super) lack: Option<Lack>,
    /// Who probably has what is missing, the likeliest first.
    likely: Vec<NodeId>,
}

/// What waits for something before it.
#[derive(Debug)]
struct Early {
    came: Time,
    batch: Arc<Batch>,
}

/// What a feed lacks.
#[derive(Debug)]
pub(super) enum Lack {
    /// It is not known where this reader begins.
    Beginning(Beginning),
    /// Something is missing.
    Gap(Gap),
}

impl Line {
    /// Whether all of a batch was here before.
    pub(super) fn has(&self, batch: &Batch) -> bool {
        self.next.is_some_and(|next| batch.end() <= next) || self.ahead.contains_key(&batch.first())
    }

    pub(super) fn put(&mut self, now: Time, batch: Arc<Batch>) {
        self.end = self.end.max(batch.end());
        self.ahead.insert(batch.first(), Early { came: now, batch });
    }

    /// How many batches wait.
    pub(super) fn waiting(&self) -> usize {
        self.ahead.len()
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> usize {
        self.ahead.values().map(|early| early.batch.wire().len()).sum()
    }

    /// When the first of them came.
    pub(super) fn waits_since(&self) -> Option<Time> {
        self.ahead.values().map(|early| early.came).min()
    }

    /// This node probably has what is missing; with `first` it is the likeliest.
    pub(super) fn may_have(&mut self, peer: NodeId, first: bool) {
        if first {
            self.likely.retain(|known| *known != peer);
            self.likely.insert(0, peer);
        } else if !self.likely.contains(&peer) {
            self.likely.push(peer);
        }
        self.likely.truncate(MAX_LIKELY);
    }

    pub(super) fn likely(&self) -> &[NodeId] {
        &self.likely
    }

    /// One above the last number that is missing first.
    pub(super) fn missing_to(&self) -> u64 {
        self.ahead.keys().next().copied().unwrap_or(self.end)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.next.is_some_and(|next| self.ahead.is_empty() && next >= self.end)
    }

    /// It lacks nothing any more.
    pub(super) fn is_well(&mut self) {
        self.lack = None;
        self.likely.clear();
    }

    /// Begins with what is here.
    pub(super) fn settle(&mut self) {
        self.next = Some(self.missing_to());
        self.began = self.next;
        self.lack = None;
    }

    /// What was left out when it began, as this batch shows: each number once.
    pub(super) fn left_out(&mut self, batch: &Batch) -> Option<Ready> {
        let to = self.began.filter(|began| batch.first() < *began)?;
        self.began = Some(batch.first());
        Some(Ready::Gap { from: batch.first(), to })
    }

    /// Takes out what is in order. The bytes that do not wait any more.
    pub(super) fn drain(&mut self, ready: &mut Vec<Ready>) -> usize {
        let Some(mut next) = self.next else { return 0 };
        let mut freed = 0;
        while let Some(entry) = self.ahead.first_entry()
            && *entry.key() <= next
        {
            let Early { batch, .. } = entry.remove();
            freed += batch.wire().len();
            if batch.end() > next {
                let from = next;
                next = batch.end();
                ready.push(Ready::Batch(batch, from));
            }
        }
        self.next = Some(next);
        freed
    }
}

impl Lack {
    pub(super) const fn ask_at(&self) -> Option<Time> {
        match self {
            Self::Beginning(beginning) => beginning.ask_at,
            Self::Gap(gap) => gap.ask_at,
        }
    }
}
