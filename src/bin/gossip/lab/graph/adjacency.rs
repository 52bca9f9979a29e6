//! The graph itself.

use std::collections::{BTreeMap, VecDeque};

/// A simple undirected graph. Nodes are numbers from 0; a removed node leaves a hole, the others
/// keep their numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Graph {
    /// Every node with its neighbours, sorted; each link is in the lists of both its ends.
    adjacency: BTreeMap<usize, Vec<usize>>,
}

impl Graph {
    /// A graph of `nodes` nodes, 0 to `nodes - 1`, without links.
    pub fn with_nodes(nodes: usize) -> Self {
        Self { adjacency: (0..nodes).map(|node| (node, Vec::new())).collect() }
    }

    /// A graph of `nodes` nodes with these links. Links of a node with itself or beyond the last
    /// node are left out.
    pub fn with_links(nodes: usize, links: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut graph = Self::with_nodes(nodes);
        for (a, b) in links {
            graph.link(a, b);
        }
        graph
    }

    /// Makes `a` and `b` neighbours. Says whether anything changed: not when they are neighbours
    /// already, are the same node, or one of them is not in the graph.
    pub fn link(&mut self, a: usize, b: usize) -> bool {
        let possible = a != b && self.contains(a) && self.contains(b) && !self.are_linked(a, b);
        if possible {
            self.insert(a, b);
            self.insert(b, a);
        }
        possible
    }

    /// Takes the link between `a` and `b` away. Says whether there was one.
    pub fn unlink(&mut self, a: usize, b: usize) -> bool {
        let linked = self.are_linked(a, b);
        for (from, to) in [(a, b), (b, a)] {
            if let Some(list) = self.adjacency.get_mut(&from) {
                list.retain(|&other| other != to);
            }
        }
        linked
    }

    /// Takes `node` and its links away. Says whether it was there.
    pub fn remove_node(&mut self, node: usize) -> bool {
        let Some(neighbours) = self.adjacency.remove(&node) else { return false };
        for neighbour in neighbours {
            if let Some(list) = self.adjacency.get_mut(&neighbour) {
                list.retain(|&other| other != node);
            }
        }
        true
    }

    /// Whether `node` is in the graph.
    pub fn contains(&self, node: usize) -> bool {
        self.adjacency.contains_key(&node)
    }

    /// Whether `a` and `b` are neighbours.
    pub fn are_linked(&self, a: usize, b: usize) -> bool {
        self.neighbours(a).binary_search(&b).is_ok()
    }

    /// The nodes in rising order.
    pub fn nodes(&self) -> impl Iterator<Item = usize> + '_ {
        self.adjacency.keys().copied()
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.adjacency.len()
    }

    /// The neighbours of `node` in rising order; empty when it has none or is not in the graph.
    pub fn neighbours(&self, node: usize) -> &[usize] {
        self.adjacency.get(&node).map_or(&[], Vec::as_slice)
    }

    /// How many neighbours `node` has.
    pub fn degree(&self, node: usize) -> usize {
        self.neighbours(node).len()
    }

    /// Every link once, the lower node first, in rising order.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.adjacency.iter().flat_map(|(&a, list)| {
            list.iter().copied().filter(move |&b| a < b).map(move |b| (a, b))
        })
    }

    /// How many links there are.
    pub fn edge_count(&self) -> usize {
        self.adjacency.values().map(Vec::len).sum::<usize>() / 2
    }

    /// How many links lie between `start` and each node it reaches, itself (0) included; empty
    /// when `start` is not in the graph.
    pub fn distances_from(&self, start: usize) -> BTreeMap<usize, usize> {
        let mut distances = BTreeMap::new();
        if !self.contains(start) {
            return distances;
        }
        distances.insert(start, 0);
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, distance)) = queue.pop_front() {
            for &next in self.neighbours(node) {
                if let std::collections::btree_map::Entry::Vacant(entry) = distances.entry(next) {
                    entry.insert(distance + 1);
                    queue.push_back((next, distance + 1));
                }
            }
        }
        distances
    }

    /// Whether every node reaches every other. A graph without nodes is connected.
    pub fn is_connected(&self) -> bool {
        self.nodes()
            .next()
            .is_none_or(|first| self.distances_from(first).len() == self.node_count())
    }

    /// The greatest distance between two nodes, in links; `None` when some node does not reach
    /// some other. 0 for one node and for none.
    pub fn diameter(&self) -> Option<usize> {
        let mut diameter = 0;
        for node in self.nodes() {
            let distances = self.distances_from(node);
            if distances.len() < self.node_count() {
                return None;
            }
            diameter = diameter.max(distances.into_values().max().unwrap_or(0));
        }
        Some(diameter)
    }

    fn insert(&mut self, from: usize, to: usize) {
        if let Some(list) = self.adjacency.get_mut(&from)
            && let Err(place) = list.binary_search(&to)
        {
            list.insert(place, to);
        }
    }
}
