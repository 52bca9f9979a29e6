//! The result of a run, for people and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::scenario::TreeExpect;
use crate::sim::broadcast::micros;

/// What came of a run: of the measured frames, and of the nodes alive at the end. Times are
/// microseconds in JSON.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TreeReport {
    /// What the scenario shows.
    pub about: String,
    /// Nodes of the world.
    pub nodes: u32,
    /// The seed of the run.
    pub seed: u64,
    /// Nodes alive at the end.
    pub live: u32,
    /// Frames measured.
    pub frames: u32,
    /// The smallest share of the living nodes that a frame reached.
    pub reached: f64,
    /// From the publishing to the first copy: half of all.
    #[serde(with = "micros")]
    pub p50: Duration,
    /// 99 % of them.
    #[serde(with = "micros")]
    pub p99: Duration,
    /// The last one that came.
    #[serde(with = "micros")]
    pub last: Duration,
    /// As `last`, but `None` when some living node was not reached.
    #[serde(with = "micros::optional")]
    pub all: Option<Duration>,
    /// From the first publishing until every frame was with every living node.
    #[serde(with = "micros::optional")]
    pub whole: Option<Duration>,
    /// Of each frame that reached all: the time to its last node, as a multiple of the shortest
    /// way over the links that are there at the end; sorted.
    pub stretches: Vec<f64>,
    /// Further copies per living node and frame.
    pub extra_copies: f64,
    /// What the living nodes said beside the frames.
    pub said: Said,
    /// Expectations that do not hold, a sentence each.
    pub failures: Vec<String>,
}

/// Counts over the whole run, of all living nodes together.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Said {
    /// Runs of frames announced.
    pub announced: u64,
    /// Requests for missing frames.
    pub grafts_for_missing: u64,
    /// Requests for a shorter way.
    pub grafts_for_latency: u64,
    /// Links pruned.
    pub prunes: u64,
    /// Links demoted.
    pub demoted: u64,
    /// Frames that were missed and given by nobody.
    pub unrepaired: u64,
}

impl TreeReport {
    /// The sentences for what does not hold.
    pub(super) fn judge(&self, expect: &TreeExpect) -> Vec<String> {
        let mut failures = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                failures.push(what);
            }
        };
        if let Some(reached) = expect.reached {
            let found = self.reached;
            must(found >= reached, format!("a frame reached {found:.4}, not {reached}"));
        }
        if let Some(most) = expect.all_within {
            let holds = self.all.is_some_and(|all| all <= most);
            must(holds, format!("all were reached after {:?}, not within {most:?}", self.all));
        }
        if let Some(most) = expect.whole_within {
            let holds = self.whole.is_some_and(|whole| whole <= most);
            must(holds, format!("everything came after {:?}, not within {most:?}", self.whole));
        }
        if let Some([most, but]) = expect.stretch {
            let found = self.stretch(1.0 - but);
            must(found <= most, format!("the last node took {found:.3} times the shortest way"));
        }
        if let Some(most) = expect.extra_copies {
            let found = self.extra_copies;
            must(found <= most, format!("{found:.3} further copies, not {most}"));
        }
        failures
    }

    /// The stretch that this share of the frames does not exceed.
    pub fn stretch(&self, share: f64) -> f64 {
        let place = (share * self.stretches.len() as f64).ceil() as usize;
        self.stretches.get(place.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
    }

    /// A few lines for people.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let whole = self.whole.map_or_else(|| "never".to_owned(), millis);
        let said = self.said;
        let lines = [
            self.about.clone(),
            format!(
                "{} nodes, {} alive at the end, {} frames, seed {}",
                self.nodes, self.live, self.frames, self.seed
            ),
            format!(
                "reached {:.3} %; p50 {}, p99 {}, last {}; everything everywhere after {whole}",
                100.0 * self.reached,
                millis(self.p50),
                millis(self.p99),
                millis(self.last)
            ),
            format!(
                "the last node, as a multiple of the shortest way: p50 {:.3}, p99 {:.3}, max {:.3}",
                self.stretch(0.5),
                self.stretch(0.99),
                self.stretch(1.0)
            ),
            format!("{:.3} further copies per node and frame", self.extra_copies),
            format!(
                "{} announced, {} + {} grafts, {} prunes, {} demoted, {} not repaired",
                said.announced,
                said.grafts_for_missing,
                said.grafts_for_latency,
                said.prunes,
                said.demoted,
                said.unrepaired
            ),
        ];
        for line in lines.iter().filter(|line| !line.is_empty()) {
            // Writing into a string does not fail.
            let _ = writeln!(text, "{line}");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "FAILS: {failure}");
        }
        text
    }
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1_000.0)
}
