//! The graph of neighbours, as the cards tell it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::book::Book;
use crate::base::id::NodeId;

/// How many steps along neighbours lie between this node and each it reaches, itself (0) included.
///
/// An edge counts when the cards of both its ends name it, so that of a dead node, whose card stays
/// as it was, none is left once its neighbours have noticed. The own neighbours are known.
pub(super) fn distances(
    own: NodeId,
    neighbours: &BTreeSet<NodeId>,
    book: &Book,
) -> BTreeMap<NodeId, usize> {
    let mut distances = BTreeMap::from([(own, 0)]);
    distances.extend(neighbours.iter().map(|neighbour| (*neighbour, 1)));
    let mut queue: VecDeque<(NodeId, usize)> = neighbours.iter().map(|peer| (*peer, 1)).collect();
    while let Some((node, distance)) = queue.pop_front() {
        for next in book.card(node).into_iter().flat_map(|card| &card.neighbours) {
            let mutual = book.card(*next).is_some_and(|card| card.neighbours.contains(&node));
            if mutual && !distances.contains_key(next) {
                distances.insert(*next, distance + 1);
                queue.push_back((*next, distance + 1));
            }
        }
    }
    distances
}
