//! Traps of gossipsub's defaults, each under ten times the load that springs it there.
//!
//! | trap | gossipsub alone fails at | here | test |
//! | --- | --- | --- | --- |
//! | all subscriptions travel in one message, refused as a whole above 100 | 101 topics | 1,010 | [`a_thousand_and_ten_topics_of_a_node_are_all_heard`] |
//! | an announcement above 16 KiB ends a link for ever, without a word | 75 to 200 messages a second past the mesh | 2,000 | [`two_thousand_a_second_past_the_mesh_end_no_link`] |
//! | what is read beyond a large message counts against its limit | 200 of 60,000 bytes | 2,000 | [`messages_of_almost_the_largest_size_arrive_together`] |
//! | all connections with a peer take from one queue: no order | 2,000 messages | 20 ties of 4,000 | [`crate::ties`] |
//! | who restarts while its old connection is stalled hears nothing | one restart | ten in a row | [`crate::restart`] |

use std::num::NonZeroU8;
use std::time::Duration;

use gossip_mesh::{Node, Raw, Topic};

use crate::lab::{self, LOAD, PROBE, assert_all, load, ready, take};

/// With gossipsub's own filter (100 subscriptions) nothing came: all subscriptions travel in one
/// message, which is refused as a whole.
#[tokio::test]
async fn a_thousand_and_ten_topics_of_a_node_are_all_heard() {
    let mut config = lab::lab();
    // So that almost all of them are a topic of gossipsub as well.
    config.topic.buckets = 4_000;
    let (one, two) = lab::pair(config).await;
    let topics: Vec<Topic<Vec<u8>, Raw>> =
        (0..1_010).map(|number| Topic::named(format!("topic {number}"))).collect();
    let mut subscriptions = Vec::new();
    for topic in &topics {
        subscriptions.push(two.subscribe(topic.clone()).await.unwrap());
    }
    for (number, topic) in topics.iter().enumerate() {
        one.publish(topic.clone(), &load(u32::try_from(number).unwrap(), 4)).await.unwrap();
    }
    for (number, messages) in subscriptions.iter_mut().enumerate() {
        assert_eq!(take(messages, 1).await, [u32::try_from(number).unwrap()]);
    }
    lab::leave([one, two]).await;
}

/// Without the room above the largest message 5 of 200 came: what is read beyond the message
/// counts against its limit, the stream is given up, and its sender never hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_almost_the_largest_size_arrive_together() {
    let mut config = lab::lab();
    config.topic.max_message_bytes = 64 * 1024;
    together(config, 2_000, 60_000).await;
}

/// Without that room none of the 30 came.
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_largest_size_of_the_presets_arrive_together() {
    together(lab::lab(), 30, 1024 * 1024).await;
}

async fn together(config: gossip_mesh::Config, count: u32, size: usize) {
    let (one, two) = lab::pair(config).await;
    let mut messages = two.subscribe(LOAD).await.expect("it runs");
    ready(&one, &LOAD, &load(PROBE, 4), 1).await;
    let publisher = one.publisher(LOAD).await.expect("it runs");
    let sending = async {
        for number in 0..count {
            publisher.send(&load(number, size)).await.expect("it runs");
        }
    };
    let ((), came) = tokio::join!(sending, take(&mut messages, count as usize));
    assert_all(came, count, "the reader");
    drop(publisher);
    lab::leave([one, two]).await;
}

/// What gossipsub brought to a node so far, in bytes.
async fn brought(node: &Node) -> u64 {
    node.overview().await.expect("it runs").stats.carrier.received_bytes
}

/// With gossipsub's own sizes the peers outside the mesh were told of so many messages at once that
/// they gave the stream up, and got nothing from then on.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_a_second_past_the_mesh_end_no_link() {
    const COUNT: u32 = 3_000;
    // A message that is passed on twice is two for gossipsub, and leaves it to no other carrier.
    let twice = NonZeroU8::new(2).unwrap();
    let mut config = lab::lab();
    (config.gossip.mesh_low, config.gossip.mesh, config.gossip.mesh_high) = (1, 2, 2);
    config.gossip.flood_publish = false;
    // Only what gossipsub complains of may end a link here, not a machine that is busy.
    config.link.ping_timeout = lab::PATIENCE;
    config.membership.timeout = Duration::from_secs(1);
    let entry = lab::spawn(config.clone()).await;
    let mut nodes = vec![entry];
    for _ in 0..5 {
        let next = lab::join(&nodes[0], config.clone()).await;
        nodes.push(next);
    }
    for node in &nodes {
        lab::eventually("all are linked", async || lab::linked(node).await == 5).await;
    }
    let mut readers = Vec::new();
    for node in &nodes[1..] {
        readers.push(node.subscribe(LOAD).await.unwrap());
    }
    ready(&nodes[0], &LOAD, &load(PROBE, 4), 5).await;

    let publishing = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        for number in 0..COUNT {
            if number % 20 == 0 {
                pace.tick().await;
            }
            nodes[0].publish(LOAD, &load(number, 100)).relays(twice).await.expect("it runs");
        }
    };
    let reading = readers.iter_mut().map(|messages| take(messages, COUNT as usize));
    let ((), came) = tokio::join!(publishing, futures::future::join_all(reading));
    let wanted: Vec<u32> = (0..COUNT).collect();
    for numbers in came {
        assert_eq!(numbers, wanted, "in order");
    }
    // Every node is still brought what is new, by gossipsub and not by a question for it.
    for node in &nodes[1..] {
        let stats = node.overview().await.unwrap().stats;
        assert_eq!((stats.link.closed, stats.topic.by_tree, stats.topic.lost), (0, 0, 0));
        let before = brought(node).await;
        nodes[0].publish(LOAD, &load(PROBE, 4)).relays(twice).await.expect("it runs");
        lab::eventually("gossipsub brings it", async || brought(node).await > before).await;
    }
    drop(readers);
    lab::leave(nodes).await;
}
