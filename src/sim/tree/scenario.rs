//! What a run is like: plain values, from code or from a TOML file, checked as a whole.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::optional;
use serde::{Deserialize, Serialize};

use crate::base::time::duration;
use crate::config::ConfigError;
use crate::protocol::tree::TreeConfig;

/// A world and what is to be measured in it. Every value has a default.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeScenario {
    /// What it shows, in a sentence.
    pub about: String,
    /// Nodes, 2 to 10,000. Default 1,000.
    pub nodes: u32,
    /// Links a node has, about: a random graph, connected. Default 6.
    pub degree: usize,
    /// Latency of a link, one way: evenly between the two. Default 10 to 50 ms.
    pub latency: Between,
    /// What a node's line takes, each way, in megabits per second: evenly between the two. Default
    /// none: lines take everything at once.
    pub megabits: Option<[f64; 2]>,
    /// How many nodes publish, chosen by chance. Default 1.
    pub authors: u32,
    /// Frames of each author, after the warm-up. Default 100.
    pub frames: u32,
    /// Frames of each author before anything is measured. Default 0.
    pub warmup: u32,
    /// Bytes of a frame. Default 1,000.
    pub bytes: u32,
    /// Time between two frames of an author; at once, as long as there is room, with zero. Default
    /// 100 ms.
    #[serde(with = "duration")]
    pub every: Duration,
    /// Share of the nodes that die at once and without a word, after the warm-up; authors live.
    /// Default 0.
    pub kill: f64,
    /// How long the others take to know of a death. Default 1 s.
    #[serde(with = "duration")]
    pub detect: Duration,
    /// Who has lost a link dials others: up to eight known addresses, by chance, so often, until it
    /// has as many links as before. A dial of a dead node takes until the next
    /// time. Default 500 ms.
    #[serde(with = "duration")]
    pub dial: Duration,
    /// Time for the last frame. Default 5 s.
    #[serde(with = "duration")]
    pub drain: Duration,
    /// Where all chance comes from. The same seed gives the same run. Default 1.
    pub seed: u64,
    /// Settings of the room.
    pub room: TreeConfig,
    /// What must hold.
    pub expect: TreeExpect,
}

impl Default for TreeScenario {
    fn default() -> Self {
        Self {
            about: String::new(),
            nodes: 1_000,
            degree: 6,
            latency: Between::default(),
            megabits: None,
            authors: 1,
            frames: 100,
            warmup: 0,
            bytes: 1_000,
            every: Duration::from_millis(100),
            kill: 0.0,
            detect: Duration::from_secs(1),
            dial: Duration::from_millis(500),
            drain: Duration::from_secs(5),
            seed: 1,
            room: TreeConfig::default(),
            expect: TreeExpect::default(),
        }
    }
}

/// Any time from the shortest to the longest, each as likely.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// The shortest.
    #[serde(with = "duration")]
    pub least: Duration,
    /// The longest.
    #[serde(with = "duration")]
    pub most: Duration,
}

impl Default for Between {
    fn default() -> Self {
        Self { least: Duration::from_millis(10), most: Duration::from_millis(50) }
    }
}

/// What must hold at the end of a run, of all measured frames. What is not given is not checked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeExpect {
    /// The smallest share of living nodes that a frame reached is at least this.
    pub reached: Option<f64>,
    /// Each frame reached all living nodes within this time.
    #[serde(with = "optional")]
    pub all_within: Option<Duration>,
    /// The last frame was with all living nodes so long after the first was published.
    #[serde(with = "optional")]
    pub whole_within: Option<Duration>,
    /// The last node was reached within this multiple of the shortest way over the same links, by
    /// every frame but this share of them: `stretch = [1.25, 0.01]`.
    pub stretch: Option<[f64; 2]>,
    /// Further copies per living node and frame, on average, are at most this.
    pub extra_copies: Option<f64>,
}

/// The file: one table, so that a scenario of the tree is known by it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tree: TreeScenario,
}

/// Whether the text of a scenario file is one of the tree: it has a table `tree`.
///
/// ```
/// use gossip_mesh::sim::tree::is_tree;
/// assert!(is_tree("[tree]\nnodes = 100"));
/// assert!(!is_tree("[broadcast]\nnodes = 100"));
/// ```
pub fn is_tree(text: &str) -> bool {
    text.parse::<toml::Table>().is_ok_and(|file| file.contains_key("tree"))
}

impl TreeScenario {
    /// Reads the text of a scenario file.
    ///
    /// # Errors
    /// Shows the line that is wrong, or names all contradictions.
    ///
    /// ```
    /// use gossip_mesh::sim::tree::TreeScenario;
    /// let scenario = TreeScenario::from_toml("[tree]\nkill = 0.5\n").unwrap();
    /// assert_eq!((scenario.nodes, scenario.kill), (1_000, 0.5));
    /// assert!(TreeScenario::from_toml("[tree]\nkill = 50\n").is_err());
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let File { tree } =
            toml::from_str(text).map_err(|error| ConfigError(vec![error.to_string()]))?;
        tree.check()?;
        Ok(tree)
    }

    /// Checks the values as a whole.
    ///
    /// # Errors
    /// Names all contradictions at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong: Vec<String> = self
            .rules()
            .iter()
            .filter(|(holds, _)| !holds)
            .map(|(_, rule)| (*rule).to_owned())
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError(wrong)) }
    }

    fn rules(&self) -> [(bool, &'static str); 9] {
        const LONG: Duration = Duration::from_secs(600);
        let count = u64::from(self.frames) + u64::from(self.warmup);
        let run = self.every.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let lines = self.megabits.is_none_or(|[least, most]| 0.01 <= least && least <= most);
        [
            ((2..=10_000).contains(&self.nodes), "`nodes` must be 2 to 10,000"),
            ((2..=64).contains(&self.degree), "`degree` must be 2 to 64"),
            ((1..=self.nodes).contains(&self.authors), "`authors` must be 1 to `nodes`"),
            (
                self.frames > 0 && count * u64::from(self.authors) <= 20_000,
                "`authors` times `frames` and `warmup` must be 1 to 20,000",
            ),
            (
                self.latency.least <= self.latency.most && self.latency.most <= LONG,
                "`latency.least` <= `latency.most` <= 10 min must hold",
            ),
            (lines, "`megabits` must be [least, most] of at least 0.01"),
            ((1..=16 << 20).contains(&self.bytes), "`bytes` must be 1 to 16 MiB"),
            ((0.0..1.0).contains(&self.kill), "`kill` must be at least 0 and below 1"),
            (
                run <= LONG && self.drain <= LONG && self.dial >= Duration::from_millis(10),
                "a run has 10 min, a `drain` too; `dial` is at least 10 ms",
            ),
        ]
    }
}
