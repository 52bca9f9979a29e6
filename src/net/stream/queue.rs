//! What waits to be written to one peer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::frame::{Frame, Kind};

/// Most bytes that wait for one peer. The machine that sends counts what is under way and stays
/// far below; this is the last resort against what it does not count.
pub(super) const MAX_QUEUED: usize = 8 * 1024 * 1024;

/// There is no room for the packet. The stream is of no use any more, because packets may not be
/// left out of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Full;

/// Packets for one peer: put by the driver, taken by the writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Frame>,
    batches: VecDeque<Frame>,
    bytes: usize,
}

impl Queue {
    /// Puts a packet behind those of its kind; messages go before batches.
    pub fn put(&self, frame: Frame) -> Result<(), Full> {
        let mut waiting = self.waiting();
        let bytes = waiting.bytes.saturating_add(frame.len());
        if bytes > MAX_QUEUED {
            return Err(Full);
        }
        let was_empty = waiting.bytes == 0;
        waiting.bytes = bytes;
        match frame.kind {
            Kind::Message => waiting.messages.push_back(frame),
            Kind::Batch => waiting.batches.push_back(frame),
        }
        drop(waiting);
        // A writer with something to do looks again by itself.
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Takes packets of about this many bytes, one at least if there is any.
    pub fn take(&self, enough: usize, to: &mut Vec<Frame>) {
        let mut waiting = self.waiting();
        let mut taken = 0;
        while taken < enough {
            let next = waiting.messages.pop_front();
            let Some(frame) = next.or_else(|| waiting.batches.pop_front()) else { break };
            taken += frame.len();
            to.push(frame);
        }
        waiting.bytes = waiting.bytes.saturating_sub(taken);
    }

    /// Ready when something was put since the queue was last empty. Safe to drop.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.waiting().bytes
    }

    /// Nothing that is done under the lock can panic half way.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
