//! What must hold of every picture, whatever is in it.

use std::path::Path;

use super::{Drawing, Format, Picture, PicturedNode, PlotError, Standing, render};
use crate::lab::graph::Shape;
use crate::lab::layout::Layout;

fn node(number: usize, standing: Standing) -> PicturedNode {
    PicturedNode { number, name: format!("n{number}"), peer_id: format!("12D3{number}"), standing }
}

fn picture(name: &str, nodes: usize, layout: Layout) -> Picture {
    let drawn = Shape::named(name, None).unwrap().draw(nodes, 5).unwrap();
    let nodes = (1..=nodes).map(|number| node(number, Standing::Alive));
    let links = drawn.graph.edges().map(|(a, b)| (a + 1, b + 1));
    Picture::new(format!("lab · {}", drawn.label), nodes, links, layout)
}

/// A line of five: one of each standing.
fn mixed(title: &str) -> Picture {
    let standings = [
        Standing::Alive,
        Standing::Suspected,
        Standing::Unreachable,
        Standing::Down,
        Standing::Left,
    ];
    let nodes = standings.into_iter().zip(1..).map(|(standing, number)| node(number, standing));
    Picture::new(title, nodes, [(1, 2), (2, 3), (3, 4), (4, 5)], Layout::Circle)
}

fn text(picture: &Picture, format: Format) -> String {
    String::from_utf8(render(picture, format).unwrap()).unwrap()
}

fn plain(picture: &Picture, width: usize, height: usize) -> String {
    Drawing { width, height, colour: false }.draw(picture)
}

#[test]
fn the_ending_of_the_file_is_its_format() {
    assert_eq!(Format::of(Path::new("a/b.svg")), Ok(Format::Svg));
    assert_eq!(Format::of(Path::new("b.PNG")), Ok(Format::Png));
    assert_eq!(Format::of(Path::new("b.x.dot")), Ok(Format::Dot));
    assert_eq!(Format::of(Path::new("b.json")), Ok(Format::Json));
    for file in ["b.gif", "svg", "", "b."] {
        let error = Format::of(Path::new(file)).unwrap_err();
        assert_eq!(error, PlotError::UnknownFormat { file: file.to_owned() });
    }
    assert_eq!(
        Format::of(Path::new("b.gif")).unwrap_err().to_string(),
        "\"b.gif\" does not end with a known format: give .svg, .png, .dot or .json"
    );
}

#[test]
fn the_facts_are_those_of_the_nodes_that_are_there() {
    let picture = mixed("t");
    assert_eq!(picture.facts(), "5 nodes · 4 links · diameter 2");
    let one = Picture::new("t", [node(7, Standing::Alive)], [], Layout::Force);
    assert_eq!(one.facts(), "1 node · 0 links · diameter 0");
    let pieces = [node(1, Standing::Alive), node(2, Standing::Left), node(3, Standing::Alive)];
    let pieces = Picture::new("t", pieces, [(1, 2), (2, 3)], Layout::Force);
    assert_eq!(pieces.facts(), "3 nodes · 2 links · not connected");
}

#[test]
fn links_that_cannot_be_and_numbers_that_are_taken_are_left_out() {
    let nodes = [node(9, Standing::Down), node(3, Standing::Alive), node(9, Standing::Alive)];
    let picture = Picture::new("t", nodes, [(9, 3), (3, 9), (3, 3), (3, 4)], Layout::Shell);
    assert_eq!(picture.links().collect::<Vec<_>>(), [(3, 9)]);
    assert_eq!(
        picture.census().into_iter().collect::<Vec<_>>(),
        [(Standing::Alive, 1), (Standing::Down, 1)]
    );
}

#[test]
fn json_has_what_it_promises() {
    let json: serde_json::Value = serde_json::from_str(&text(&mixed("t"), Format::Json)).unwrap();
    assert_eq!(json["title"], "t");
    assert_eq!(json["diameter"], 2);
    assert_eq!(json["edges"], serde_json::json!([[1, 2], [2, 3], [3, 4], [4, 5]]));
    assert_eq!(
        json["nodes"][1],
        serde_json::json!({
            "number": 2, "name": "n2", "peer_id": "12D32", "state": "suspected",
            "x": 1.0, "y": 0.3877,
        })
    );
}

#[test]
fn svg_has_every_node_link_and_standing_and_is_well_formed() {
    let svg = text(&mixed("a <b> & \"c\"\u{1b}"), Format::Svg);
    assert!(svg.contains("a &lt;b&gt; &amp; &quot;c&quot;\u{fffd}"));
    assert_eq!(svg.matches("<path ").count(), 4);
    for word in ["1 alive", "1 suspected", "1 unreachable", "1 down", "1 left", ">5</text>"] {
        assert!(svg.contains(word), "{word}");
    }
    // The PNG is made from it by a parser that refuses what is not well formed.
    assert!(render(&mixed("a <b> & \"c\"\u{1b}\u{0}\u{ffff}"), Format::Png).is_ok());
}

#[test]
fn no_two_nodes_touch_and_none_leaves_the_canvas() {
    let value = |line: &str, name: &str| -> f64 {
        let rest = line.split_once(&format!(" {name}=\"")).unwrap().1;
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    for nodes in [2, 16, 64] {
        for name in Shape::NAMES {
            for layout in [Layout::Circle, Layout::Force, Layout::Shell] {
                let svg = text(&picture(name, nodes, layout), Format::Svg);
                let (width, height) = (value(&svg, "width"), value(&svg, "height"));
                let circles: Vec<(f64, f64, f64)> = svg
                    .lines()
                    .filter(|line| line.starts_with("<g><title>"))
                    .map(|line| (value(line, "cx"), value(line, "cy"), value(line, "r")))
                    .collect();
                assert_eq!(circles.len(), nodes);
                for (index, &(x, y, r)) in circles.iter().enumerate() {
                    assert!(x > r && y > r && x < width - r && y < height - r);
                    for &(other_x, other_y, _) in &circles[index + 1..] {
                        let apart = (x - other_x).hypot(y - other_y);
                        assert!(apart > 2.1 * r && r > 6.0, "{name} {nodes} {layout}: {apart}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_long_title_is_broken_and_never_cut() {
    let title = format!("{} {}", "word ".repeat(40).trim(), "x".repeat(300));
    let svg = text(&mixed(&title), Format::Svg);
    let heading: Vec<&str> = svg.lines().filter(|line| line.contains("#14202b")).collect();
    assert!(heading.len() > 5);
    let shown: usize = heading.iter().map(|line| line.matches("word").count()).sum();
    assert_eq!(shown, 40);
    let letters: usize = heading.iter().map(|line| line.matches("xx").count() * 2).sum();
    assert!(letters >= 290);
}

#[test]
fn png_has_pixels_of_every_standing_without_fonts_of_the_system() {
    let png = render(&mixed("t"), Format::Png).unwrap();
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    let has = |red, green, blue| {
        pixels.pixels().iter().any(|at| (at.red(), at.green(), at.blue()) == (red, green, blue))
    };
    assert!(has(0x00, 0x72, 0xb2) && has(0xf0, 0xb6, 0x3f) && has(0xd5, 0x5e, 0x00));
    // The number of the first node stands white in the middle of its blue circle.
    let blank = Picture::new("", [], [], Layout::Force);
    assert!(render(&blank, Format::Png).is_ok());
    let dark = pixels.pixels().iter().filter(|at| at.red() < 0x40 && at.blue() < 0x50).count();
    assert!(dark > 20, "there is no text");
}

#[test]
fn png_is_bounded_however_large_the_network_is() {
    let png = render(&picture("line", 300, Layout::Force), Format::Png).unwrap();
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert!(pixels.width().max(pixels.height()) <= 5_000);
}

#[test]
fn dot_has_nodes_links_and_escapes() {
    let dot = text(&mixed("say \"hi\" \\ bye"), Format::Dot);
    assert!(dot.starts_with("graph gossip {\n") && dot.ends_with("}\n"));
    assert!(dot.contains("label=\"say \\\"hi\\\" \\\\ bye\\n5 nodes · 4 links · diameter 2\""));
    assert!(dot.contains("  3 -- 4;\n"));
    assert!(dot.contains("  5 [tooltip=\"n5 (left)\""));
}

#[test]
fn the_terminal_shows_every_number_once_and_apart_from_the_others() {
    for (nodes, width, height) in [(16, 80, 24), (64, 100, 40)] {
        for name in Shape::NAMES {
            for layout in [Layout::Circle, Layout::Force, Layout::Shell] {
                let text = plain(&picture(name, nodes, layout), width, height);
                let canvas: String = text.lines().skip(2).map(|line| format!("{line}\n")).collect();
                let mut found: Vec<usize> = canvas
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|number| number.parse().ok())
                    .collect();
                found.sort_unstable();
                assert_eq!(found, (1..=nodes).collect::<Vec<_>>(), "{name} {layout}\n{text}");
            }
        }
    }
}

#[test]
fn the_terminal_keeps_to_its_size_and_draws_links() {
    for (width, height) in [(80, 24), (40, 12), (132, 50)] {
        let text = plain(&picture("random", 16, Layout::Force), width, height);
        assert_eq!(text.lines().count(), height);
        assert!(text.lines().all(|line| line.chars().count() <= width));
        assert!(text.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count() > 40);
    }
    // Too small to hold them, but no reason to fail.
    assert!(!plain(&picture("complete", 200, Layout::Circle), 0, 0).is_empty());
    assert!(plain(&mixed("t"), usize::MAX, usize::MAX).lines().count() <= 503);
    assert!(!plain(&Picture::new("", [], [], Layout::Force), 80, 24).is_empty());
}

#[test]
fn standings_are_told_without_colour_and_colour_only_where_asked() {
    let picture = mixed("t\u{1b}[2J");
    let text = plain(&picture, 60, 20);
    for sign in ["2?", "3~", "4x", "5-", "? 1 suspected", "- 1 left", "t\\u{1b}[2J"] {
        assert!(text.contains(sign), "{sign}\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    let painted = Drawing { width: 60, height: 20, colour: true }.draw(&picture);
    assert!(painted.contains("\u{1b}[1;31m4x\u{1b}[0m"));
}

#[test]
fn standings_are_known_by_their_words() {
    for standing in mixed("t").census().into_keys() {
        assert_eq!(standing.to_string().parse(), Ok(standing));
        assert_eq!(serde_json::to_value(standing).unwrap(), standing.as_str());
    }
    assert!("dead".parse::<Standing>().is_err());
}
