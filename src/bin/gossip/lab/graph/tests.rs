//! The invariants of the module's page, and what users get for impossible wishes.

use proptest::prelude::*;

use super::{Graph, Limits, Shape, ShapeError};

fn degrees(graph: &Graph) -> Vec<usize> {
    graph.nodes().map(|node| graph.degree(node)).collect()
}

fn random(degree: usize) -> Shape {
    Shape::Random { degree: Some(degree) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_shape_is_connected_simple_and_seeded(nodes in 1usize..70, seed: u64) {
        for name in Shape::NAMES {
            let shape = Shape::named(name, None).unwrap();
            let drawn = shape.draw(nodes, seed).unwrap();
            prop_assert_eq!(drawn.graph.node_count(), nodes);
            prop_assert!(drawn.graph.is_connected(), "{} of {}", name, nodes);
            prop_assert!(drawn.graph.edges().all(|(a, b)| a < b && b < nodes));
            prop_assert_eq!(drawn.graph.edges().count(), drawn.graph.edge_count());
            prop_assert_eq!(drawn, shape.draw(nodes, seed).unwrap());
        }
    }

    #[test]
    fn a_possible_degree_is_the_degree_of_every_node(
        nodes in 2usize..60, degree in 1usize..60, seed: u64
    ) {
        let possible = degree < nodes
            && (nodes * degree).is_multiple_of(2)
            && (degree > 1 || nodes == 2);
        match random(degree).draw(nodes, seed) {
            Ok(drawn) => {
                prop_assert!(possible);
                prop_assert!(drawn.graph.is_connected());
                prop_assert_eq!(drawn.note, None);
                prop_assert!(degrees(&drawn.graph).iter().all(|&found| found == degree));
            }
            Err(_) => prop_assert!(!possible),
        }
    }

    #[test]
    fn degrees_lie_within_their_limits(
        nodes in 2usize..=64, min in 0usize..66, span in 0usize..8, seed: u64
    ) {
        let max = min + span;
        let possible = min < nodes
            && max > 0
            && (max > 1 || nodes == 2)
            && (min < max || (nodes * min).is_multiple_of(2));
        match (Limits { min: Some(min), max: Some(max) }).draw(nodes, seed) {
            Ok(drawn) => {
                prop_assert!(possible);
                prop_assert!(drawn.graph.is_connected());
                prop_assert!(degrees(&drawn.graph).iter().all(|found| (min..=max).contains(found)));
            }
            Err(_) => prop_assert!(!possible),
        }
    }

    #[test]
    fn a_limit_that_is_not_given_fits_the_one_that_is(
        nodes in 2usize..=64, given in 2usize..64, seed: u64
    ) {
        prop_assume!(given < nodes);
        for (min, max) in [(None, None), (Some(given), None), (None, Some(given))] {
            let drawn = Limits { min, max }.draw(nodes, seed).unwrap();
            prop_assert!(drawn.graph.is_connected());
            let fits = |found: &usize| min.is_none_or(|min| min <= *found) && max.is_none_or(|max| *found <= max);
            prop_assert!(degrees(&drawn.graph).iter().all(fits));
        }
    }

    #[test]
    fn a_powerlaw_newcomer_brings_its_edges(nodes in 2usize..80, edges in 1usize..6, seed: u64) {
        prop_assume!(edges < nodes);
        let drawn = Shape::Powerlaw { edges: Some(edges) }.draw(nodes, seed).unwrap();
        prop_assert!(drawn.graph.is_connected());
        prop_assert_eq!(drawn.graph.edge_count(), edges + edges * (nodes - edges - 1));
    }
}

#[test]
fn other_seeds_draw_other_graphs() {
    for name in ["random", "powerlaw", "small-world"] {
        let shape = Shape::named(name, None).unwrap();
        let graphs: Vec<Graph> = (0..8).map(|seed| shape.draw(32, seed).unwrap().graph).collect();
        assert!(graphs.windows(2).all(|pair| pair[0] != pair[1]), "{name}");
    }
}

#[test]
fn a_random_graph_keeps_nothing_of_the_ring_it_began_as() {
    let graph = random(4).draw(100, 7).unwrap().graph;
    // A ring of the nearest has diameter 25; a random graph of this size is far below that.
    assert!(graph.diameter().unwrap() <= 7);
}

#[test]
fn the_plain_shapes_have_their_links() {
    let draw = |shape: Shape, nodes| shape.draw(nodes, 0).unwrap().graph;
    assert_eq!(degrees(&draw(Shape::Circular, 5)), [2; 5]);
    assert_eq!(degrees(&draw(Shape::Circular, 2)), [1; 2]);
    assert_eq!(degrees(&draw(Shape::Line, 4)), [1, 2, 2, 1]);
    assert_eq!(degrees(&draw(Shape::Star, 5)), [4, 1, 1, 1, 1]);
    assert_eq!(degrees(&draw(Shape::Complete, 6)), [5; 6]);
    assert_eq!(degrees(&draw(Shape::Turan { parts: Some(4) }, 16)), [12; 16]);
    assert_eq!(draw(Shape::Turan { parts: Some(2) }, 5).edge_count(), 6);
    assert_eq!(draw(Shape::SmallWorld, 40).edge_count(), 80);
    assert_eq!(draw(Shape::Circular, 9).diameter(), Some(4));
    assert_eq!(draw(Shape::Line, 9).diameter(), Some(8));
}

#[test]
fn powerlaw_has_hubs() {
    let graph = Shape::Powerlaw { edges: None }.draw(200, 3).unwrap().graph;
    let degrees = degrees(&graph);
    assert!(degrees.iter().max().unwrap() > &20);
    assert!(degrees.iter().min().unwrap() <= &3);
}

#[test]
fn what_was_not_given_adapts_and_says_so() {
    let drawn = |nodes| Shape::default().draw(nodes, 1).unwrap();
    assert_eq!(drawn(16).note, None);
    assert_eq!(drawn(16).label, "random, degree 3");
    assert_eq!(drawn(5).note.as_deref(), Some("degree 4 instead of 3, because there are 5 nodes"));
    assert_eq!(degrees(&drawn(3).graph), [2; 3]);
    assert_eq!(degrees(&drawn(2).graph), [1; 2]);
    assert_eq!(drawn(1).note.as_deref(), Some("degree 0 instead of 3, because there is 1 node"));
    assert_eq!(
        Shape::Turan { parts: None }.draw(3, 1).unwrap().note.as_deref(),
        Some("parts 3 instead of 4, because there are 3 nodes")
    );
}

#[test]
fn what_was_given_and_cannot_be_is_refused() {
    let refused = |shape: Shape, nodes| shape.draw(nodes, 0).unwrap_err();
    assert_eq!(refused(Shape::Line, 0), ShapeError::NoNodes);
    assert_eq!(refused(random(0), 16), ShapeError::DegreeZero);
    assert_eq!(refused(random(3), 5), ShapeError::DegreeOdd { degree: 3, nodes: 5 });
    assert_eq!(refused(random(16), 16), ShapeError::DegreeTooHigh { degree: 16, nodes: 16 });
    assert_eq!(refused(random(3), 1), ShapeError::DegreeTooHigh { degree: 3, nodes: 1 });
    assert_eq!(refused(random(1), 4), ShapeError::DegreeOne { nodes: 4 });
    let powerlaw = |edges| Shape::Powerlaw { edges: Some(edges) };
    assert_eq!(refused(powerlaw(0), 16), ShapeError::EdgesZero);
    assert_eq!(refused(powerlaw(4), 4), ShapeError::EdgesTooMany { edges: 4, nodes: 4 });
    let turan = |parts| Shape::Turan { parts: Some(parts) };
    assert_eq!(refused(turan(0), 16), ShapeError::PartsZero);
    assert_eq!(refused(turan(1), 16), ShapeError::PartsOne { nodes: 16 });
    assert_eq!(refused(turan(17), 16), ShapeError::PartsTooMany { parts: 17, nodes: 16 });
    assert!(refused(random(usize::MAX), 16).to_string().contains("lower degree"));
}

#[test]
fn limits_that_cannot_be_are_refused() {
    let refused = |min, max, nodes| Limits { min, max }.draw(nodes, 0).unwrap_err();
    assert_eq!(refused(None, None, 0), ShapeError::NoNodes);
    assert_eq!(refused(Some(4), Some(2), 16), ShapeError::LimitsCrossed { min: 4, max: 2 });
    assert_eq!(refused(Some(16), None, 16), ShapeError::DegreeTooHigh { degree: 16, nodes: 16 });
    assert_eq!(refused(Some(3), Some(3), 5), ShapeError::DegreeOdd { degree: 3, nodes: 5 });
    assert_eq!(refused(None, Some(1), 5), ShapeError::DegreeOne { nodes: 5 });
    assert_eq!(refused(None, Some(0), 5), ShapeError::DegreeZero);
    assert_eq!(degrees(&Limits::default().draw(1, 0).unwrap().graph), [0]);
}

#[test]
fn errors_are_one_sentence_with_what_to_do() {
    assert_eq!(
        random(3).draw(1, 0).unwrap_err().to_string(),
        "degree 3 needs at least 4 nodes and there is 1 node: give more nodes or a lower degree, \
         or leave the degree out"
    );
    assert_eq!(
        Shape::named("banana", None).unwrap_err().to_string(),
        "there is no network shape called \"banana\": give one of random, circular, powerlaw, \
         turan, complete, star, line, small-world"
    );
    assert_eq!(
        Shape::named("star", Some(3)).unwrap_err().to_string(),
        "the shape star takes no number: leave the 3 out"
    );
}

#[test]
fn every_name_is_the_shape_that_shows_it() {
    for name in Shape::NAMES {
        assert_eq!(Shape::named(name, None).unwrap().to_string(), name);
    }
}

#[test]
fn a_removed_node_leaves_no_link_and_the_others_keep_their_numbers() {
    let mut ring = Shape::Circular.draw(6, 0).unwrap().graph;
    assert!(ring.remove_node(2));
    assert!(!ring.remove_node(2));
    assert_eq!(ring.nodes().collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
    assert_eq!(ring.neighbours(1), [0]);
    assert_eq!(ring.edges().collect::<Vec<_>>(), [(0, 1), (0, 5), (3, 4), (4, 5)]);
    assert!(ring.is_connected());
    assert!(ring.remove_node(4));
    assert!(!ring.is_connected());
    assert_eq!(ring.diameter(), None);
    assert_eq!(ring.distances_from(0).into_iter().collect::<Vec<_>>(), [(0, 0), (1, 1), (5, 1)]);
    assert!(ring.distances_from(2).is_empty());
}
