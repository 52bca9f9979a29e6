//! Recent frames, to be given to who asks.

use std::time::Duration;

use hashlink::LinkedHashMap;

use super::frame::{Frame, Name};
use crate::base::time::Time;

/// What a kept frame costs beside its bytes: its name twice, its entry.
const ENTRY: usize = 256;

/// Frames with more messages than these use a quarter of the room only: what a publisher has
/// written that keeps 256 under way, and what comes meanwhile. (Of 64 KiB they take 20 MiB.)
const MANY: usize = 320;

/// Frames within a bound of bytes and of time; the oldest leaves first.
#[derive(Debug)]
pub(super) struct Cache<F> {
    frames: LinkedHashMap<Name, (Time, F)>,
    bytes: usize,
    messages: usize,
    max_bytes: usize,
    keep_for: Duration,
}

impl<F: Frame> Cache<F> {
    pub(super) fn new(max_bytes: usize, keep_for: Duration) -> Self {
        Self { frames: LinkedHashMap::new(), bytes: 0, messages: 0, max_bytes, keep_for }
    }

    /// Keeps a frame that is not here yet. One larger than all room leaves at once.
    pub(super) fn keep(&mut self, now: Time, name: Name, frame: F) {
        self.bytes = self.bytes.saturating_add(cost(&frame));
        self.messages = self.messages.saturating_add(frame.messages());
        if let Some((_, before)) = self.frames.insert(name, (now, frame)) {
            self.forget(&before);
        }
        while self.is_over() {
            self.drop_oldest();
        }
        self.expire(now);
    }

    /// Most of the room is for large messages: of these as many bytes are sooner under way.
    fn is_over(&self) -> bool {
        let many = self.messages > MANY;
        self.bytes > if many { self.max_bytes / 4 } else { self.max_bytes }
    }

    /// Lets go of what is too old.
    pub(super) fn expire(&mut self, now: Time) {
        while self.deadline().is_some_and(|at| at <= now) {
            self.drop_oldest();
        }
    }

    /// When the oldest frame becomes too old.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.frames.front().map(|(_, (since, _))| *since + self.keep_for)
    }

    pub(super) fn frame(&self, name: &Name) -> Option<&F> {
        self.frames.get(name).map(|(_, frame)| frame)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_oldest(&mut self) {
        match self.frames.pop_front() {
            Some((_, (_, frame))) => self.forget(&frame),
            None => self.bytes = 0,
        }
    }

    fn forget(&mut self, frame: &F) {
        self.bytes = self.bytes.saturating_sub(cost(frame));
        self.messages = self.messages.saturating_sub(frame.messages());
    }
}

fn cost<F: Frame>(frame: &F) -> usize {
    frame.bytes().saturating_add(ENTRY)
}
