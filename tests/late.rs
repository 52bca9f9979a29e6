//! Promises to those who join late, kept by real nodes on loopback.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::time::Duration;

use gossip_mesh::{Delivery, Error, Node, Subscription, Topic, TopicError};
use nodes::{eventually, join, knows_readers, leave, network, next, take, within};

const COUNT: Topic<u32> = Topic::new("count");

async fn delivery(from: &mut Subscription<u32>) -> Delivery<u32> {
    use futures::StreamExt;
    within("a message", from.next()).await.unwrap()
}

/// The next messages, all of them from before the subscription, or all live.
async fn earlier(from: &mut Subscription<u32>, count: usize, earlier: bool) -> Vec<u32> {
    let mut values = Vec::new();
    while values.len() < count {
        let delivery = delivery(from).await;
        assert_eq!(delivery.earlier, earlier, "{}", delivery.value);
        values.push(delivery.value);
    }
    values
}

/// Two readers of what the first node writes, which have all of it.
async fn readers(all: &[Node], until: u32) -> Vec<Subscription<u32>> {
    let mut readers = Vec::new();
    for node in &all[1..] {
        readers.push(node.subscribe(COUNT).await.unwrap());
    }
    knows_readers(&all[0], COUNT.name(), &all[1..].iter().collect::<Vec<_>>()).await;
    for number in 1..=until {
        all[0].publish(COUNT, &number).await.unwrap();
    }
    for reader in &mut readers {
        assert_eq!(take(reader, until as usize).await, (1..=until).collect::<Vec<_>>());
    }
    readers
}

#[tokio::test]
async fn a_late_node_gets_the_last_messages_of_a_dead_author_and_then_live_ones() {
    let mut all = network(3).await;
    let readers = readers(&all, 100).await;
    // It stops without a word.
    drop(all.remove(0));
    let late = join(&all[0]).await;
    let mut last = late.subscribe(COUNT).last(10).await.unwrap();
    assert_eq!(earlier(&mut last, 10, true).await, (91..=100).collect::<Vec<_>>());
    // Another on the same node, and with nothing too old.
    let mut since = late.subscribe(COUNT).since(Duration::from_secs(600)).await.unwrap();
    assert_eq!(earlier(&mut since, 100, true).await, (1..=100).collect::<Vec<_>>());

    knows_readers(&all[0], COUNT.name(), &[&late]).await;
    for number in 101..=105 {
        all[0].publish(COUNT, &number).await.unwrap();
    }
    for from in [&mut last, &mut since] {
        assert_eq!(earlier(from, 5, false).await, (101..=105).collect::<Vec<_>>());
        assert!(futures::poll!(futures::StreamExt::next(from)).is_pending());
    }
    let stats = late.overview().await.unwrap().stats.topic;
    assert_eq!((stats.lost, stats.caught_up), (0, 110));
    drop((readers, last, since));
    leave(all.into_iter().chain([late])).await;
}

#[tokio::test]
async fn only_what_was_published_since_then_comes() {
    let all = network(3).await;
    let readers = readers(&all, 20).await;
    let began = tokio::time::Instant::now();
    eventually("the first messages being old", || async {
        began.elapsed() > Duration::from_secs(2)
    })
    .await;
    for number in 21..=25 {
        all[0].publish(COUNT, &number).await.unwrap();
    }
    let late = join(&all[0]).await;
    let since = Duration::from_secs(2);
    let mut late_ones = late.subscribe(COUNT).since(since).last(50).await.unwrap();
    assert_eq!(earlier(&mut late_ones, 5, true).await, (21..=25).collect::<Vec<_>>());
    drop((readers, late_ones));
    leave(all.into_iter().chain([late])).await;
}

#[tokio::test]
async fn who_joins_during_a_burst_misses_nothing_and_gets_nothing_twice() {
    const ALL: u32 = 30_000;
    let all = network(3).await;
    let readers = readers(&all, 500).await;
    let late = join(&all[0]).await;
    let publisher = all[0].publisher(COUNT).await.unwrap();
    let writing = async {
        for number in 501..=ALL {
            publisher.send(&number).await.unwrap();
        }
    };
    let reading = async {
        let mut from = late.subscribe(COUNT).last(300).await.unwrap();
        let first = delivery(&mut from).await;
        assert!(first.earlier && first.value > 200, "{first:?}");
        let mut last = first.value;
        let mut before = 1;
        while last < ALL {
            let delivery = delivery(&mut from).await;
            assert_eq!((delivery.value, delivery.missed), (last + 1, 0));
            last = delivery.value;
            before += u32::from(delivery.earlier);
        }
        assert_eq!(before, 300);
    };
    within("all of them", futures::future::join(writing, reading)).await;
    drop((readers, publisher));
    leave(all.into_iter().chain([late])).await;
}

#[tokio::test]
async fn with_nobody_to_ask_it_begins_at_once_and_never_in_a_group() {
    let node = nodes::spawn(nodes::lab()).await;
    let mut own = node.subscribe(COUNT).own_messages().last(5).await.unwrap();
    node.publish(COUNT, &1).await.unwrap();
    assert_eq!(next(&mut own).await, 1);
    let refused = node.subscribe(COUNT).group("workers").last(5).await;
    assert!(matches!(refused, Err(Error::Topic(TopicError::EarlierInGroup))));
    drop(own);
    leave([node]).await;
}
