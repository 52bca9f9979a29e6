//! The tree of first copies.

use std::collections::{BTreeMap, BTreeSet};

use gossip_mesh::api::MessageView;
use gossip_mesh::{MessageId, NodeId};

/// How a message spread, as far as the nodes that were asked know.
#[derive(Clone, Debug)]
pub struct Spread {
    /// The message.
    pub id: MessageId,
    /// What it says; any bytes.
    pub payload: Vec<u8>,
    /// When it was sent: microseconds since 1970, by the author's clock.
    pub sent_us: u64,
    /// Nodes that read its topic and do not have it, by rising id.
    pub missing: Vec<NodeId>,
    /// Nodes that did not answer, by rising id.
    pub silent: Vec<NodeId>,
    stops: BTreeMap<NodeId, Stop>,
}

/// A node to which the message came.
#[derive(Clone, Debug, Default)]
struct Stop {
    /// Who brought the first copy; `None` of the author, and where that is not known.
    from: Option<NodeId>,
    at_us: u64,
    copies: usize,
    holds: bool,
}

/// A node to which the message came, with its place in the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Branch {
    /// Which node.
    pub node: NodeId,
    /// Who brought it the first copy; `None` for the author, and where that is not known.
    pub from: Option<NodeId>,
    /// Nodes between it and the root of its tree, and one; 0 for the root.
    pub depth: usize,
    /// When the first copy came, by this node's clock; of the author, when it was sent.
    pub at_us: u64,
    /// From the one before to this one, in microseconds. Below zero where clocks differ.
    pub edge_us: Option<i64>,
    /// Copies that came, each by a way of its own; 0 of the author and of nodes that were not
    /// asked.
    pub copies: usize,
    /// It keeps the message. Others only passed it on.
    pub holds: bool,
    /// It is the last of those that have their first copy from the same node.
    pub is_last: bool,
}

impl Spread {
    /// A message of which one node says this.
    pub fn new(message: &MessageView) -> Self {
        let author = Stop { at_us: message.sent_us, ..Stop::default() };
        Self {
            id: message.id.clone(),
            payload: message.payload(),
            sent_us: message.sent_us,
            missing: Vec::new(),
            silent: Vec::new(),
            stops: BTreeMap::from([(message.id.author, author)]),
        }
    }

    /// Takes what a node that keeps the message says of it.
    pub fn add(&mut self, node: NodeId, message: &MessageView) {
        for way in &message.ways {
            let mut from = None;
            for hop in way.hops.iter().filter(|hop| hop.node != node) {
                // What the node itself says prevails over what it told others.
                let stop = Stop { from, at_us: hop.at.0, ..Stop::default() };
                self.stops.entry(hop.node).or_insert(stop);
                from = Some(hop.node);
            }
        }
        let first = message.ways.first();
        let before = first.and_then(|way| way.hops.iter().rev().nth(1)).map(|hop| hop.node);
        let is_author = node == self.id.author;
        let stop = Stop {
            from: before.filter(|_| !is_author),
            at_us: if is_author { self.sent_us } else { message.received_us },
            copies: if is_author { 0 } else { message.ways.len() },
            holds: true,
        };
        self.stops.insert(node, stop);
    }

    /// How many nodes keep it.
    pub fn holders(&self) -> usize {
        self.stops.values().filter(|stop| stop.holds).count()
    }

    /// How many nodes should.
    pub fn readers(&self) -> usize {
        self.holders() + self.missing.len()
    }

    /// From its sending to its coming to the last node, in microseconds.
    pub fn last_us(&self) -> u64 {
        let last = self.stops.values().map(|stop| stop.at_us).max();
        last.unwrap_or(self.sent_us).saturating_sub(self.sent_us)
    }

    /// Copies that came to a node in the mean, the author aside.
    #[expect(clippy::cast_precision_loss, reason = "a mean of small numbers")]
    pub fn copies_per_node(&self) -> f64 {
        let copies: Vec<usize> =
            self.stops.values().map(|stop| stop.copies).filter(|copies| *copies > 0).collect();
        copies.iter().sum::<usize>() as f64 / copies.len().max(1) as f64
    }

    /// All nodes it came to: each after the one it came from, in the order of their first copies.
    /// The author's tree is first; a tree without it misses its beginning.
    pub fn branches(&self) -> Vec<Branch> {
        let mut children: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        let mut roots = vec![self.id.author];
        for (node, stop) in &self.stops {
            match stop.from.filter(|from| self.stops.contains_key(from)) {
                Some(from) => children.entry(from).or_default().push(*node),
                None if *node != self.id.author => roots.push(*node),
                None => {}
            }
        }
        for nodes in children.values_mut() {
            nodes.sort_by_key(|node| (self.stops.get(node).map(|stop| stop.at_us), *node));
        }
        let mut seen = BTreeSet::new();
        let mut branches = Vec::new();
        // What nodes say of each other may be a circle; then it begins somewhere.
        for root in roots.into_iter().chain(self.stops.keys().copied()) {
            self.grow(root, &children, &mut seen, &mut branches);
        }
        branches
    }

    fn grow(
        &self,
        root: NodeId,
        children: &BTreeMap<NodeId, Vec<NodeId>>,
        seen: &mut BTreeSet<NodeId>,
        branches: &mut Vec<Branch>,
    ) {
        let mut next = vec![(root, 0, true)];
        while let Some((node, depth, is_last)) = next.pop() {
            let Some(stop) = self.stops.get(&node) else { continue };
            if !seen.insert(node) {
                continue;
            }
            let from = stop.from.filter(|_| depth > 0);
            let before = from.and_then(|from| self.stops.get(&from));
            let edge_us = before.map(|before| difference(stop.at_us, before.at_us));
            let Stop { at_us, copies, holds, .. } = *stop;
            branches.push(Branch { node, from, depth, at_us, edge_us, copies, holds, is_last });
            let below = children.get(&node).map_or(&[][..], Vec::as_slice);
            let below = below.iter().rev().enumerate();
            next.extend(below.map(|(place, child)| (*child, depth + 1, place == 0)));
        }
    }
}

fn difference(later: u64, earlier: u64) -> i64 {
    let size = i64::try_from(later.abs_diff(earlier)).unwrap_or(i64::MAX);
    if later >= earlier { size } else { -size }
}
