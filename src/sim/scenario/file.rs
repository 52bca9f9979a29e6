//! A whole scenario.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::link::{ClockModel, DiskModel, LinkModel};
use super::shape::Shape;
use super::span::Span;
use crate::protocol::membership::{MembershipConfig, Verdict};

/// What runs on every node.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rooms {
    /// The engine of the product, all of it.
    #[default]
    All,
    /// Only links and membership: worlds of thousands of nodes.
    Membership,
}

/// How the world begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// All nodes start at once and find each other.
    #[default]
    AtOnce,
    /// One after the other, `stagger` apart.
    Staggered,
    /// Everybody is linked and known from the first moment.
    Formed,
}

/// Messages on a topic, to have load.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Messages per second of all nodes together.
    pub rate: f64,
    /// Bytes of each. Default 100.
    #[serde(default = "hundred")]
    pub size: usize,
    /// The first one. Default at once.
    #[serde(default)]
    pub at: Span,
}

fn hundred() -> usize {
    100
}

/// A node that does not play by the rules.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hostile {
    /// How it cheats; see [`crate::sim`].
    pub kind: String,
    /// Which nodes do. Nodes count from 1.
    pub nodes: Vec<u32>,
    /// Since when. Default from the beginning.
    #[serde(default)]
    pub at: Span,
    /// Messages per second, for those that make any. Default 100.
    #[serde(default = "hundred_rate")]
    pub rate: f64,
    /// The node it is about, for those that are about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<u32>,
    /// What it says of everybody, for those that lie. Default `down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<Verdict>,
}

fn hundred_rate() -> f64 {
    100.0
}

/// A world, what happens in it, and what is expected of it. Its file is documented in
/// `simulations/README.md`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, in tables.
    pub name: String,
    /// What it shows, in a sentence.
    #[serde(default)]
    pub description: String,
    /// How many nodes. 1 to 100,000.
    pub nodes: u32,
    /// The seed when none is given. Default 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// How long the world lasts, in virtual time.
    pub duration: Span,
    /// What runs on every node.
    #[serde(default)]
    pub rooms: Rooms,
    /// How it begins.
    #[serde(default)]
    pub start: Start,
    /// Time between two starts of a staggered beginning. Default 50 ms.
    #[serde(default = "fifty")]
    pub stagger: Span,
    /// Count bytes on the wire and take contents into the trace. Default up to 128 nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
    /// Who is linked with whom.
    #[serde(default)]
    pub topology: Shape,
    /// How links behave.
    #[serde(default)]
    pub link: LinkModel,
    /// How stores behave.
    #[serde(default)]
    pub disk: DiskModel,
    /// How clocks behave.
    #[serde(default)]
    pub clock: ClockModel,
    /// What differs from the default settings of membership, by name.
    #[serde(default)]
    pub membership: MembershipConfig,
    /// Messages on a topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// What is to hold, by name.
    #[serde(default)]
    pub expect: BTreeMap<String, toml::Value>,
    /// What goes wrong.
    #[serde(default, rename = "fault", skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Who cheats.
    #[serde(default, rename = "adversary", skip_serializing_if = "Vec::is_empty")]
    pub adversaries: Vec<Hostile>,
}

fn one() -> u64 {
    1
}

fn fifty() -> Span {
    Span::millis(50)
}

/// Largest world.
pub(crate) const MAX_NODES: u32 = 100_000;

/// Up to so many nodes bytes are counted unless the scenario says otherwise.
const EXACT_UP_TO: u32 = 128;

impl Scenario {
    /// The scenario as a file that can be run again.
    pub fn to_toml(&self) -> String {
        // Every field is a TOML value; an error here would be a field that is none.
        toml::to_string(self).unwrap_or_else(|error| format!("# {error}\n"))
    }

    /// Whether bytes are counted.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact.unwrap_or(self.nodes <= EXACT_UP_TO) || self.link.bandwidth.is_some()
    }
}
