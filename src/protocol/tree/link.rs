//! A neighbour, and the link to it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::load::Load;

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
