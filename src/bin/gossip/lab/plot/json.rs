//! The picture as data: `{title, nodes: [{number, name, peer_id, state, x, y}], edges: [[a, b]],
//! diameter}`. Places are in the unit square, y downwards; `diameter` is null when the network is
//! in pieces.

use serde_json::json;

use super::Picture;

pub(super) fn write(picture: &Picture) -> String {
    let nodes: Vec<_> = picture
        .placed()
        .map(|(node, point)| {
            json!({
                "number": node.number,
                "name": node.name,
                "peer_id": node.peer_id,
                "state": node.standing,
                "x": round(point.x),
                "y": round(point.y),
            })
        })
        .collect();
    let edges: Vec<_> = picture.links().map(|(a, b)| [a, b]).collect();
    let document = json!({
        "title": picture.title(),
        "nodes": nodes,
        "edges": edges,
        "diameter": picture.diameter(),
    });
    format!("{document:#}\n")
}

/// Four digits: finer than any pixel, and the same on every machine.
fn round(at: f64) -> f64 {
    (at * 1e4).round() / 1e4
}
