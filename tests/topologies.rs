//! Shapes of networks, kept by real nodes on loopback: what is published anywhere comes to all, by
//! ways the shape allows, and what was split comes together again.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Degrees, Node, NodeId, Paths, Query, Subscription, Topic, Topology};
use nodes::{address, all_read, eventually, graph, key, lab, leave, linked, next, rewire, within};

const COUNT: Topic<u32> = Topic::new("count");

type Edge = (u8, u8);

/// Every node publishes its number, and every node receives every number once.
async fn all_hear_all(nodes: &[Node], readers: &mut [Subscription<u32>]) {
    for (number, node) in (0..).zip(nodes) {
        node.publish(COUNT, &number).await.unwrap();
    }
    let all: Vec<u32> = (0..).take(nodes.len()).collect();
    for (at, reader) in readers.iter_mut().enumerate() {
        let mut heard = nodes::take(reader, nodes.len()).await;
        heard.sort_unstable();
        assert_eq!(heard, all, "at node {at}");
    }
}

/// Steps between each two nodes along the edges.
fn distances(count: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let far = count;
    let mut steps = vec![vec![far; count]; count];
    (0..count).for_each(|node| steps[node][node] = 0);
    for (a, b) in edges {
        let (a, b) = (usize::from(*a), usize::from(*b));
        (steps[a][b], steps[b][a]) = (1, 1);
    }
    for over in 0..count {
        for a in 0..count {
            for b in 0..count {
                steps[a][b] = steps[a][b].min(steps[a][over] + steps[over][b]);
            }
        }
    }
    steps
}

/// The ways of every message at a node, by its author, once each is known from end to end.
async fn ways(nodes: &[Node], at: usize) -> BTreeMap<usize, Vec<Vec<usize>>> {
    let number = |id: NodeId| nodes.iter().position(|node| node.id() == id).unwrap();
    within("all ways", async {
        loop {
            let query = Query { paths: Paths::All, peek: true, ..Query::default() };
            let messages = nodes[at].messages(query).await.unwrap();
            let known = messages.iter().all(|message| {
                !message.ways.is_empty() && message.ways.iter().all(|way| way.complete)
            });
            if known && messages.len() == nodes.len() {
                let hops =
                    |way: &gossip_mesh::Way| way.hops.iter().map(|hop| number(hop.node)).collect();
                let ways = |message: &gossip_mesh::Message| message.ways.iter().map(hops).collect();
                return messages.iter().map(|kept| (number(kept.id.author), ways(kept))).collect();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// A shape: all hear all, and every way is a walk along its edges that visits no node twice. In a
/// tree there is one such walk, and it is as long as the nodes are apart.
async fn holds(count: u8, edges: &[Edge]) {
    let nodes = graph(count, edges).await;
    let mut readers = all_read(&nodes, &COUNT).await;
    all_hear_all(&nodes, &mut readers).await;
    let distances = distances(nodes.len(), edges);
    let is_tree = edges.len() + 1 == nodes.len();
    for (at, row) in distances.iter().enumerate() {
        let ways = ways(&nodes, at).await;
        assert_eq!(ways.len(), nodes.len(), "at node {at}");
        for (author, way) in
            ways.iter().flat_map(|(author, ways)| ways.iter().map(move |w| (*author, w)))
        {
            assert_eq!((way.first(), way.last()), (Some(&author), Some(&at)), "{way:?}");
            assert!(way.windows(2).all(|pair| distances[pair[0]][pair[1]] == 1), "{way:?}");
            assert_eq!(way.iter().collect::<BTreeSet<_>>().len(), way.len(), "{way:?}");
            let steps = way.len() - 1;
            assert!(steps >= row[author] && (!is_tree || steps == row[author]), "{way:?}");
        }
    }
    drop(readers);
    leave(nodes).await;
}

#[tokio::test]
async fn a_line_passes_everything_from_end_to_end() {
    let edges: Vec<Edge> = (0..5).map(|n| (n, n + 1)).collect();
    holds(6, &edges).await;
}

#[tokio::test]
async fn a_star_passes_everything_through_its_middle() {
    let edges: Vec<Edge> = (1..7).map(|n| (0, n)).collect();
    holds(7, &edges).await;
}

#[tokio::test]
async fn a_ring_passes_everything_both_ways_round() {
    let edges: Vec<Edge> = (0..6).map(|n| (n, (n + 1) % 6)).collect();
    holds(6, &edges).await;
}

#[tokio::test]
async fn a_diamond_passes_everything_by_either_side() {
    holds(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).await;
}

/// Two sources, two sinks, one edge in the middle that all must share, and an edge past it each.
#[tokio::test]
async fn a_butterfly_passes_everything_through_its_body_and_along_its_wings() {
    holds(6, &[(0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (0, 4), (1, 5)]).await;
}

/// Publishes until it is known that all others have it; each of them then receives it.
async fn reaches_all(from: &Node, others: usize, value: u32) {
    eventually("a message reaches all", || async {
        let sent = from.publish(COUNT, &value).confirmed(Duration::from_secs(2)).await.unwrap();
        sent.report.missing.is_empty() && sent.report.holders.len() > others
    })
    .await;
}

/// Reads up to a value; what comes before it is of the time before.
async fn reads(reader: &mut Subscription<u32>, value: u32) {
    while next(reader).await != value {}
}

#[tokio::test]
async fn two_halves_split_by_rewiring_talk_apart_and_healed_talk_together() {
    let halves: [Edge; 6] = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)];
    let whole: Vec<Edge> = halves.into_iter().chain([(2, 3)]).collect();
    let nodes = graph(6, &whole).await;
    let mut readers = all_read(&nodes, &COUNT).await;
    all_hear_all(&nodes, &mut readers).await;

    rewire(&nodes, &halves).await;
    eventually("the bridge is gone", || async {
        !nodes::are_neighbours(&nodes[2], nodes[3].id()).await
            && !nodes::are_neighbours(&nodes[3], nodes[2].id()).await
    })
    .await;
    nodes[0].publish(COUNT, &100).await.unwrap();
    nodes[5].publish(COUNT, &200).await.unwrap();
    for (number, reader) in readers.iter_mut().enumerate() {
        assert_eq!(next(reader).await, if number < 3 { 100 } else { 200 });
        assert!(futures::poll!(reader.next()).is_pending(), "nothing comes across");
    }

    rewire(&nodes, &whole).await;
    linked(&nodes[2], &nodes[3]).await;
    for (from, value) in [(0, 300), (5, 400)] {
        reaches_all(&nodes[from], 5, value).await;
        for reader in &mut readers {
            reads(reader, value).await;
        }
    }
    drop(readers);
    leave(nodes).await;
}

#[tokio::test]
async fn a_line_whose_middle_stops_is_two_and_one_again_when_it_is_back() {
    let edges: Vec<Edge> = (0..4).map(|n| (n, n + 1)).collect();
    let mut nodes = graph(5, &edges).await;
    let mut readers = all_read(&nodes, &COUNT).await;
    all_hear_all(&nodes, &mut readers).await;

    let (middle, ears) = (nodes.remove(2), readers.remove(2));
    drop(ears);
    middle.leave().await.unwrap();
    nodes[0].publish(COUNT, &100).await.unwrap();
    nodes[3].publish(COUNT, &200).await.unwrap();
    for (number, reader) in readers.iter_mut().enumerate() {
        assert_eq!(next(reader).await, if number < 2 { 100 } else { 200 });
        assert!(futures::poll!(reader.next()).is_pending(), "nothing comes across");
    }

    let mut config = lab();
    let mut neighbours = BTreeMap::new();
    for node in &nodes[1..3] {
        neighbours.insert(node.id(), vec![address(node).await]);
    }
    config.topology = Topology::Fixed(neighbours);
    let middle = Node::builder().config(config).key(key(3)).spawn().await.unwrap();
    let mut ears = middle.subscribe(COUNT).await.unwrap();
    linked(&middle, &nodes[1]).await;
    linked(&middle, &nodes[2]).await;
    reaches_all(&nodes[0], 4, 300).await;
    reaches_all(&nodes[3], 4, 400).await;
    for reader in readers.iter_mut().chain([&mut ears]) {
        reads(reader, 400).await;
    }
    drop((readers, ears));
    nodes.push(middle);
    leave(nodes).await;
}

#[tokio::test]
async fn a_mending_ring_that_loses_two_opposite_nodes_closes_again() {
    let edges: Vec<Edge> = (0..8).map(|n| (n, (n + 1) % 8)).collect();
    let mut nodes = Vec::new();
    for n in 0..8 {
        let mut config = lab();
        config.discovery.mend_after = Duration::from_millis(300);
        config.topology = Topology::Fixed(BTreeMap::new());
        nodes.push(Node::builder().config(config).key(key(n + 1)).spawn().await.unwrap());
    }
    for (n, node) in nodes.iter().enumerate() {
        let mut neighbours = BTreeMap::new();
        for other in [(n + 1) % 8, (n + 7) % 8] {
            neighbours.insert(nodes[other].id(), vec![address(&nodes[other]).await]);
        }
        let degrees = Degrees { min: 2, max: 2 };
        node.rewire(Topology::Mending { neighbours, degrees }).await.unwrap();
    }
    for (a, b) in &edges {
        linked(&nodes[usize::from(*a)], &nodes[usize::from(*b)]).await;
    }
    let mut readers = all_read(&nodes, &COUNT).await;
    all_hear_all(&nodes, &mut readers).await;
    // Without a word.
    for lost in [6, 2] {
        drop(readers.remove(lost));
        drop(nodes.remove(lost));
    }
    eventually("the ring is closed", || async {
        let mut twos = 0;
        for node in &nodes {
            let peers = node.peers().await.unwrap();
            let neighbours = peers.iter().filter(|peer| peer.linked && peer.neighbour);
            twos += usize::from(neighbours.count() == 2);
        }
        twos == nodes.len()
    })
    .await;
    let living: BTreeSet<NodeId> = nodes.iter().map(Node::id).collect();
    eventually("a message reaches all that live", || async {
        let sent = nodes[0].publish(COUNT, &900).confirmed(Duration::from_secs(1)).await.unwrap();
        living.is_subset(&sent.report.holders.iter().copied().collect())
    })
    .await;
    for reader in &mut readers {
        reads(reader, 900).await;
    }
    drop(readers);
    leave(nodes).await;
}
