//! The tree for programs.

use gossip_mesh::NodeId;
use serde_json::{Value, json};

use super::tree::{Branch, Spread};

/// The tree as data. `number` is the number of a node in its network.
pub fn json(spread: &Spread, number: &dyn Fn(NodeId) -> Option<usize>) -> Value {
    let branches = spread.branches();
    let named = |nodes: &[NodeId]| -> Vec<Value> {
        nodes.iter().map(|id| json!({ "node": number(*id), "peer_id": id })).collect()
    };
    let row = |branch: &Branch| {
        json!({
            "node": number(branch.node),
            "peer_id": branch.node,
            "from": branch.from.map(|from| json!({ "node": number(from), "peer_id": from })),
            "hops": branch.depth,
            "at_us": branch.at_us,
            "edge_us": branch.edge_us,
            "copies": branch.copies,
            "holds": branch.holds,
        })
    };
    json!({
        "id": spread.id,
        "trace": spread.id.trace().to_string(),
        "sent_us": spread.sent_us,
        "last_us": spread.last_us(),
        "holders": spread.holders(),
        "readers": spread.readers(),
        "copies_per_node": spread.copies_per_node(),
        "nodes": branches.iter().map(row).collect::<Vec<_>>(),
        "missing": named(&spread.missing),
        "silent": named(&spread.silent),
    })
}
