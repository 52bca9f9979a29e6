//! What is to happen, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::time::Time;

/// Events by time; those of one time in the order they were put in.
///
/// The heap holds small keys only, the events themselves wait in slots that are used again.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<(Time, u64, u32)>>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    count: u64,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Self { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), count: 0 }
    }

    /// Puts an event in.
    pub fn push(&mut self, at: Time, event: T) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // More than four billion waiting events do not fit into memory.
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[slot as usize] = Some(event);
        self.count += 1;
        self.heap.push(Reverse((at, self.count, slot)));
    }

    /// When the next event is.
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// The next event not after `end`.
    pub fn pop(&mut self, end: Time) -> Option<(Time, T)> {
        let Reverse((at, _, _)) = self.heap.peek()?;
        if *at > end {
            return None;
        }
        let Reverse((at, _, slot)) = self.heap.pop()?;
        let event = self.slots[slot as usize].take()?;
        self.free.push(slot);
        Some((at, event))
    }
}
