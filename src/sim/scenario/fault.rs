//! What goes wrong in a scenario, and when.

use serde::{Deserialize, Serialize};

use super::span::Span;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The process is gone (kill -9). Its peers see their connections break; with `silent` they
    /// see nothing, as after a power cut. With `lasting` it is started again then.
    Crash,
    /// A crash, and a new start after `lasting` (default 1 s).
    Restart,
    /// A node that is down is started.
    Start,
    /// SIGSTOP for `lasting` (default 1 s): nothing is done, what comes waits.
    Pause,
    /// All links of the node are cut for `lasting` (default 1 s).
    Flap,
    /// The way between `nodes` and `to` is cut (all others without `to`). `one_way`: only what
    /// `nodes` send is swallowed. Until `lasting` is over or a `heal`.
    Cut,
    /// `outbound`, `inbound` of `nodes`, or all packets of all without `nodes`, lost with this
    /// share. Until `lasting` is over or a `heal`.
    Loss,
    /// The network falls into `groups`. Until `lasting` is over or a `heal`.
    Partition,
    /// Cuts, losses and partitions end.
    Heal,
    /// `rate` restarts per second of nodes chosen by chance, each down for `lasting` (default
    /// 2 s), between `at` and `until`.
    Churn,
    /// The node says good-bye and ends.
    Leave,
    /// A node that is not there yet starts. It does not begin with the others.
    Join,
    /// All processes are stopped.
    StopAll,
    /// All nodes that are down are started.
    StartAll,
    /// The node's clock jumps by `by` milliseconds, forward or backward.
    ClockJump,
}

/// Which nodes. Nodes count from 1.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Who {
    /// These.
    These(Vec<u32>),
    /// By a word.
    Word(Word),
}

/// Nodes by a word.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// `count` of them, chosen by the seed, each at most once.
    Random,
    /// All.
    All,
}

/// A side of a partition.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Group {
    /// So many nodes, in the order of their numbers.
    Size(u32),
    /// These nodes.
    These(Vec<u32>),
}

/// One line of the schedule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// When, after the beginning of the world.
    #[serde(default)]
    pub at: Span,
    /// Up to so much later, chosen by the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Again and again, so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// The end of the repetition. Default: the end of the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Span>,
    /// How long each one lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Span>,
    /// Whom it befalls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Who>,
    /// How many, with `nodes = "random"`. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The far end of a cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Who>,
    /// Only what goes out of `nodes`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// Nobody is told by a broken connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// The sides of a partition. Who is in none is alone with all others that are in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Group>>,
    /// Share lost of what `nodes` send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<f64>,
    /// Share lost of what `nodes` receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<f64>,
    /// Restarts per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Milliseconds of a clock's jump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<i64>,
}

impl Fault {
    /// A fault of this kind at a time, with nothing else said.
    pub fn new(kind: FaultKind, at: Span) -> Self {
        Self {
            kind,
            at,
            within: None,
            every: None,
            until: None,
            lasting: None,
            nodes: None,
            count: None,
            to: None,
            one_way: false,
            silent: false,
            groups: None,
            outbound: None,
            inbound: None,
            rate: None,
            by: None,
        }
    }
}
