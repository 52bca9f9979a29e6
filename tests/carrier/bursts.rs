//! Many messages at once, through a graph of relays. On a busy machine, when gossipsub drops what
//! waited for 1 s (its default), 193 of 200 came, and 627 and 1,134 of 2,000.

use crate::lab::{self, LOAD, PROBE, assert_all, load, ready, take};

/// A connected graph where every node has three edges, with two hops to most.
const GRAPH: [(usize, usize); 24] = [
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (4, 5),
    (5, 6),
    (6, 7),
    (7, 8),
    (8, 9),
    (9, 10),
    (10, 11),
    (11, 12),
    (12, 13),
    (13, 14),
    (14, 15),
    (15, 0),
    (0, 5),
    (1, 9),
    (2, 12),
    (3, 14),
    (4, 10),
    (6, 13),
    (7, 11),
    (8, 15),
];

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_messages_at_once_reach_sixteen_nodes() {
    burst(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_messages_at_once_reach_sixteen_nodes() {
    burst(2_000).await;
}

async fn burst(count: u32) {
    let nodes = lab::fixed(16, &GRAPH, &lab::lab()).await;
    let mut subscriptions = Vec::new();
    for node in &nodes[1..] {
        subscriptions.push(node.subscribe(LOAD).await.expect("it runs"));
    }
    ready(&nodes[0], &LOAD, &load(PROBE, 4), 15).await;
    let topic = nodes[0].topic(LOAD);
    let publish = |number| {
        let topic = &topic;
        async move { topic.publish(&load(number, 64)).await }
    };
    let sent = futures::future::join_all((0..count).map(publish)).await;
    let refused: Vec<_> = sent.iter().enumerate().filter(|(_, sent)| sent.is_err()).collect();
    let stats = nodes[0].overview().await.expect("it runs").stats.topic;
    assert!(refused.is_empty(), "{} of {count}: {:?} {stats:?}", refused.len(), refused.first());
    let readers = subscriptions.iter_mut().map(|messages| take(messages, count as usize));
    let came = futures::future::join_all(readers).await;
    for (number, came) in came.into_iter().enumerate() {
        assert_all(came, count, &format!("node {}", number + 1));
    }
    lab::leave(nodes).await;
}
