//! The result of a run, for people and as JSON.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::micros;
use super::scenario::BroadcastExpect;

/// What came of a run. Nodes count for a message when they were alive from its publishing to the
/// end; its author does not. Times are microseconds in JSON.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BroadcastReport {
    /// What the scenario shows.
    pub about: String,
    /// Nodes of the world.
    pub nodes: u32,
    /// The seed of the run.
    pub seed: u64,
    /// Nodes alive at the end.
    pub live: u32,
    /// Links of a live node at the end, on average.
    pub mean_links: f64,
    /// Peers in the mesh of a live node at the end, on average.
    pub mean_mesh: f64,
    /// The smallest share of the live nodes that a message reached.
    pub reached: f64,
    /// Links between the author and a node, on the way of the first copy; of all messages.
    pub hops: Hops,
    /// From the publishing to the first copy, of all messages.
    pub times: Times,
    /// Copies of a message that came to a live node, on average, the first one too.
    pub copies_per_node: f64,
    /// Control messages.
    pub control: Control,
    /// What did not arrive.
    pub lost: Lost,
    /// After a kill: the first message from which on all reached 99.9 % of the live nodes went out
    /// so long after it. `None` without a kill, and when there is no such message.
    #[serde(with = "micros::optional")]
    pub recovered: Option<Duration>,
    /// Each message.
    pub messages: Vec<MessageReport>,
    /// Equal for equal runs: a hash of everything that happened, in order, in hexadecimal.
    pub trace: String,
    /// Expectations that do not hold, a sentence each.
    pub failures: Vec<String>,
}

/// What became of one message.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MessageReport {
    /// When it went out, since the end of the warm-up.
    #[serde(with = "micros")]
    pub after: Duration,
    /// Who published it.
    pub author: u32,
    /// Share of the live nodes that have it.
    pub reached: f64,
    /// Hops of the first copies.
    pub hops: Hops,
    /// Times of the first copies.
    pub times: Times,
    /// Copies per live node.
    pub copies_per_node: f64,
}

/// Links between an author and the nodes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Hops {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: u16,
    /// Of 100 nodes one is farther.
    pub p99: u16,
    /// The farthest node.
    pub max: u16,
}

/// Times from a publishing to the nodes that were reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Times {
    /// Half of the nodes.
    #[serde(with = "micros")]
    pub p50: Duration,
    /// 90 % of them.
    #[serde(with = "micros")]
    pub p90: Duration,
    /// 99 % of them.
    #[serde(with = "micros")]
    pub p99: Duration,
    /// The last node that was reached.
    #[serde(with = "micros")]
    pub last: Duration,
    /// As `last`, but `None` when some live node was not reached.
    #[serde(with = "micros::optional")]
    pub all: Option<Duration>,
}

/// Control messages that a live node sent per second, on average, after the warm-up.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Control {
    /// "These messages are here."
    pub ihave: f64,
    /// "Send me these."
    pub iwant: f64,
    /// "You are in my mesh."
    pub graft: f64,
    /// "You are not."
    pub prune: f64,
}

impl Control {
    /// All of them.
    pub fn total(&self) -> f64 {
        self.ihave + self.iwant + self.graft + self.prune
    }
}

/// What was sent and did not arrive, in all.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lost {
    /// Copies the links lost.
    pub copies: u64,
    /// IHAVE and IWANT the links lost.
    pub control: u64,
    /// Copies that came to nodes which had crashed.
    pub to_crashed: u64,
    /// Copies sent, lost or not.
    pub of_copies: u64,
}

impl BroadcastReport {
    /// The report as a text of some lines.
    pub fn render(&self) -> String {
        self.to_string()
    }

    /// The expectations that do not hold.
    pub(super) fn judge(&self, expect: &BroadcastExpect, killed: bool) -> Vec<String> {
        let mut failures = Vec::new();
        let mut check = |holds: bool, sentence: String| {
            if !holds {
                failures.push(sentence);
            }
        };
        if let Some(least) = expect.reached {
            let found = self.reached;
            check(found >= least, format!("a message reached {found:.5}, not {least}"));
        }
        if let Some(most) = expect.p99_within {
            let found = self.messages.iter().map(|message| message.times.p99).max();
            let found = found.unwrap_or_default();
            check(found <= most, format!("99 % took {found:?}, more than {most:?}"));
        }
        if let Some(most) = expect.all_within {
            let all = self.times.all;
            let found =
                all.map_or("longer than it was waited for".to_owned(), |t| format!("{t:?}"));
            check(all.is_some_and(|t| t <= most), format!("all took {found}, not {most:?}"));
        }
        if let Some(most) = expect.recovered_within.filter(|_| killed) {
            let found = self.recovered;
            let holds = found.is_some_and(|found| found <= most);
            check(holds, format!("messages arrived from {found:?} on, not from {most:?}"));
        }
        if let Some(most) = expect.copies_per_node {
            let found = self.copies_per_node;
            check(found <= most, format!("{found:.2} copies per node, more than {most}"));
        }
        if let Some(most) = expect.max_hops {
            let found = self.hops.max;
            check(found <= most, format!("{found} hops, more than {most}"));
        }
        if let Some(most) = expect.control_per_second {
            let found = self.control.total();
            check(found <= most, format!("{found:.2} control messages a second, above {most}"));
        }
        failures
    }
}

impl fmt::Display for BroadcastReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hops, times, control, lost) = (&self.hops, &self.times, &self.control, &self.lost);
        if !self.about.is_empty() {
            writeln!(f, "{}", self.about)?;
        }
        writeln!(
            f,
            "{} nodes, {} alive, {:.1} links and {:.1} mesh peers each, seed {}",
            self.nodes, self.live, self.mean_links, self.mean_mesh, self.seed
        )?;
        writeln!(f, "  reached    {:.4} % by the worst message", 100.0 * self.reached)?;
        let Hops { mean, p50, p99, max } = hops;
        writeln!(f, "  hops       mean {mean:.2}, p50 {p50}, p99 {p99}, max {max}")?;
        let all = times.all.map_or("not all".to_owned(), |all| format!("all {}", brief(all)));
        let (p50, p90, p99) = (brief(times.p50), brief(times.p90), brief(times.p99));
        writeln!(f, "  time       p50 {p50}, p90 {p90}, p99 {p99}, {all}")?;
        writeln!(f, "  copies     {:.2} per node and message", self.copies_per_node)?;
        writeln!(
            f,
            "  control    {:.2} per node and second (IHAVE {:.2}, IWANT {:.2}, GRAFT {:.2}, \
             PRUNE {:.2})",
            control.total(),
            control.ihave,
            control.iwant,
            control.graft,
            control.prune
        )?;
        writeln!(
            f,
            "  lost       {} of {} copies, {} control messages; {} copies to the dead",
            lost.copies, lost.of_copies, lost.control, lost.to_crashed
        )?;
        if let Some(recovered) = self.recovered {
            writeln!(f, "  recovered  {} after the kill", brief(recovered))?;
        }
        writeln!(f, "  trace      {}", self.trace)?;
        for failure in &self.failures {
            writeln!(f, "  FAILED     {failure}")?;
        }
        f.write_str(&self.rows())
    }
}

impl BroadcastReport {
    /// Messages in a table, where something was wrong: then the mean of all hides what happened.
    fn rows(&self) -> String {
        let mut rows = String::new();
        if self.reached >= 1.0 && self.recovered.is_none() {
            return rows;
        }
        rows.push_str("  message  reached     hops  p50      p99      copies\n");
        for message in &self.messages {
            let MessageReport { after, reached, hops, times, copies_per_node, .. } = message;
            let (after, p50, p99) = (brief(*after), brief(times.p50), brief(times.p99));
            let reached = format!("{:.4} %", 100.0 * reached);
            // Writing into a text does not fail.
            let _ = writeln!(
                rows,
                "  {after:<8} {reached:<11} {:<5.2} {p50:<8} {p99:<8} {copies_per_node:.2}",
                hops.mean
            );
        }
        rows
    }
}

/// A duration in milliseconds below ten seconds, in seconds above.
pub(super) fn brief(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..=0.0 => "0 ms".to_owned(),
        ..10.0 => format!("{millis:.2} ms"),
        ..10_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1e3),
    }
}
