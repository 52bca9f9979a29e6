//! Promises about the ways messages took, kept by real nodes on loopback.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::collections::BTreeSet;
use std::time::Duration;

use gossip_mesh::{Node, NodeId, Paths, Query, Topic};
use nodes::{CLOCKS, all_read, graph, leave, next, within};

const COUNT: Topic<u32> = Topic::new("count");

/// The ways of the only message, as numbers of nodes, when there are `count` of them.
async fn ways(nodes: &[Node], at: usize, count: usize) -> Vec<Vec<usize>> {
    let number = |id: NodeId| nodes.iter().position(|node| node.id() == id).unwrap();
    let mut found = Vec::new();
    within("all ways", async {
        loop {
            let query = Query { paths: Paths::All, peek: true, ..Query::default() };
            let messages = nodes[at].messages(query).await.unwrap();
            let ways = messages.first().map(|message| message.ways.clone()).unwrap_or_default();
            if ways.len() >= count {
                assert!(ways.iter().all(|way| way.complete), "{ways:?}");
                for way in ways {
                    let times: Vec<_> = way.hops.iter().map(|hop| hop.at).collect();
                    let goes_on = times.windows(2).all(|pair| pair[0].0 <= pair[1].0 + CLOCKS);
                    assert!(goes_on, "time goes on along a way: {times:?}");
                    found.push(way.hops.iter().map(|hop| number(hop.node)).collect());
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    found
}

#[tokio::test]
async fn on_a_line_the_way_is_the_line() {
    let edges: Vec<(u8, u8)> = (0..5).map(|n| (n, n + 1)).collect();
    let line = graph(6, &edges).await;
    let mut readers = all_read(&line, &COUNT).await;
    line[0].publish(COUNT, &1).await.unwrap();
    for reader in &mut readers {
        assert_eq!(next(reader).await, 1);
    }
    assert_eq!(ways(&line, 5, 1).await, [vec![0, 1, 2, 3, 4, 5]]);
    assert_eq!(ways(&line, 2, 1).await, [vec![0, 1, 2]]);
    drop(readers);
    leave(line).await;
}

#[tokio::test]
async fn on_a_ring_every_way_is_a_walk_of_it_and_visits_no_node_twice() {
    let edges: Vec<(u8, u8)> = (0..6).map(|n| (n, (n + 1) % 6)).collect();
    let ring = graph(6, &edges).await;
    let mut readers = all_read(&ring, &COUNT).await;
    ring[0].publish(COUNT, &1).await.unwrap();
    for reader in &mut readers {
        assert_eq!(next(reader).await, 1);
    }
    // Opposite to the author copies come from both sides.
    let mut both = ways(&ring, 3, 2).await;
    both.sort();
    assert_eq!(both, [vec![0, 1, 2, 3], vec![0, 5, 4, 3]]);
    for at in 1..6 {
        for way in ways(&ring, at, 1).await {
            let is_edge =
                |pair: &[usize]| (pair[0] + 1) % 6 == pair[1] || (pair[1] + 1) % 6 == pair[0];
            assert!(way.windows(2).all(is_edge), "{way:?} is no walk of the ring");
            assert_eq!((way.first(), way.last()), (Some(&0), Some(&at)));
            assert_eq!(way.iter().collect::<BTreeSet<_>>().len(), way.len(), "{way:?}");
        }
    }
    drop(readers);
    leave(ring).await;
}

#[tokio::test]
async fn in_a_ring_of_eight_with_a_dead_one_all_seven_others_get_the_message() {
    let edges: Vec<(u8, u8)> = (0..8).map(|n| (n, (n + 1) % 8)).collect();
    let mut ring = graph(8, &edges).await;
    let mut readers = all_read(&ring, &COUNT).await;
    drop(readers.remove(3));
    drop(ring.remove(3));
    ring[0].publish(COUNT, &1).await.unwrap();
    for reader in &mut readers {
        assert_eq!(next(reader).await, 1);
    }
    assert_eq!(readers.len(), 7);
    drop(readers);
    leave(ring).await;
}
