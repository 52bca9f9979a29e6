//! Places are inside the square, stable, and far enough apart for labels.

use super::{Layout, Point};
use crate::lab::graph::{Graph, Shape};

const LAYOUTS: [Layout; 3] = [Layout::Circle, Layout::Force, Layout::Shell];

fn drawn(name: &str, nodes: usize) -> Graph {
    Shape::named(name, None).unwrap().draw(nodes, 1).unwrap().graph
}

fn nearest(points: &[Point]) -> f64 {
    let pairs = points.iter().enumerate();
    pairs
        .flat_map(|(i, a)| points.iter().skip(i + 1).map(|b| a.distance(*b)))
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn places_are_in_the_unit_square_and_always_the_same() {
    for layout in LAYOUTS {
        for name in Shape::NAMES {
            for nodes in [1, 2, 3, 16, 40] {
                let graph = drawn(name, nodes);
                let points = layout.place(&graph);
                assert_eq!(points.len(), nodes);
                let inside = |at: f64| (-1e-9..=1.0 + 1e-9).contains(&at);
                assert!(points.iter().all(|p| inside(p.x) && inside(p.y)), "{layout} {name}");
                assert_eq!(points, layout.place(&graph));
            }
        }
    }
}

#[test]
fn no_two_nodes_come_too_near_for_their_labels() {
    for (nodes, least) in [(16, 0.1), (64, 0.035)] {
        for layout in LAYOUTS {
            for name in Shape::NAMES.iter().filter(|&&name| name != "line") {
                let apart = nearest(&layout.place(&drawn(name, nodes)));
                assert!(apart > least, "{layout} {name} {nodes}: {apart}");
            }
        }
    }
}

#[test]
fn force_shows_a_ring_as_a_ring_and_a_line_as_a_line() {
    let ring = Layout::Force.place(&drawn("circular", 24));
    let middle = Point { x: 0.5, y: 0.5 };
    assert!(ring.iter().all(|point| point.distance(middle) > 0.35));
    let line = Layout::Force.place(&drawn("line", 8));
    assert!(line.iter().all(|point| (point.y - 0.5).abs() < 0.2), "{line:?}");
}

#[test]
fn shell_puts_the_hub_in_the_middle() {
    let points = Layout::Shell.place(&drawn("star", 9));
    assert!(points[0].distance(Point { x: 0.5, y: 0.5 }) < 1e-9);
}

#[test]
fn graphs_in_pieces_and_empty_ones_are_placed_too() {
    for layout in LAYOUTS {
        assert_eq!(layout.place(&Graph::default()), []);
        let mut graph = Graph::with_links(6, [(0, 1), (2, 3)]);
        graph.remove_node(4);
        let points = layout.place(&graph);
        assert_eq!(points.len(), 5);
        assert!(nearest(&points) > 0.05, "{layout}");
    }
}

#[test]
fn layouts_are_known_by_their_names() {
    for layout in LAYOUTS {
        assert_eq!(layout.to_string().parse(), Ok(layout));
    }
    let error = "spiral".parse::<Layout>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no layout called \"spiral\": give circle, force or shell"
    );
}
