//! The model beside real nodes.
//!
//! Real nodes of this crate run in this process, linked over TCP on loopback, with the settings of
//! the scenario; the same authors publish one message after another. Hops are those of the ways
//! that the nodes tell, copies those that they count.

mod real;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::micros;
use super::report::{BroadcastReport, brief};
use super::scenario::BroadcastScenario;
use super::world::run;
use crate::node::Error;

/// Runs of the model in an open network, where meshes form by chance. In a fixed graph both have
/// the same graph, and it is one.
const SEEDS: u64 = 20;

/// A comparison of the model with real nodes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BroadcastCheck {
    /// What the scenario shows.
    pub about: String,
    /// One comparison per number of nodes.
    pub sizes: Vec<CheckedSize>,
    /// Expectations that do not hold, a sentence each.
    pub failures: Vec<String>,
}

/// The comparison with so many nodes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CheckedSize {
    /// Nodes.
    pub nodes: u32,
    /// What the model says.
    pub model: Measured,
    /// What real nodes did.
    pub real: Measured,
    /// Mean hops of the model, above those of the real nodes by this share of them.
    pub hops_differ: f64,
    /// Copies per node of the model, above those of the real nodes by this share of them.
    pub copies_differ: f64,
}

/// What is compared. Times are microseconds in JSON.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Measured {
    /// Links per node.
    pub links: f64,
    /// The smallest share of the nodes that a message reached.
    pub reached: f64,
    /// Mean hops of the first copies.
    pub hops: f64,
    /// Most hops of a first copy.
    pub max_hops: u16,
    /// Copies per node and message.
    pub copies: f64,
    /// Half of the first copies came within this time. For real nodes it is the time of processors
    /// more than that of links.
    #[serde(with = "micros")]
    pub p50: Duration,
    /// 99 % of them.
    #[serde(with = "micros")]
    pub p99: Duration,
}

/// Runs real nodes beside the model, for each number of nodes in [`BroadcastScenario::check`].
///
/// The model gets the links that real nodes had, and the mean of 20 seeds is taken. Needs a tokio
/// runtime, and some seconds for each network. Dropping it stops the nodes.
///
/// # Errors
/// A contradiction in the scenario; nodes that cannot start or do not find each other in a
/// minute. Expectations that do not hold stand in [`BroadcastCheck::failures`].
///
/// ```
/// use gossip_mesh::sim::broadcast::{BroadcastScenario, check};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), gossip_mesh::Error> {
/// let scenario = BroadcastScenario::from_toml(r#"
///     [broadcast]
///     check = [4]
///     messages = 2
///     warmup = "500ms"
/// "#)?;
/// let found = check(&scenario).await?;
/// assert_eq!(found.sizes[0].real.reached, 1.0, "{}", found.render());
/// # Ok(()) }
/// ```
pub async fn check(scenario: &BroadcastScenario) -> Result<BroadcastCheck, Error> {
    scenario.check()?;
    let mut sizes = Vec::new();
    for nodes in &scenario.check {
        sizes.push(compare(&BroadcastScenario { nodes: *nodes, ..scenario.clone() }).await?);
    }
    let failures = sizes.iter().flat_map(|size| size.judge(scenario)).collect();
    Ok(BroadcastCheck { about: scenario.about.clone(), sizes, failures })
}

async fn compare(scenario: &BroadcastScenario) -> Result<CheckedSize, Error> {
    let real = real::measure(scenario).await?;
    let model = predict(scenario, real.links)?;
    let above = |model: f64, real: f64| if real == 0.0 { 0.0 } else { model / real - 1.0 };
    Ok(CheckedSize {
        nodes: scenario.nodes,
        hops_differ: above(model.hops, real.hops),
        copies_differ: above(model.copies, real.copies),
        model,
        real,
    })
}

/// The mean of the model's runs; of what is smallest or largest the smallest or largest.
fn predict(scenario: &BroadcastScenario, links: f64) -> Result<Measured, Error> {
    let seeds = if scenario.fixed { 1 } else { SEEDS };
    let links = if scenario.fixed { scenario.links } else { links.round().max(2.0) as usize };
    let mut sum = Measured { reached: 1.0, ..Measured::default() };
    for seed in 0..seeds {
        let seed = scenario.seed.wrapping_add(seed);
        let run = run(&BroadcastScenario { seed, links, ..scenario.clone() })?;
        let one = Measured::from(&run);
        sum = Measured {
            links: sum.links + one.links,
            reached: sum.reached.min(one.reached),
            hops: sum.hops + one.hops,
            max_hops: sum.max_hops.max(one.max_hops),
            copies: sum.copies + one.copies,
            p50: sum.p50 + one.p50,
            p99: sum.p99 + one.p99,
        };
    }
    let count = seeds as f64;
    let (links, hops, copies) = (sum.links / count, sum.hops / count, sum.copies / count);
    let (p50, p99) = (sum.p50.div_f64(count), sum.p99.div_f64(count));
    Ok(Measured { links, hops, copies, p50, p99, ..sum })
}

impl From<&BroadcastReport> for Measured {
    fn from(report: &BroadcastReport) -> Self {
        Self {
            links: report.mean_links,
            reached: report.reached,
            hops: report.hops.mean,
            max_hops: report.hops.max,
            copies: report.copies_per_node,
            p50: report.times.p50,
            p99: report.times.p99,
        }
    }
}

impl CheckedSize {
    fn judge(&self, scenario: &BroadcastScenario) -> Vec<String> {
        let (nodes, expect) = (self.nodes, &scenario.expect);
        let mut failures = Vec::new();
        let differences = [
            ("hops", self.hops_differ, expect.hops_differ),
            ("copies", self.copies_differ, expect.copies_differ),
        ];
        for (what, found, most) in differences {
            if let Some(most) = most.filter(|most| found.abs() > *most) {
                failures.push(format!("{nodes} nodes: {what} differ by {found:+.3}, not {most}"));
            }
        }
        let reached = self.real.reached;
        if let Some(least) = expect.reached.filter(|least| reached < *least) {
            failures.push(format!("{nodes} nodes: a message reached {reached:.5}, not {least}"));
        }
        failures
    }
}

impl BroadcastCheck {
    /// The comparison as a table.
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for BroadcastCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.about.is_empty() {
            writeln!(f, "{}", self.about)?;
        }
        writeln!(f, "  nodes        links  reached   hops  max  copies  p50      p99")?;
        for size in &self.sizes {
            for (name, row) in [("real", &size.real), ("model", &size.model)] {
                let Measured { links, reached, hops, max_hops, copies, p50, p99 } = row;
                let (reached, p50, p99) = (100.0 * reached, brief(*p50), brief(*p99));
                writeln!(
                    f,
                    "  {:<5} {name:<6} {links:<6.1} {reached:<7.2} % {hops:<5.2} {max_hops:<4} \
                     {copies:<7.2} {p50:<8} {p99}",
                    size.nodes
                )?;
            }
            let (hops, copies) = (100.0 * size.hops_differ, 100.0 * size.copies_differ);
            writeln!(f, "        differ: hops {hops:+.1} %, copies {copies:+.1} %")?;
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "  FAILED     {failure}"))
    }
}
