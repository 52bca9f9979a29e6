//! How much is sent, and how long is waited for it.

use std::ops::Range;
use std::time::Duration;

/// One run. Messages are numbered from 0: first those of the warm-up, then the probes, then the
/// load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// Who publishes, in turn: message `n` is of author `n % authors`.
    pub authors: u64,
    /// Subscriptions, all nodes together.
    pub subscriptions: usize,
    /// How many of them each message is for: all but those of its author's node.
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
    /// The pace of the load; `None` for as fast as the window allows.
    pub pace: Option<Pace>,
    /// Longest time for the warm-up, and again for the load.
    pub deadline: Duration,
    /// A phase in which nothing arrives anywhere for so long is over.
    pub patience: Duration,
}

/// A load that is not as fast as it could be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    /// Messages per second.
    pub rate: u64,
    /// From one look at the resident memory to the next.
    pub look: Duration,
}

impl Pace {
    /// When message `number` of the load is due, after its beginning.
    pub fn due(&self, number: u64) -> Duration {
        Duration::from_secs_f64(number as f64 / self.rate.max(1) as f64)
    }
}

impl Plan {
    /// All messages.
    pub fn total(&self) -> u64 {
        self.warm_up + self.probes + self.load
    }

    /// Longest time for the load.
    pub fn load_deadline(&self) -> Duration {
        self.deadline + self.pace.map_or(Duration::ZERO, |pace| pace.due(self.load))
    }

    /// Bytes that the board of such a run takes: what came where, and how late.
    pub fn board_bytes(&self) -> u64 {
        let each = self.total().div_ceil(8) + 8 * (self.probes + self.authors);
        let all = u64::try_from(self.subscriptions).unwrap_or(u64::MAX);
        all.saturating_mul(each).saturating_add(4 * self.total() + 8 * self.probes)
    }

    /// The numbers of the probes.
    pub fn probe_numbers(&self) -> Range<u64> {
        self.warm_up..self.warm_up + self.probes
    }
}
