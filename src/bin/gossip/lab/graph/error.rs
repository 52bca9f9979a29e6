//! Why a shape sometimes cannot be drawn.

use super::shape::Shape;

/// Why a shape cannot be drawn: one sentence that ends with what to do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The number of nodes is zero.
    #[error("a network of 0 nodes is none: give --nodes 1 or more")]
    NoNodes,
    /// Nobody would have a neighbour.
    #[error("with degree 0 no node has a neighbour: give a degree of 1 or more, or leave it out")]
    DegreeZero,
    /// A node cannot have that many neighbours.
    #[error(
        "degree {degree} needs at least {} nodes and there {}: give more nodes or a lower degree, \
         or leave the degree out",
        degree.saturating_add(1),
        are(*nodes)
    )]
    DegreeTooHigh {
        /// As given.
        degree: usize,
        /// As given.
        nodes: usize,
    },
    /// Half a link would be left over.
    #[error(
        "{nodes} nodes cannot have {degree} neighbours each, because {nodes} times {degree} is \
         odd: give an even degree or an even number of nodes, or leave the degree out"
    )]
    DegreeOdd {
        /// As given.
        degree: usize,
        /// As given.
        nodes: usize,
    },
    /// Only pairs would be there.
    #[error(
        "with degree 1 the {nodes} nodes would be separate pairs: give a degree of 2 or more, or \
         leave it out"
    )]
    DegreeOne {
        /// As given.
        nodes: usize,
    },
    /// No number lies between these.
    #[error("no node has at least {min} and at most {max} neighbours: give --min {max} or less")]
    LimitsCrossed {
        /// As given.
        min: usize,
        /// As given, or what follows from the other.
        max: usize,
    },
    /// A powerlaw network without links.
    #[error("with 0 edges no node has a neighbour: give 1 or more, or leave the number out")]
    EdgesZero,
    /// A newcomer cannot bring that many links.
    #[error(
        "{edges} edges per node need at least {} nodes and there {}: give more nodes or fewer \
         edges, or leave the number out",
        edges.saturating_add(1),
        are(*nodes)
    )]
    EdgesTooMany {
        /// As given.
        edges: usize,
        /// As given.
        nodes: usize,
    },
    /// Nodes have to stand somewhere.
    #[error("nodes cannot stand in 0 parts: give 2 parts or more, or leave the number out")]
    PartsZero,
    /// Nodes of one part are not linked with one another.
    #[error(
        "in 1 part the {nodes} nodes would have no links: give 2 parts or more, or leave the \
         number out"
    )]
    PartsOne {
        /// As given.
        nodes: usize,
    },
    /// Some parts would be empty.
    #[error(
        "{parts} parts need at least as many nodes and there {}: give more nodes or fewer parts, \
         or leave the number out",
        are(*nodes)
    )]
    PartsTooMany {
        /// As given.
        parts: usize,
        /// As given.
        nodes: usize,
    },
    /// No shape has this name.
    #[error("there is no network shape called {name:?}: give one of {}", Shape::NAMES.join(", "))]
    Unknown {
        /// As given.
        name: String,
    },
    /// The shape has no parameter.
    #[error("the shape {name} takes no number: leave the {parameter} out")]
    TakesNoNumber {
        /// As given.
        name: String,
        /// As given.
        parameter: usize,
    },
}

/// `is 1 node`, `are 2 nodes`.
pub(super) fn are(nodes: usize) -> String {
    match nodes {
        1 => "is 1 node".to_owned(),
        nodes => format!("are {nodes} nodes"),
    }
}
