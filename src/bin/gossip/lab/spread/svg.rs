//! The tree as a picture: hops to the right, first copies from top to bottom.

use std::collections::BTreeMap;
use std::fmt::Write;

use gossip_mesh::NodeId;

use super::text::{facts, millis};
use super::tree::{Branch, Spread};
use crate::lab::plot::lettering::{escaped, width_of};

/// The picture. `label` is the short name of a node, as it fits into a circle.
pub fn svg(spread: &Spread, label: &dyn Fn(NodeId) -> String) -> String {
    let branches = spread.branches();
    let places = places(&branches);
    let rows = places.values().map(|place| place.1).fold(0.0, f64::max);
    let columns = places.values().map(|place| place.0).fold(0.0, f64::max);
    let id = &spread.id;
    let title = format!("message {} of {} on topic {}", id.number, label(id.author), id.topic);
    let lines = [title, facts(spread, &branches), absent(spread, label)];
    let widest = lines.iter().map(|line| width_of(line, FONT)).fold(0.0, f64::max);
    let width = (columns + 2.0 * MARGIN).max(widest + 2.0 * MARGIN);
    let height = rows + HEADING + 2.0 * MARGIN;

    let mut out = String::new();
    // Writing to a String does not fail, so the results below say nothing.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"Ubuntu, Helvetica, Arial, sans-serif\" role=\"img\">"
    );
    let _ = writeln!(out, "<title>{}</title>", escaped(&lines[0]));
    out.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    for (line, text) in lines.iter().enumerate() {
        let y = MARGIN + LINE * line as f64;
        let _ = writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{y:.1}\" font-size=\"{FONT}\" fill=\"#14202b\">{}</text>",
            escaped(text)
        );
    }
    branches.iter().for_each(|branch| write_edge(&mut out, branch, &places));
    for branch in &branches {
        write_node(&mut out, branch, &places, label, branch.node == id.author);
    }
    out.push_str("</svg>\n");
    out
}

/// Who is missing, in a line; empty when nobody is.
fn absent(spread: &Spread, label: &dyn Fn(NodeId) -> String) -> String {
    let lists = [("missing", &spread.missing), ("no answer", &spread.silent)];
    let list = |(word, nodes): (&str, &Vec<NodeId>)| {
        let names: Vec<String> = nodes.iter().map(|node| label(*node)).collect();
        (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
    };
    lists.into_iter().filter_map(list).collect::<Vec<_>>().join("; ")
}

/// A row for each node without followers, in order; the others stand in the middle of theirs.
fn places(branches: &[Branch]) -> BTreeMap<NodeId, (f64, f64)> {
    let mut rows: BTreeMap<NodeId, (f64, f64)> = BTreeMap::new();
    let mut next = 0.0;
    let mut places = BTreeMap::new();
    // From the end: whoever follows a node is placed before it.
    for branch in branches.iter().rev() {
        let row = rows.get(&branch.node).map_or_else(
            || {
                next += 1.0;
                next - 1.0
            },
            |(first, last)| f64::midpoint(*first, *last),
        );
        if let Some(from) = branch.from {
            let span = rows.entry(from).or_insert((row, row));
            *span = (span.0.min(row), span.1.max(row));
        }
        places.insert(branch.node, (branch.depth as f64, row));
    }
    let at = |(column, row): (f64, f64)| {
        (MARGIN + RADIUS + column * COLUMN, MARGIN + HEADING + (next - 1.0 - row) * ROW)
    };
    places.into_iter().map(|(node, place)| (node, at(place))).collect()
}

fn write_edge(out: &mut String, branch: &Branch, places: &BTreeMap<NodeId, (f64, f64)>) {
    let ends = branch.from.and_then(|from| Some((places.get(&from)?, places.get(&branch.node)?)));
    let Some(((x1, y1), (x2, y2))) = ends else { return };
    let middle = f64::midpoint(*x1, *x2);
    let _ = writeln!(
        out,
        "<path d=\"M{x1:.1} {y1:.1}C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {x2:.1} {y2:.1}\" \
         fill=\"none\" stroke=\"#3f4d5a\" stroke-width=\"1.4\"/>"
    );
    let Some(edge) = branch.edge_us else { return };
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#4a5763\" \
         text-anchor=\"end\">{}</text>",
        x2 - RADIUS - 6.0,
        y2 - 4.0,
        millis(edge),
    );
}

fn write_node(
    out: &mut String,
    branch: &Branch,
    places: &BTreeMap<NodeId, (f64, f64)>,
    label: &dyn Fn(NodeId) -> String,
    is_author: bool,
) {
    let Some((x, y)) = places.get(&branch.node) else { return };
    let (fill, ink, dashes) = match (is_author, branch.holds) {
        (true, _) => ("#d55e00", "#000000", ""),
        (false, true) => ("#0072b2", "#ffffff", ""),
        (false, false) => ("#ffffff", "#5c6670", " stroke-dasharray=\"5 3\""),
    };
    let name = label(branch.node);
    let font = (RADIUS * 1.7 / width_of(&name, 1.0).max(0.1)).min(14.0);
    let title = match branch.copies {
        0 => name.clone(),
        copies => format!("{name}, {copies} copies"),
    };
    let _ = writeln!(
        out,
        "<g><title>{}</title><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\" fill=\"{fill}\" \
         stroke=\"#14202b\"{dashes}/><text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"{font:.1}\" \
         fill=\"{ink}\" text-anchor=\"middle\">{}</text></g>",
        escaped(&title),
        y + font * 0.35,
        escaped(&name),
    );
    if branch.copies > 1 {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#4a5763\">×{}</text>",
            x + RADIUS + 3.0,
            y - RADIUS + 4.0,
            branch.copies,
        );
    }
}

const MARGIN: f64 = 30.0;
const FONT: f64 = 15.0;
const LINE: f64 = 22.0;
/// Room for the lines above the tree.
const HEADING: f64 = 3.0 * LINE;
const RADIUS: f64 = 15.0;
/// Between two hops: room for the delay.
const COLUMN: f64 = 120.0;
const ROW: f64 = 38.0;
