//! A neighbour, and the link to it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::config::TreeConfig;
use super::frame::Name;
use super::load::Load;
use super::wire::WINDOW;

/// What is known of a neighbour.
#[derive(Debug, Default)]
pub(super) struct Neighbour {
    /// What it takes part in.
    pub buckets: BTreeSet<u16>,
    /// While it can be reached.
    pub link: Option<Link>,
}

/// A neighbour that can be reached.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// From a question to its answer, where that was measured.
    pub round_trip: Option<Duration>,
    /// What waits for it.
    pub load: Load,
    /// How long it took of late until something came that was asked for.
    pub answer_time: Duration,
    /// What was asked for over it while it was full, in that order.
    pub owed: VecDeque<Name>,
}

impl Link {
    /// Remembers that the neighbour asked for this frame. Beyond what can be missing it will have
    /// to ask again.
    pub fn owe(&mut self, name: Name) {
        if self.owed.len() < WINDOW as usize && !self.owed.contains(&name) {
            self.owed.push_back(name);
        }
    }

    /// The next frame that it may have now.
    pub fn next_owed(&mut self, config: &TreeConfig) -> Option<Name> {
        if self.load.has_room(config) { self.owed.pop_front() } else { None }
    }
}

impl Neighbour {
    /// The link, if frames of this bucket may go there.
    pub(super) fn taking(&mut self, bucket: u16) -> Option<&mut Link> {
        self.link.as_mut().filter(|_| self.buckets.contains(&bucket))
    }

    /// Whether frames of this bucket may go there now.
    pub(super) fn takes(&self, bucket: u16) -> bool {
        self.link.is_some() && self.buckets.contains(&bucket)
    }

    /// Nothing is known of it.
    pub(super) fn is_gone(&self) -> bool {
        self.link.is_none() && self.buckets.is_empty()
    }
}
