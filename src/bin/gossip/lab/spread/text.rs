//! The tree for the terminal.
//!
//! ```text
//! message 1 of node 4 on topic lab: apple
//! sent 12:04:31.182, trace e72a823b01cfcb70861f8ae24538612c
//! 4 of 5 nodes hold it; 2 hops at most; the last after 2.1 ms; 1.5 copies per node
//! node 4
//! ├── node 9  +1.2 ms  2 copies
//! │   └── node 8  +0.9 ms, after 2.1 ms  1 copy
//! └── node 2  +1.4 ms  1 copy
//! missing: node 7
//! ```

use gossip_mesh::NodeId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::tree::{Branch, Spread};
use crate::render::plain::one_line;

/// Letters of a payload that are shown.
const MAX_SHOWN: usize = 60;

/// The tree as text, each line with its break. `name` is what people call a node.
pub fn text(spread: &Spread, name: &dyn Fn(NodeId) -> String, zone: &TimeZone) -> String {
    let branches = spread.branches();
    let mut out = heading(spread, &branches, name, zone);
    let mut ended: Vec<bool> = Vec::new();
    for branch in &branches {
        ended.truncate(branch.depth);
        out.push_str(&stem(&ended, branch));
        out.push_str(&line(spread, branch, name));
        out.push('\n');
        ended.push(branch.is_last);
    }
    for (word, nodes) in [("missing", &spread.missing), ("no answer", &spread.silent)] {
        if !nodes.is_empty() {
            let names: Vec<String> = nodes.iter().map(|node| name(*node)).collect();
            out.push_str(&format!("{word}: {}\n", names.join(", ")));
        }
    }
    out
}

fn heading(
    spread: &Spread,
    branches: &[Branch],
    name: &dyn Fn(NodeId) -> String,
    zone: &TimeZone,
) -> String {
    let id = &spread.id;
    format!(
        "message {} of {} on topic {}: {}\nsent {}, trace {}\n{}\n",
        id.number,
        name(id.author),
        one_line(id.topic.as_bytes()),
        shortened(&spread.payload),
        clock(spread.sent_us, zone),
        id.trace(),
        facts(spread, branches),
    )
}

/// How far it came, in a line.
pub(super) fn facts(spread: &Spread, branches: &[Branch]) -> String {
    let hops = branches.iter().map(|branch| branch.depth).max().unwrap_or(0);
    format!(
        "{} of {} nodes hold it; {} at most; the last after {}; {:.1} copies per node",
        spread.holders(),
        spread.readers(),
        counted(hops, "hop", "hops"),
        millis(i64::try_from(spread.last_us()).unwrap_or(i64::MAX)),
        spread.copies_per_node(),
    )
}

/// What stands before the node: a line for each tree it is in that goes on below.
fn stem(ended: &[bool], branch: &Branch) -> String {
    // The first is the root's, which has no line.
    let mut out: String =
        ended.iter().skip(1).map(|ended| if *ended { "    " } else { "│   " }).collect();
    if branch.depth > 0 {
        out.push_str(if branch.is_last { "└── " } else { "├── " });
    }
    out
}

fn line(spread: &Spread, branch: &Branch, name: &dyn Fn(NodeId) -> String) -> String {
    let mut out = name(branch.node);
    if branch.depth == 0 && branch.node != spread.id.author {
        out = format!("… → {out}");
    }
    if let Some(edge) = branch.edge_us {
        out.push_str(&format!("  {}{}", if edge < 0 { "" } else { "+" }, millis(edge)));
    }
    if branch.depth > 1 {
        let after = branch.at_us.saturating_sub(spread.sent_us);
        out.push_str(&format!(", after {}", millis(i64::try_from(after).unwrap_or(i64::MAX))));
    }
    match (branch.holds, branch.copies) {
        (true, 0) => {}
        (true, copies) => out.push_str(&format!("  {}", counted(copies, "copy", "copies"))),
        (false, _) if branch.node == spread.id.author => {}
        (false, _) => out.push_str("  passed it on"),
    }
    out
}

pub(super) fn millis(micros: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let millis = micros as f64 / 1e3;
    format!("{millis:.1} ms")
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn shortened(payload: &[u8]) -> String {
    let line = one_line(payload);
    match line.char_indices().nth(MAX_SHOWN) {
        None if line.is_empty() => "(empty)".to_owned(),
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

fn clock(micros: u64, zone: &TimeZone) -> String {
    let moment = i64::try_from(micros).ok().and_then(|it| Timestamp::from_microsecond(it).ok());
    moment.map_or_else(
        || "never".to_owned(),
        |moment| moment.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
    )
}
