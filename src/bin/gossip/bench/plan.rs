//! How much is sent, and how long is waited for it.

use std::ops::Range;
use std::time::Duration;

/// One run. Messages are numbered from 0: first those of the warm-up, then the probes, then the
/// load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// Subscriptions, all nodes but the author's together. Each is to get every message.
    pub receivers: usize,
    /// Bytes of each value before it is encoded, 8 at least.
    pub size: usize,
    /// Messages before anything is measured.
    pub warm_up: u64,
    /// Single messages at rest, whose latency is measured.
    pub probes: u64,
    /// From one probe to the next.
    pub pause: Duration,
    /// Messages of the load, whose rate and cost are measured.
    pub load: u64,
    /// Most messages that are not everywhere yet.
    pub window: u64,
    /// Longest time for the warm-up, and again for the load.
    pub deadline: Duration,
    /// A phase in which nothing arrives anywhere for so long is over.
    pub patience: Duration,
}

impl Plan {
    /// All messages.
    pub fn total(&self) -> u64 {
        self.warm_up + self.probes + self.load
    }

    /// The numbers of the probes.
    pub fn probe_numbers(&self) -> Range<u64> {
        self.warm_up..self.warm_up + self.probes
    }
}
