//! What came of a run, as programs read it.

use std::time::Duration;

use gossip_mesh::Stats;
use serde::Serialize;

use super::board::Board;
use super::plan::Plan;
use super::run::Run;
use super::spread::Spread;
use super::usage::Memory;

/// What was measured, in which setting. As JSON it is one flat object; what could not be measured
/// is `null`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The setting.
    #[serde(flatten)]
    pub setting: Setting,
    /// Bytes of each value, before it is encoded.
    pub size: usize,
    /// Messages of the load that were sent.
    pub messages: u64,
    /// Deliveries of them.
    pub deliveries: u64,
    /// Of them everywhere, per second.
    pub msgs_per_s: Option<f64>,
    /// Deliveries per second.
    pub deliveries_per_s: Option<f64>,
    /// Millions of delivered bytes per second.
    pub mb_per_s: Option<f64>,
    /// Processor time of all nodes under load, by deliveries.
    pub cpu_us_per_delivery: Option<f64>,
    /// At rest, from sending to coming, of each delivery.
    #[serde(flatten)]
    pub latency: Latency,
    /// At rest, from sending to the last receiver.
    #[serde(flatten)]
    pub last: Last,
    /// Deliveries that are missing, of all phases.
    pub lost: u64,
    /// Deliveries of what a receiver had.
    pub duplicates: u64,
    /// Deliveries after one with a higher number.
    pub out_of_order: u64,
    /// Deliveries of what was never sent.
    pub corrupt: u64,
    /// Messages that had to wait at their author until there was room.
    pub waited: u64,
    /// What the nodes count themselves; left out where they do not.
    #[serde(flatten)]
    pub counters: Option<Counters>,
    /// Such copies by deliveries, of all phases.
    pub copies_per_delivery: Option<f64>,
    /// Bytes that came over links by bytes of values delivered, of all phases.
    pub wire_bytes_per_byte: Option<f64>,
    /// Most resident memory of all nodes together.
    pub rss_mib: f64,
    /// Resident memory in the end.
    pub rss_end_mib: f64,
    /// Resident memory in the course of a load that has a pace, at even intervals from its
    /// beginning; empty without.
    pub rss_course_mib: Vec<f64>,
    /// How long the load took.
    pub load_s: Option<f64>,
    /// Of what was measured beside: our figures by these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
}

/// Figures of one system by those of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ratio {
    /// Of deliveries per second.
    pub deliveries_per_s: Option<f64>,
    /// Of processor time.
    pub cpu_us_per_delivery: Option<f64>,
    /// Of the middle latency at rest.
    pub lat_p50_us: Option<f64>,
    /// Of the middle latency to the last receiver.
    pub last_p50_us: Option<f64>,
}

impl Ratio {
    /// Ours by theirs.
    pub fn of(ours: &Outcome, theirs: &Outcome) -> Self {
        let by = |ours: Option<f64>, theirs: Option<f64>| {
            let theirs = theirs.filter(|theirs| *theirs > 0.0)?;
            ours.map(|ours| round(ours / theirs, 3))
        };
        Self {
            deliveries_per_s: by(ours.deliveries_per_s, theirs.deliveries_per_s),
            cpu_us_per_delivery: by(ours.cpu_us_per_delivery, theirs.cpu_us_per_delivery),
            lat_p50_us: by(ours.latency.p50, theirs.latency.p50),
            last_p50_us: by(ours.last.p50, theirs.last.p50),
        }
    }
}

/// In which setting it was measured.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Setting {
    /// What was measured, and by which way it was reached.
    pub system: String,
    /// Nodes, the author's too.
    pub nodes: usize,
    /// Subscriptions of each node that reads: all, but one that publishes alone.
    pub subscribers: usize,
    /// The graph of neighbours.
    pub topology: String,
    /// What the graph was drawn with; `None` for a network that ran before.
    pub seed: Option<u64>,
    /// What connections are made of.
    pub transport: String,
    /// How values become bytes.
    pub codec: String,
    /// What they are made of: `random` or `text`.
    pub payload: String,
    /// Whether the topic is compressed.
    pub compressed: bool,
    /// Nodes that publish, in turn.
    pub publishers: u64,
    /// Most messages of each of them under way.
    pub window: u64,
    /// Messages per second that the load was held to; `None` for as many as the window allows.
    pub rate: Option<u64>,
    /// Single messages at rest.
    pub probes: u64,
}

/// What nodes count, summed over all of them, in the course of a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counters {
    /// Copies that came over links and were dropped, because the message was there.
    pub copies: u64,
    /// Messages that a node had to do without, and told its subscribers.
    pub gaps: u64,
    /// Messages that a node asked others for, and got.
    pub repairs: u64,
    /// Batches that messages were sent in.
    pub batches: u64,
    /// Messages that went out by the tree.
    pub by_tree: u64,
    /// Bytes of messages that came over links, by both carriers and with every copy.
    pub wire_bytes: u64,
}

/// Microseconds of each delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    #[serde(rename = "lat_p50_us")]
    pub p50: Option<f64>,
    #[serde(rename = "lat_p90_us")]
    pub p90: Option<f64>,
    #[serde(rename = "lat_p99_us")]
    pub p99: Option<f64>,
    #[serde(rename = "lat_max_us")]
    pub max: Option<f64>,
}

/// Microseconds to the last receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Last {
    #[serde(rename = "last_p50_us")]
    pub p50: Option<f64>,
    #[serde(rename = "last_p90_us")]
    pub p90: Option<f64>,
    #[serde(rename = "last_p99_us")]
    pub p99: Option<f64>,
    #[serde(rename = "last_max_us")]
    pub max: Option<f64>,
}

impl Outcome {
    /// What came of a run that has ended.
    pub fn new(
        setting: Setting,
        plan: &Plan,
        (run, board): (&Run<'_>, &Board),
        counters: Option<Counters>,
        memory: Memory,
    ) -> Self {
        let measured = run.measured();
        let took = measured.map(|measured| measured.took).filter(|took| !took.is_zero());
        let per_second = |count: u64| took.map(|took| count as f64 / took.as_secs_f64());
        let load = measured.unwrap_or_default();
        let deliveries_per_s = per_second(load.deliveries);
        let cost = (load.deliveries > 0).then(|| micros(load.processor) / load.deliveries as f64);
        let expected = run.sent() * u64::try_from(plan.receivers).unwrap_or(u64::MAX);
        Self {
            setting,
            size: plan.size,
            messages: load.messages,
            deliveries: load.deliveries,
            msgs_per_s: per_second(load.everywhere).map(|rate| round(rate, 0)),
            deliveries_per_s: deliveries_per_s.map(|rate| round(rate, 0)),
            mb_per_s: deliveries_per_s.map(|rate| round(rate * plan.size as f64 / 1e6, 1)),
            cpu_us_per_delivery: cost.map(|cost| round(cost, 2)),
            latency: Spread::of(board.latencies()).into(),
            last: Spread::of(board.last_latencies()).into(),
            lost: expected.saturating_sub(board.delivered()),
            duplicates: board.duplicates(),
            out_of_order: board.out_of_order(),
            corrupt: board.corrupt(),
            waited: run.waited(),
            counters,
            copies_per_delivery: counters
                .filter(|_| board.delivered() > 0)
                .map(|counters| round(counters.copies as f64 / board.delivered() as f64, 3)),
            wire_bytes_per_byte: counters.filter(|_| board.delivered() > 0).map(|counters| {
                let delivered = board.delivered() as f64 * plan.size as f64;
                round(counters.wire_bytes as f64 / delivered, 3)
            }),
            rss_mib: mib(memory.peak),
            rss_end_mib: mib(memory.now),
            rss_course_mib: run.resident().iter().copied().map(mib).collect(),
            load_s: took.map(|took| round(took.as_secs_f64(), 3)),
            ratio: None,
        }
    }

    /// Whether every receiver got every message once, as it was sent.
    pub fn is_whole(&self) -> bool {
        self.lost == 0 && self.duplicates == 0 && self.corrupt == 0
    }
}

impl Counters {
    /// Of one node.
    pub fn of(stats: &Stats) -> Self {
        let Stats { topic, carrier, tree, .. } = stats;
        Self {
            copies: topic.duplicates,
            gaps: topic.lost,
            repairs: topic.repaired,
            batches: topic.batches,
            by_tree: topic.by_tree,
            wire_bytes: carrier.received_bytes + tree.received_bytes,
        }
    }

    /// Of two nodes together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            copies: self.copies + other.copies,
            gaps: self.gaps + other.gaps,
            repairs: self.repairs + other.repairs,
            batches: self.batches + other.batches,
            by_tree: self.by_tree + other.by_tree,
            wire_bytes: self.wire_bytes + other.wire_bytes,
        }
    }

    /// What was counted since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            copies: self.copies.saturating_sub(before.copies),
            gaps: self.gaps.saturating_sub(before.gaps),
            repairs: self.repairs.saturating_sub(before.repairs),
            batches: self.batches.saturating_sub(before.batches),
            by_tree: self.by_tree.saturating_sub(before.by_tree),
            wire_bytes: self.wire_bytes.saturating_sub(before.wire_bytes),
        }
    }
}

impl From<Option<Spread>> for Latency {
    fn from(nanos: Option<Spread>) -> Self {
        let [p50, p90, p99, max] = each_in_micros(nanos);
        Self { p50, p90, p99, max }
    }
}

impl From<Option<Spread>> for Last {
    fn from(nanos: Option<Spread>) -> Self {
        let [p50, p90, p99, max] = each_in_micros(nanos);
        Self { p50, p90, p99, max }
    }
}

fn each_in_micros(nanos: Option<Spread>) -> [Option<f64>; 4] {
    let Some(Spread { p50, p90, p99, max }) = nanos else { return [None; 4] };
    [p50, p90, p99, max].map(|nanos| Some(round(nanos as f64 / 1e3, 1)))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn mib(kib: u64) -> f64 {
    round(kib as f64 / 1024.0, 1)
}

/// As many digits behind the point as mean something.
fn round(number: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (number * unit).round() / unit
}
