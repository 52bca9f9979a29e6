//! What a user can ask for.

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::adjacency::Graph;
use super::draw;
use super::error::{ShapeError, are};

/// The shape of a network. A parameter that is `None` was not given and adapts to the number of
/// nodes; one that is given is kept or refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Every node has `degree` neighbours, drawn at random. 3 unless given.
    Random {
        /// Neighbours of each node.
        degree: Option<usize>,
    },
    /// A ring.
    Circular,
    /// A few hubs and many small nodes (Barabási–Albert). 3 unless given.
    Powerlaw {
        /// Links that each node brings when it joins.
        edges: Option<usize>,
    },
    /// The nodes stand in parts of equal size, and are linked with all nodes of the other parts
    /// and none of their own. 4 unless given.
    Turan {
        /// Number of parts.
        parts: Option<usize>,
    },
    /// Everyone is linked with everyone.
    Complete,
    /// Everyone is linked with node 1.
    Star,
    /// A chain.
    Line,
    /// A ring with links to the next but one, a tenth of all links moved elsewhere
    /// (Watts–Strogatz).
    SmallWorld,
}

/// A shape drawn for a number of nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Drawn {
    /// The graph; connected.
    pub graph: Graph,
    /// What it is, for titles: `random, degree 3`.
    pub label: String,
    /// What differs from the default because of the number of nodes: a sentence for the user.
    pub note: Option<String>,
    /// Whether nodes that lose neighbours find others; else the graph stays as it is drawn.
    pub mends: bool,
}

impl Shape {
    /// The names [`Shape::named`] knows.
    pub const NAMES: [&'static str; 8] =
        ["random", "circular", "powerlaw", "turan", "complete", "star", "line", "small-world"];

    /// The shape of that name, with the number that may follow it on the command line.
    ///
    /// # Errors
    /// [`ShapeError::Unknown`], or [`ShapeError::TakesNoNumber`]. Whether the number fits is known
    /// when the shape is drawn.
    pub fn named(name: &str, parameter: Option<usize>) -> Result<Self, ShapeError> {
        let plain = match name {
            "random" => return Ok(Self::Random { degree: parameter }),
            "powerlaw" => return Ok(Self::Powerlaw { edges: parameter }),
            "turan" => return Ok(Self::Turan { parts: parameter }),
            "circular" => Self::Circular,
            "complete" => Self::Complete,
            "star" => Self::Star,
            "line" => Self::Line,
            "small-world" => Self::SmallWorld,
            _ => return Err(ShapeError::Unknown { name: name.to_owned() }),
        };
        match parameter {
            None => Ok(plain),
            Some(parameter) => Err(ShapeError::TakesNoNumber { name: name.to_owned(), parameter }),
        }
    }

    /// Draws a connected graph of `nodes` nodes. The same arguments give the same graph.
    ///
    /// # Errors
    /// [`ShapeError`] when there are no nodes, or a parameter was given that cannot be.
    pub fn draw(self, nodes: usize, seed: u64) -> Result<Drawn, ShapeError> {
        if nodes == 0 {
            return Err(ShapeError::NoNodes);
        }
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let plain = |label: &str, graph| {
            let label = label.to_owned();
            Drawn { graph, label, note: None, mends: false }
        };
        Ok(match self {
            Self::Random { degree } => draw_random(degree, nodes, rng)?,
            Self::Powerlaw { edges } => draw_powerlaw(edges, nodes, rng)?,
            Self::Turan { parts } => draw_turan(parts, nodes)?,
            Self::Circular => plain("circular", draw::circular(nodes)),
            Self::Complete => plain("complete", draw::turan(nodes, nodes)),
            Self::Star => plain("star", draw::star(nodes)),
            Self::Line => plain("line", draw::line(nodes)),
            Self::SmallWorld => {
                Drawn { mends: true, ..plain("small-world", draw::small_world(nodes, rng)) }
            }
        })
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self::Random { degree: None }
    }
}

impl fmt::Display for Shape {
    /// The name on the command line, without the parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Random { .. } => "random",
            Self::Circular => "circular",
            Self::Powerlaw { .. } => "powerlaw",
            Self::Turan { .. } => "turan",
            Self::Complete => "complete",
            Self::Star => "star",
            Self::Line => "line",
            Self::SmallWorld => "small-world",
        })
    }
}

fn draw_random(
    given: Option<usize>,
    nodes: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Drawn, ShapeError> {
    let degree = match given {
        None => fitting_degree(nodes),
        Some(0) => return Err(ShapeError::DegreeZero),
        Some(degree) if degree >= nodes => return Err(ShapeError::DegreeTooHigh { degree, nodes }),
        Some(degree) if degree % 2 == 1 && nodes % 2 == 1 => {
            return Err(ShapeError::DegreeOdd { degree, nodes });
        }
        Some(1) if nodes > 2 => return Err(ShapeError::DegreeOne { nodes }),
        Some(degree) => degree,
    };
    Ok(Drawn {
        graph: draw::random_regular(nodes, degree, rng),
        label: format!("random, degree {degree}"),
        note: note(given, "degree", DEGREE, degree, nodes),
        mends: true,
    })
}

fn draw_powerlaw(
    given: Option<usize>,
    nodes: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Drawn, ShapeError> {
    let edges = match given {
        None => EDGES.min(nodes - 1),
        Some(0) => return Err(ShapeError::EdgesZero),
        Some(edges) if edges >= nodes => return Err(ShapeError::EdgesTooMany { edges, nodes }),
        Some(edges) => edges,
    };
    Ok(Drawn {
        graph: draw::powerlaw(nodes, edges, rng),
        label: format!("powerlaw, {edges} edges per newcomer"),
        note: note(given, "edges per newcomer", EDGES, edges, nodes),
        mends: true,
    })
}

fn draw_turan(given: Option<usize>, nodes: usize) -> Result<Drawn, ShapeError> {
    let parts = match given {
        None => PARTS.min(nodes),
        Some(0) => return Err(ShapeError::PartsZero),
        Some(1) if nodes > 1 => return Err(ShapeError::PartsOne { nodes }),
        Some(parts) if parts > nodes => return Err(ShapeError::PartsTooMany { parts, nodes }),
        Some(parts) => parts,
    };
    Ok(Drawn {
        graph: draw::turan(nodes, parts),
        label: format!("turan, {parts} {}", if parts == 1 { "part" } else { "parts" }),
        note: note(given, "parts", PARTS, parts, nodes),
        mends: false,
    })
}

/// The default degree where it is possible. Where the links do not come out even it is one more,
/// because a link too many harms less than one too few.
fn fitting_degree(nodes: usize) -> usize {
    let even = if nodes.is_multiple_of(2) { DEGREE } else { DEGREE + 1 };
    even.min(nodes - 1)
}

/// The sentence for a user who gave nothing and got something other than the default.
fn note(
    given: Option<usize>,
    word: &str,
    default: usize,
    used: usize,
    nodes: usize,
) -> Option<String> {
    (given.is_none() && used != default)
        .then(|| format!("{word} {used} instead of {default}, because there {}", are(nodes)))
}

const DEGREE: usize = 3;
const EDGES: usize = 3;
const PARTS: usize = 4;
