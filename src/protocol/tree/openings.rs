//! Own sources that begin: the first frame goes alone and makes the tree.

use std::collections::BTreeMap;
use std::time::Duration;

use super::frame::{Frame, Source};
use crate::base::time::Time;

/// Own frames that follow the first one of their source a round trip later.
#[derive(Debug)]
pub(super) struct Openings<F> {
    waiting: BTreeMap<Source, (Time, Vec<F>)>,
    bytes: usize,
}

impl<F: Frame> Openings<F> {
    pub(super) const fn new() -> Self {
        Self { waiting: BTreeMap::new(), bytes: 0 }
    }

    /// What is published of this source waits so long, if that is any time at all.
    pub(super) fn open(&mut self, source: Source, now: Time, wait: Duration) {
        if !wait.is_zero() {
            self.waiting.insert(source, (now + wait, Vec::new()));
        }
    }

    pub(super) fn is_open(&self, source: Source) -> bool {
        self.waiting.contains_key(&source)
    }

    /// One more frame of a source that is open.
    pub(super) fn put(&mut self, frame: F) {
        if let Some((_, frames)) = self.waiting.get_mut(&frame.name().source) {
            self.bytes = self.bytes.saturating_add(frame.bytes());
            frames.push(frame);
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.waiting.values().map(|(until, _)| *until).min()
    }

    /// Takes what need not wait any more.
    pub(super) fn take_due(&mut self, now: Time) -> Vec<F> {
        let mut due = Vec::new();
        self.waiting.retain(|_, (until, frames)| {
            if *until <= now {
                due.append(frames);
            }
            *until > now
        });
        self.bytes = due.iter().fold(self.bytes, |left, of| left.saturating_sub(of.bytes()));
        due
    }
}
