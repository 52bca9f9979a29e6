//! The neighbours of a topology that is not open.

use std::collections::BTreeMap;

use multiaddr::Multiaddr;

use crate::base::id::NodeId;

/// Who is a neighbour, and who was one until it left.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    neighbours: BTreeMap<NodeId, Vec<Multiaddr>>,
    former: BTreeMap<NodeId, Vec<Multiaddr>>,
}

impl Fixed {
    pub fn new(neighbours: BTreeMap<NodeId, Vec<Multiaddr>>) -> Self {
        Self { neighbours, former: BTreeMap::new() }
    }

    pub fn has(&self, peer: NodeId) -> bool {
        self.neighbours.contains_key(&peer)
    }

    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &[Multiaddr])> {
        self.neighbours.iter().map(|(peer, places)| (*peer, places.as_slice()))
    }

    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.neighbours.keys().copied()
    }

    /// It left: no neighbour until it comes back in a new life. True when it was one.
    pub fn part(&mut self, peer: NodeId) -> bool {
        let left = self.neighbours.remove_entry(&peer);
        let was = left.is_some();
        self.former.extend(left);
        was
    }

    /// It is back in a new life; its addresses when it was a neighbour before.
    pub fn rejoin(&mut self, peer: NodeId) -> Option<Vec<Multiaddr>> {
        let places = self.former.remove(&peer)?;
        self.neighbours.insert(peer, places.clone());
        Some(places)
    }

    /// It is a neighbour from now on, at the addresses of its card.
    pub fn adopt(&mut self, peer: NodeId) {
        let places = self.former.remove(&peer).unwrap_or_default();
        self.neighbours.entry(peer).or_insert(places);
    }

    /// It is to be forgotten. True when it was a neighbour.
    pub fn forget(&mut self, peer: NodeId) -> bool {
        self.former.remove(&peer);
        self.neighbours.remove(&peer).is_some()
    }
}
