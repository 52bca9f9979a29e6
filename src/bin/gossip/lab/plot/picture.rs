//! What is to be seen, before anything is drawn.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::lab::graph::Graph;
use crate::lab::layout::{Layout, Point};
use crate::render::paint::Paint;

/// How a node stands, as seen by the node that was asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Takes part.
    Alive,
    /// Did not answer; the verdict is open.
    Suspected,
    /// Not reached from where the picture is taken.
    Unreachable,
    /// Declared down by a quorum.
    Down,
    /// Said goodbye.
    Left,
}

/// A node of a picture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PicturedNode {
    /// The number people know it by; unique in the picture.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Its PeerId in base58; empty when it is not known.
    pub peer_id: String,
    /// How it stands.
    pub standing: Standing,
}

/// A network with a place for every node.
#[derive(Clone, Debug)]
pub struct Picture {
    title: String,
    nodes: Vec<PicturedNode>,
    points: Vec<Point>,
    graph: Graph,
    diameter: Option<usize>,
}

impl Picture {
    /// A picture of these nodes, sorted by number, and these links between node *numbers*.
    ///
    /// A second node with a number that is taken is left out. So are links to numbers that are not
    /// there, to oneself, and the second mention of a link.
    pub fn new(
        title: impl Into<String>,
        nodes: impl IntoIterator<Item = PicturedNode>,
        links: impl IntoIterator<Item = (usize, usize)>,
        layout: Layout,
    ) -> Self {
        let mut by_number = BTreeMap::new();
        for node in nodes {
            by_number.entry(node.number).or_insert(node);
        }
        let index: BTreeMap<usize, usize> =
            by_number.keys().enumerate().map(|(index, &number)| (number, index)).collect();
        let links = links
            .into_iter()
            .filter_map(|(a, b)| Some((index.get(&a).copied()?, index.get(&b).copied()?)));
        let graph = Graph::with_links(index.len(), links);
        let points = layout.place(&graph);
        let nodes: Vec<PicturedNode> = by_number.into_values().collect();
        let diameter = diameter_of_present(&nodes, &graph);
        Self { title: title.into(), nodes, points, graph, diameter }
    }

    /// What the caller calls it, e.g. network and shape.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The facts under the title: `16 nodes · 24 links · diameter 4`.
    pub fn facts(&self) -> String {
        let (nodes, links) = (self.nodes.len(), self.graph.edge_count());
        let diameter = match self.diameter() {
            Some(diameter) => format!("diameter {diameter}"),
            None => "not connected".to_owned(),
        };
        format!(
            "{nodes} {} · {links} {} · {diameter}",
            if nodes == 1 { "node" } else { "nodes" },
            if links == 1 { "link" } else { "links" },
        )
    }

    /// The greatest distance between two of the nodes that have not gone (down, left), over such
    /// nodes only; `None` when some of them do not reach each other.
    pub fn diameter(&self) -> Option<usize> {
        self.diameter
    }

    /// Links as pairs of node numbers, the lower first, in rising order.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.graph.edges().map(|(a, b)| (self.nodes[a].number, self.nodes[b].number))
    }

    /// Each node with its place in the unit square, by rising number.
    pub(super) fn placed(&self) -> impl Iterator<Item = (&PicturedNode, Point)> + '_ {
        self.nodes.iter().zip(self.points.iter().copied())
    }

    /// Both ends of each link, in the order of [`Picture::links`].
    pub(super) fn placed_links(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.graph.edges().map(|(a, b)| (self.points[a], self.points[b]))
    }

    /// The links as positions in [`Picture::placed`].
    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// How many nodes stand how, for the standings that occur.
    pub(super) fn census(&self) -> BTreeMap<Standing, usize> {
        let mut census = BTreeMap::new();
        for node in &self.nodes {
            *census.entry(node.standing).or_insert(0) += 1;
        }
        census
    }
}

impl Standing {
    /// Whether nobody counts on the node any more.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Down | Self::Left)
    }

    /// Its colour wherever the terminal shows one.
    pub fn paint(self) -> Paint {
        match self {
            Self::Alive => Paint::Blue,
            Self::Suspected => Paint::Yellow,
            Self::Unreachable => Paint::Magenta,
            Self::Down => Paint::Red,
            Self::Left => Paint::Dim,
        }
    }

    /// The letter behind its number in a terminal.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Alive => "",
            Self::Suspected => "?",
            Self::Unreachable => "~",
            Self::Down => "x",
            Self::Left => "-",
        }
    }

    /// The word for it, as in `status --json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspected => "suspected",
            Self::Unreachable => "unreachable",
            Self::Down => "down",
            Self::Left => "left",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Not one of the five standings.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no standing: it is alive, suspected, unreachable, down or left")]
pub struct UnknownStanding(String);

impl FromStr for Standing {
    type Err = UnknownStanding;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Alive, Self::Suspected, Self::Unreachable, Self::Down, Self::Left]
            .into_iter()
            .find(|standing| standing.as_str() == word)
            .ok_or_else(|| UnknownStanding(word.to_owned()))
    }
}

/// The diameter over the nodes that have not gone.
fn diameter_of_present(nodes: &[PicturedNode], graph: &Graph) -> Option<usize> {
    let mut present = graph.clone();
    for (index, node) in nodes.iter().enumerate() {
        if node.standing.is_gone() {
            present.remove_node(index);
        }
    }
    present.diameter()
}
