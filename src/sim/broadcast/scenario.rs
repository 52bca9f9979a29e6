//! What a run is like: plain values, from code or from a TOML file, checked as a whole.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::optional;
use serde::{Deserialize, Serialize};

use crate::base::time::duration;
use crate::config::ConfigError;

/// A world and what is to be measured in it. Every value has a default; those of gossipsub are the
/// ones of [`Config::lan`](crate::Config::lan).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BroadcastScenario {
    /// What it shows, in a sentence.
    pub about: String,
    /// Nodes, 2 to 200,000. Default 1,000.
    pub nodes: u32,
    /// How the links are drawn.
    pub graph: Graph,
    /// Links a node wants. Default 24, as `discovery.target_links`.
    pub links: usize,
    /// All links carry all messages: no mesh, no gossip, no dialling. Default off.
    pub fixed: bool,
    /// Peers of a mesh below which a node looks for more. Default 3.
    pub low: usize,
    /// Peers a node wants in its mesh. Default 6.
    pub degree: usize,
    /// Peers of a mesh at which a node drops some. Default 12.
    pub high: usize,
    /// How often meshes are repaired and gossip is told. Default 500 ms.
    #[serde(with = "duration")]
    pub heartbeat: Duration,
    /// Share of the linked peers outside the mesh that are told of messages. Default 0.25.
    pub gossip_factor: f64,
    /// The fewest peers outside the mesh that are told. Default 6; 0 with a factor of 0: no gossip.
    pub gossip_lazy: usize,
    /// Heartbeats for which a message can be asked for. Default 12.
    pub history: u32,
    /// Heartbeats for which others are told of a message. Default 4.
    pub history_gossip: u32,
    /// Ask anew when what was asked for has not come. Default never: gossipsub forgets what it
    /// asked for only while it keeps scores of peers, and here it does not.
    #[serde(with = "optional")]
    pub ask_again: Option<Duration>,
    /// The author sends to all its linked peers. Default on.
    pub flood_publish: bool,
    /// Latency of links, one way.
    pub latency: Latency,
    /// Each message takes up to this share of its link's latency longer. Default 0.1.
    pub jitter: f64,
    /// Share of copies, IHAVE and IWANT that do not arrive. Default 0.
    pub loss: f64,
    /// Share of the nodes that crash per second. Default 0.
    pub churn: f64,
    /// How long a node of the churn stays away. Default 5 s.
    #[serde(with = "duration")]
    pub downtime: Duration,
    /// Share of the nodes that crash at once and for good, after the warm-up. Default 0.
    pub kill: f64,
    /// How long the others take to know of a crash. Default 1.5 s.
    #[serde(with = "duration")]
    pub detect: Duration,
    /// Heartbeats run for so long before anything is measured. Default 5 s.
    #[serde(with = "duration")]
    pub warmup: Duration,
    /// Messages, 1 to 64. The first goes out right after the warm-up and the kill. Default 10.
    pub messages: usize,
    /// Time between two messages. Default 1 s.
    #[serde(with = "duration")]
    pub every: Duration,
    /// Time for the last message. Default 10 s.
    #[serde(with = "duration")]
    pub drain: Duration,
    /// Where all chance comes from. The same seed gives the same run. Default 1.
    pub seed: u64,
    /// Networks of real nodes to compare the model with, by their numbers of nodes: up to 64. Then
    /// `nodes` does not count. Default none.
    pub check: Vec<u32>,
    /// What must hold.
    pub expect: BroadcastExpect,
}

impl Default for BroadcastScenario {
    fn default() -> Self {
        Self {
            about: String::new(),
            nodes: 1_000,
            graph: Graph::Random,
            links: 24,
            fixed: false,
            low: 3,
            degree: 6,
            high: 12,
            heartbeat: Duration::from_millis(500),
            gossip_factor: 0.25,
            gossip_lazy: 6,
            history: 12,
            history_gossip: 4,
            ask_again: None,
            flood_publish: true,
            latency: Latency::default(),
            jitter: 0.1,
            loss: 0.0,
            churn: 0.0,
            downtime: Duration::from_secs(5),
            kill: 0.0,
            detect: Duration::from_millis(1_500),
            warmup: Duration::from_secs(5),
            messages: 10,
            every: Duration::from_secs(1),
            drain: Duration::from_secs(10),
            seed: 1,
            check: Vec::new(),
            expect: BroadcastExpect::default(),
        }
    }
}

/// How the links of a world are drawn.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Graph {
    /// `links` partners each, by chance; connected.
    #[default]
    Random,
    /// A chain.
    Line,
    /// A closed chain.
    Ring,
    /// Each with each.
    Complete,
}

/// Latency of links, one way: every link draws its own, from a distribution with a long tail
/// (log-logistic) that has these two quantiles. Equal ones make all links equal.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The median. Default 20 ms.
    #[serde(with = "duration")]
    pub p50: Duration,
    /// Of 100 links one is slower. Default 80 ms.
    #[serde(with = "duration")]
    pub p99: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self { p50: Duration::from_millis(20), p99: Duration::from_millis(80) }
    }
}

impl Latency {
    /// The latency that this share of the links stays below; `share` is above 0 and below 1.
    pub(super) fn quantile(self, share: f64) -> Duration {
        let (p50, p99) = (self.p50.as_secs_f64(), self.p99.as_secs_f64());
        if p50 == 0.0 {
            return Duration::ZERO;
        }
        let odds = share / (1.0 - share);
        Duration::from_secs_f64(p50 * odds.powf((p99 / p50).ln() / 99_f64.ln()))
    }
}

/// What must hold at the end of a run. What is not given is not checked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BroadcastExpect {
    /// The smallest share of live nodes that a message reached is at least this.
    pub reached: Option<f64>,
    /// Each message reached 99 % of the live nodes within this time.
    #[serde(with = "optional")]
    pub p99_within: Option<Duration>,
    /// Each message reached all live nodes within this time.
    #[serde(with = "optional")]
    pub all_within: Option<Duration>,
    /// From so long after the kill on, each message reached 99.9 % of the live nodes.
    #[serde(with = "optional")]
    pub recovered_within: Option<Duration>,
    /// Copies of a message per live node, on average, are at most this.
    pub copies_per_node: Option<f64>,
    /// No first copy took more hops.
    pub max_hops: Option<u16>,
    /// Control messages that a node sends per second, on average, are at most this.
    pub control_per_second: Option<f64>,
    /// The mean of hops differs from that of real nodes by at most this share of it (`check`).
    pub hops_differ: Option<f64>,
    /// Copies per node differ from those of real nodes by at most this share of them (`check`).
    pub copies_differ: Option<f64>,
}

/// The file: one table, so that a scenario of broadcast is known by it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    broadcast: BroadcastScenario,
}

/// Whether the text of a scenario file is one of broadcast: it has a table `broadcast`.
///
/// ```
/// use gossip_mesh::sim::broadcast::is_broadcast;
/// assert!(is_broadcast("[broadcast]\nnodes = 100"));
/// assert!(!is_broadcast("nodes = 100"));
/// ```
pub fn is_broadcast(text: &str) -> bool {
    text.parse::<toml::Table>().is_ok_and(|file| file.contains_key("broadcast"))
}

impl BroadcastScenario {
    /// Reads the text of a scenario file.
    ///
    /// # Errors
    /// Shows the line that is wrong, or names all contradictions.
    ///
    /// ```
    /// use gossip_mesh::sim::broadcast::BroadcastScenario;
    /// let scenario = BroadcastScenario::from_toml("[broadcast]\nkill = 0.5\n").unwrap();
    /// assert_eq!((scenario.nodes, scenario.kill), (1_000, 0.5));
    /// assert!(BroadcastScenario::from_toml("[broadcast]\nkill = 50\n").is_err());
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let File { broadcast } =
            toml::from_str(text).map_err(|error| ConfigError(vec![error.to_string()]))?;
        broadcast.check()?;
        Ok(broadcast)
    }

    /// Checks the values as a whole.
    ///
    /// # Errors
    /// Names all contradictions at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rules = self.size_rules().into_iter().chain(self.mesh_rules()).chain(self.time_rules());
        let wrong: Vec<String> =
            rules.filter(|(holds, _)| !holds).map(|(_, rule)| rule.to_owned()).collect();
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }

    fn size_rules(&self) -> [(bool, &'static str); 7] {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let complete = self.graph == Graph::Complete;
        [
            ((2..=200_000).contains(&self.nodes), "`nodes` must be 2 to 200,000"),
            ((1..=64).contains(&self.messages), "`messages` must be 1 to 64"),
            ((2..=128).contains(&self.links), "`links` must be 2 to 128"),
            (!complete || self.nodes <= 2_000, "a complete graph has at most 2,000 `nodes`"),
            (share(self.loss), "`loss` must be 0 to 1"),
            ((0.0..1.0).contains(&self.kill), "`kill` must be at least 0 and below 1"),
            (
                self.check.iter().all(|nodes| (2..=64).contains(nodes)),
                "`check` runs networks of 2 to 64 nodes",
            ),
        ]
    }

    fn mesh_rules(&self) -> [(bool, &'static str); 5] {
        [
            (
                1 <= self.low && self.low <= self.degree && self.degree <= self.high,
                "1 <= `low` <= `degree` <= `high` must hold",
            ),
            (self.degree >= 2, "`degree` must be at least 2"),
            ((0.0..=1.0).contains(&self.gossip_factor), "`gossip_factor` must be 0 to 1"),
            (self.history_gossip <= self.history, "`history_gossip` <= `history` must hold"),
            (!self.fixed || self.churn == 0.0, "a `fixed` graph has no `churn`"),
        ]
    }

    fn time_rules(&self) -> [(bool, &'static str); 6] {
        const HOUR: Duration = Duration::from_secs(3_600);
        let second = Duration::from_secs(1);
        let run = self.every.saturating_mul(self.messages as u32);
        let run = run.saturating_add(self.warmup).saturating_add(self.drain);
        [
            (self.heartbeat >= Duration::from_millis(1), "`heartbeat` must be at least 1 ms"),
            (
                self.latency.p50 <= self.latency.p99 && self.latency.p99 <= 10 * second,
                "`latency.p50` <= `latency.p99` <= 10 s must hold",
            ),
            ((0.0..=100.0).contains(&self.jitter), "`jitter` must be 0 to 100"),
            ((0.0..=0.5).contains(&self.churn), "`churn` must be 0 to 0.5"),
            (
                self.detect < self.downtime && self.heartbeat < self.downtime,
                "`downtime` must be above `detect` and `heartbeat`",
            ),
            (run <= HOUR, "`warmup`, `messages` times `every` and `drain` are above an hour"),
        ]
    }

    /// The most links a node can have.
    pub(super) fn capacity(&self) -> usize {
        2 * self.links
    }
}
