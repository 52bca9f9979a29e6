//! Traps of gossipsub's defaults.

use crate::lab::{self, LOAD, PROBE, assert_all, load, ready, take};
use gossip_mesh::{Raw, Topic};

/// With gossipsub's own filter (100 subscriptions) nothing came: all subscriptions travel in one
/// message, which is refused as a whole.
#[tokio::test]
async fn three_hundred_topics_of_a_node_are_all_heard() {
    let mut config = lab::lab();
    // So that most of them are a topic of gossipsub as well.
    config.topic.buckets = 1_000;
    let (one, two) = lab::pair(config).await;
    let topics: Vec<Topic<Vec<u8>, Raw>> =
        (0..300).map(|number| Topic::named(format!("topic {number}"))).collect();
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

/// Without the room above the largest message 5 of the 200 came: what is read beyond the message
/// counts against its limit, the stream is given up, and its sender never hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_almost_the_largest_size_arrive_together() {
    let mut config = lab::lab();
    config.topic.max_message_bytes = 64 * 1024;
    together(config, 200, 60_000).await;
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
    for number in 0..count {
        one.publish(LOAD, &load(number, size)).await.expect("it runs");
    }
    assert_all(take(&mut messages, count as usize).await, count, "the reader");
    lab::leave([one, two]).await;
}
