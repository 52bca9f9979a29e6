//! How messages travel between real nodes: compressed, and with a trace context.
#![cfg(feature = "net")]
#![cfg(test)]

mod nodes;

use futures::StreamExt;
use gossip_mesh::{Error, Node, Query, Raw, Subscription, Topic, TopicError, TraceContext};

use nodes::{graph, join, knows_readers, lab, leave, linked, next, spawn, within};

const PLAIN: Topic<String, Raw> = Topic::new("log");
const PACKED: Topic<String, Raw> = Topic::new("log").compressed();

/// A kilobyte of a log, no two the same.
fn line(number: usize) -> String {
    let mut line = String::new();
    while line.len() < 1_024 {
        line += &format!("{number:08} the node has linked with peer {}; ", line.len() * number);
    }
    line
}

/// Two linked nodes, of which the second reads the topic.
async fn pair() -> (Node, Node, Subscription<String, Raw>) {
    let one = spawn(lab()).await;
    let two = join(&one).await;
    linked(&one, &two).await;
    let lines = two.subscribe(PLAIN).await.unwrap();
    knows_readers(&one, "log", &[&two]).await;
    (one, two, lines)
}

/// The bytes that 200 lines take on the link, published one by one or as fast as it goes.
async fn bytes_of(topic: Topic<String, Raw>, fast: bool) -> u64 {
    let (one, two, mut lines) = pair().await;
    if fast {
        let publisher = one.publisher(topic).await.unwrap();
        for number in 0..200 {
            publisher.send(&line(number)).await.unwrap();
        }
    } else {
        for number in 0..200 {
            one.publish(topic.clone(), &line(number)).await.unwrap();
            assert_eq!(next(&mut lines).await, line(number));
        }
    }
    for number in 0..if fast { 200 } else { 0 } {
        assert_eq!(next(&mut lines).await, line(number));
    }
    let stats = two.overview().await.unwrap().stats;
    assert_eq!((stats.topic.unexpandable, stats.topic.lost), (0, 0));
    leave([one, two]).await;
    stats.carrier.received_bytes + stats.tree.received_bytes
}

#[tokio::test]
async fn compressed_lines_arrive_identical_and_take_less_than_half_of_the_link() {
    for fast in [false, true] {
        let (plain, packed) = (bytes_of(PLAIN, fast).await, bytes_of(PACKED, fast).await);
        assert!(plain > 200 * 1_024, "{plain} bytes");
        assert!(packed < plain / 2, "{packed} of {plain} bytes, fast: {fast}");
    }
}

#[tokio::test]
async fn what_a_relay_does_not_read_it_passes_on_as_it_is() {
    let nodes = graph(3, &[(0, 1), (1, 2)]).await;
    let mut lines = nodes[2].subscribe(PLAIN).await.unwrap();
    knows_readers(&nodes[0], "log", &[&nodes[2]]).await;
    let publisher = nodes[0].publisher(PACKED).await.unwrap();
    for number in 0..300 {
        publisher.send(&line(number)).await.unwrap();
    }
    for number in 0..300 {
        assert_eq!(next(&mut lines).await, line(number));
    }
    let relay = nodes[1].overview().await.unwrap().stats.topic;
    assert_eq!((relay.received, relay.malformed, relay.unexpandable), (0, 0, 0));
    leave(nodes).await;
}

#[tokio::test]
async fn the_limit_is_that_of_the_message_before_compression() {
    let mut config = lab();
    config.topic.max_message_bytes = 50_000;
    let one = spawn(config.clone()).await;
    config.bootstrap = vec![nodes::address(&one).await];
    let two = spawn(config).await;
    linked(&one, &two).await;
    let mut lines = two.subscribe(PLAIN).await.unwrap();
    knows_readers(&one, "log", &[&two]).await;
    let (largest, larger) = ("x".repeat(50_000), "x".repeat(50_001));
    let refused = one.publish(PACKED, &larger).await.unwrap_err();
    let too_large = TopicError::TooLarge { bytes: 50_001, max: 50_000 };
    assert!(matches!(&refused, Error::Topic(error) if *error == too_large), "{refused:?}");
    let publisher = one.publisher(PACKED).await.unwrap();
    let refused = publisher.try_send(&larger).unwrap_err();
    assert!(matches!(&refused, Error::Topic(error) if *error == too_large), "{refused:?}");
    one.publish(PACKED, &largest).await.unwrap();
    assert_eq!(next(&mut lines).await, largest);
    // Nor is a batch of many larger than one message may be.
    let publisher = one.publisher(PLAIN).await.unwrap();
    for number in 0..300 {
        publisher.send(&line(number)).await.unwrap();
    }
    for number in 0..300 {
        assert_eq!(next(&mut lines).await, line(number));
    }
    let stats = two.overview().await.unwrap().stats;
    assert_eq!((stats.topic.malformed, stats.stream.malformed), (0, 0));
    leave([one, two]).await;
}

fn context(number: u64) -> TraceContext {
    TraceContext::new([0xab; 16], (number + 1).to_be_bytes(), 1).unwrap()
}

#[tokio::test]
async fn a_trace_context_comes_with_its_message_one_by_one_and_in_a_burst() {
    let (one, two, mut lines) = pair().await;
    let publisher = one.publisher(PACKED).await.unwrap();
    for number in 0..2_000_u64 {
        let line = number.to_string();
        match number {
            // One by one, then every third, then each.
            0..10 => {
                one.publish(PLAIN, &line).trace_context(context(number)).await.unwrap();
            }
            number if number.is_multiple_of(3) || number >= 1_000 => {
                publisher.send_traced(&line, context(number)).await.unwrap();
            }
            _ => publisher.send(&line).await.unwrap(),
        }
        if number < 10 {
            publisher.flush().await.unwrap();
        }
    }
    for number in 0..2_000_u64 {
        let delivery = within("a message", lines.next()).await.unwrap();
        assert_eq!(delivery.value, number.to_string());
        let traced = number < 10 || number.is_multiple_of(3) || number >= 1_000;
        assert_eq!(delivery.trace_context, traced.then(|| context(number)), "{number}");
    }
    let stats = one.overview().await.unwrap().stats.topic;
    assert!(stats.by_tree > 500 && stats.batches < 1_000, "{stats:?}");
    let kept = two.messages(Query { last: Some(1), peek: true, ..Query::default() }).await.unwrap();
    assert_eq!(kept[0].trace_context, Some(context(1_999)));
    leave([one, two]).await;
}
