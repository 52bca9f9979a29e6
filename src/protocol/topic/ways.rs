//! The ways messages took, as far as they are known.

use std::sync::Arc;

use hashlink::LruCache;

use super::received::Way;
use super::record::Key;
use super::wire::Hop;
use crate::base::id::NodeId;

/// Longest way that is believed. A question travels at most `trace::BUDGET` nodes further.
pub(crate) const MAX_HOPS: usize = 128;

/// Most ways remembered. (Guess: 1,000 kept messages of 4 copies each; at 10 hops about 4 MB.)
const MAX_WAYS: usize = 4_096;

/// The first ways of other nodes, as they told them. Only whole ones: they never change.
#[derive(Debug)]
pub(crate) struct KnownWays(LruCache<(Key, NodeId), Arc<[Hop]>>);

impl KnownWays {
    pub(crate) fn new() -> Self {
        Self(LruCache::new(MAX_WAYS))
    }

    pub(crate) fn get(&mut self, key: Key, node: NodeId) -> Option<Arc<[Hop]>> {
        self.0.get(&(key, node)).cloned()
    }

    pub(crate) fn insert(&mut self, key: Key, node: NodeId, way: Arc<[Hop]>) {
        self.0.insert((key, node), way);
    }
}

/// Whether a node may have been told this of itself: it is the last, and nobody is there twice.
pub(crate) fn is_way_of(node: NodeId, hops: &[Hop]) -> bool {
    hops.len() <= MAX_HOPS
        && hops.last().is_some_and(|hop| hop.node == node)
        && hops.iter().enumerate().all(|(i, hop)| !is_in(hop.node, hops.get(..i).unwrap_or(&[])))
}

/// Whether the way begins where the message did.
pub(crate) fn is_whole(author: NodeId, hops: &[Hop]) -> bool {
    hops.first().is_some_and(|hop| hop.node == author)
}

/// Whether the node is on the way.
pub(crate) fn is_in(node: NodeId, hops: &[Hop]) -> bool {
    hops.iter().any(|hop| hop.node == node)
}

/// The ways of one message, in the order of its copies, put in order for the user: each once, the
/// first copy's first, then whole ones before others, then the shorter before the longer.
pub(crate) fn in_order(ways: impl IntoIterator<Item = Way>) -> Vec<Way> {
    let mut unique: Vec<Way> = Vec::new();
    for way in ways {
        if !unique.iter().any(|other| same_nodes(other, &way)) {
            unique.push(way);
        }
    }
    if let Some((_, further)) = unique.split_first_mut() {
        further.sort_by_key(|way| (!way.complete, way.hops.len()));
    }
    unique
}

fn same_nodes(a: &Way, b: &Way) -> bool {
    a.hops.iter().map(|hop| hop.node).eq(b.hops.iter().map(|hop| hop.node))
}
