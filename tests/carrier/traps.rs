//! Traps of gossipsub's defaults.

use crate::lab::{self, LOAD, PROBE, assert_all, load, ready, take};
use gossip_mesh::{Raw, Topic};

/// With gossipsub's own filter (100 subscriptions) the second node looks as if it read nothing.
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

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_almost_the_largest_size_arrive_together() {
    let mut config = lab::lab();
    config.topic.max_message_bytes = 64 * 1024;
    together(config, 200, 60_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_largest_size_of_the_presets_arrive_together() {
    together(lab::lab(), 30, 1024 * 1024).await;
}

async fn together(config: gossip_mesh::Config, count: u32, size: usize) {
    let (one, two) = lab::pair(config).await;
    let mut messages = two.subscribe(LOAD).await.unwrap();
    ready(&one, &LOAD, &load(PROBE, 4), 1).await;
    for number in 0..count {
        one.publish(LOAD, &load(number, size)).await.unwrap();
    }
    assert_all(take(&mut messages, count as usize).await, count, "the reader");
    lab::leave([one, two]).await;
}
