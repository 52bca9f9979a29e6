//! The picture for Graphviz. `neato -n2` takes the places as they are, every other program of it
//! makes its own.

use std::fmt::Write;

use super::Picture;
use super::svg::Look;

pub(super) fn write(picture: &Picture) -> String {
    let mut out = String::from("graph gossip {\n");
    let label = quoted(&format!("{}\n{}", picture.title(), picture.facts()));
    out.push_str("  layout=neato;\n");
    out.push_str(&format!("  label={label}; labelloc=t; fontname=\"sans-serif\";\n"));
    out.push_str("  node [shape=circle, style=filled, fixedsize=true, width=0.45];\n");
    out.push_str("  edge [color=\"#51606e\"];\n");
    for (node, point) in picture.placed() {
        let look = Look::of(node.standing);
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "  {} [tooltip={}, fillcolor=\"{}\", fontcolor=\"{}\", color=\"{}\", \
             pos=\"{:.1},{:.1}\"];",
            node.number,
            quoted(&format!("{} ({})", node.name, node.standing)),
            look.fill,
            look.text,
            look.border,
            point.x * POINTS,
            (1.0 - point.y) * POINTS,
        );
    }
    for (a, b) in picture.links() {
        let _ = writeln!(out, "  {a} -- {b};");
    }
    out.push_str("}\n");
    out
}

/// A string of the DOT language. A backslash begins an escape there, so it is doubled.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The side of the unit square in points (72 to the inch).
const POINTS: f64 = 720.0;
