//! Promises about topics, kept by real nodes on loopback.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use gossip_mesh::{
    Cbor, Codec, DecodeError, EncodeError, Error, Event, Json, MsgPack, Node, Query, Raw, Topic,
    TopicError, Which,
};
use nodes::{
    CLOCKS, event, eventually, join, knows_readers, lab, leave, linked, next, take, within,
};

const CHAT: Topic<String> = Topic::new("chat");
const COUNT: Topic<u32> = Topic::new("count");
const BYTES: Topic<Vec<u8>, Raw> = Topic::new("bytes");

async fn two() -> (Node, Node) {
    let one = nodes::spawn(lab()).await;
    let two = join(&one).await;
    linked(&one, &two).await;
    (one, two)
}

#[tokio::test]
async fn two_nodes_that_know_one_address_pass_a_message() {
    let one = nodes::spawn(lab()).await;
    let two = join(&one).await;
    let mut lines = two.subscribe(CHAT).await.unwrap();
    let id = one.publish(CHAT, &"hello".to_owned()).await.unwrap();
    let line = within("a line", lines.next()).await.unwrap();
    assert_eq!((line.author, line.value.as_str()), (one.id(), "hello"));
    assert_eq!((id.author, id.number, id.topic.as_str()), (one.id(), 1, "chat"));
    assert_eq!(line.id, id);
    drop(lines);
    leave([one, two]).await;
}

#[tokio::test]
async fn every_message_of_eight_publishers_comes_to_each_of_eight_subscribers_once() {
    const TALK: Topic<(u32, u32)> = Topic::new("talk");
    const EACH: u32 = 25;
    let all = nodes::network(16).await;
    let (authors, readers) = all.split_at(8);
    let mut subscriptions = Vec::new();
    for reader in readers {
        subscriptions.push(reader.subscribe(TALK).await.unwrap());
    }
    for author in authors {
        knows_readers(author, TALK.name(), &readers.iter().collect::<Vec<_>>()).await;
    }
    let publishing = (0..).zip(authors).map(|(author, node)| async move {
        for n in 0..EACH {
            node.publish(TALK, &(author, n)).await.unwrap();
        }
    });
    futures::future::join_all(publishing).await;
    for from in &mut subscriptions {
        let heard = take(from, 8 * EACH as usize).await;
        let unique: BTreeSet<(u32, u32)> = heard.iter().copied().collect();
        assert_eq!(unique.len(), heard.len());
        assert!(futures::poll!(from.next()).is_pending());
    }
    drop(subscriptions);
    leave(all).await;
}

#[tokio::test]
async fn two_subscriptions_of_a_node_both_get_all_and_one_outlives_the_other() {
    let (one, two) = two().await;
    let mut first = two.subscribe(COUNT).await.unwrap();
    let mut second = two.subscribe(COUNT).await.unwrap();
    one.publish(COUNT, &1).await.unwrap();
    assert_eq!((next(&mut first).await, next(&mut second).await), (1, 1));
    drop(first);
    one.publish(COUNT, &2).await.unwrap();
    assert_eq!(next(&mut second).await, 2);
    assert!(two.overview().await.unwrap().topics.contains("count"));
    drop(second);
    leave([one, two]).await;
}

#[tokio::test]
async fn deliveries_stop_at_once_when_a_subscription_is_dropped() {
    let (one, two) = two().await;
    let three = join(&one).await;
    let dropped = two.subscribe(COUNT).await.unwrap();
    let mut stays = three.subscribe(COUNT).await.unwrap();
    knows_readers(&one, COUNT.name(), &[&two, &three]).await;
    drop(dropped);
    let before = two.overview().await.unwrap();
    for n in 0..20 {
        one.publish(COUNT, &n).await.unwrap();
    }
    assert_eq!(take(&mut stays, 20).await.len(), 20);
    eventually("the others hearing of it", || async {
        !one.peers().await.unwrap().iter().any(|p| p.id == two.id() && p.topics.contains("count"))
    })
    .await;
    // Soon nothing of the topic travels to this node any more.
    let unread = || async { two.overview().await.unwrap().stats.topic.unread };
    let mut quiet = 0;
    for n in 0.. {
        let so_far = unread().await;
        one.publish(COUNT, &n).await.unwrap();
        next(&mut stays).await;
        quiet = if unread().await == so_far { quiet + 1 } else { 0 };
        assert!(n < 1_000, "the traffic goes on");
        if quiet == 20 {
            break;
        }
    }
    let after = two.overview().await.unwrap().stats.topic;
    assert_eq!(after.delivered, before.stats.topic.delivered);
    drop(stays);
    leave([one, two, three]).await;
}

#[tokio::test]
async fn own_messages_come_back_only_where_asked_for() {
    let (one, two) = two().await;
    let mut with = one.subscribe(COUNT).own_messages().await.unwrap();
    let mut without = one.subscribe(COUNT).await.unwrap();
    one.publish(COUNT, &1).await.unwrap();
    two.publish(COUNT, &2).await.unwrap();
    assert_eq!(take(&mut with, 2).await, [1, 2]);
    assert_eq!(next(&mut without).await, 2);
    assert!(futures::poll!(with.next()).is_pending());
    drop((with, without));
    leave([one, two]).await;
}

#[tokio::test]
async fn a_handler_is_called_with_each_message_and_a_panic_in_it_harms_nothing_else() {
    let (one, two) = two().await;
    let events = two.events();
    let (tell, mut told) = tokio::sync::mpsc::channel(16);
    let handler = two
        .on(COUNT, move |line| {
            let tell = tell.clone();
            async move {
                assert_ne!(line.value, 2, "a handler's own fault");
                tell.send(line.value).await.unwrap();
            }
        })
        .await
        .unwrap();
    let mut beside = two.subscribe(COUNT).await.unwrap();
    for n in 1..=3 {
        one.publish(COUNT, &n).await.unwrap();
    }
    assert_eq!(take(&mut beside, 3).await, [1, 2, 3]);
    assert_eq!(within("a call", told.recv()).await, Some(1));
    assert_eq!(within("the call after the panic", told.recv()).await, Some(3));
    let panicked = |event| match event {
        Event::HandlerPanicked { topic, message } => Some((topic, message)),
        _ => None,
    };
    let (topic, message) = event(events, panicked).await;
    assert_eq!(topic, "count");
    assert!(message.contains("a handler's own fault"), "{message}");
    drop(handler);
    assert_eq!(within("the handler's end", told.recv()).await, None);
    drop(beside);
    leave([one, two]).await;
}

/// A codec of the user's own.
struct Words;

impl Codec<(String, Vec<i64>)> for Words {
    fn encode((name, numbers): &(String, Vec<i64>)) -> Result<Vec<u8>, EncodeError> {
        let numbers = numbers.iter().map(i64::to_string);
        let words: Vec<String> = std::iter::once(name.clone()).chain(numbers).collect();
        Ok(words.join(" ").into_bytes())
    }

    fn decode(bytes: &[u8]) -> Result<(String, Vec<i64>), DecodeError> {
        let broken = || DecodeError::Malformed("not words".to_owned());
        let text = std::str::from_utf8(bytes).map_err(|_| broken())?;
        let mut words = text.split(' ');
        let name = words.next().ok_or_else(broken)?.to_owned();
        let numbers = words.map(|word| word.parse().map_err(|_| broken()));
        Ok((name, numbers.collect::<Result<_, _>>()?))
    }
}

/// What goes in comes out, and what is no value is told and skipped.
async fn travels<T, C>(value: T)
where
    T: Clone + PartialEq + std::fmt::Debug + 'static,
    C: Codec<T> + 'static,
{
    let typed = || Topic::<T, C>::new("typed");
    let broken: Topic<Vec<u8>, Raw> = Topic::new("typed");
    let (one, two) = two().await;
    let events = two.events();
    let mut values = two.subscribe(typed()).await.unwrap();
    one.publish(broken, &vec![0xff, 0, 0xc1]).await.unwrap();
    one.publish(typed(), &value).await.unwrap();
    assert_eq!(next(&mut values).await, value);
    let undecodable = |event| match event {
        Event::Undecodable { topic, author, .. } => Some((topic, author)),
        _ => None,
    };
    assert_eq!(event(events, undecodable).await, ("typed".to_owned(), one.id()));
    drop(values);
    leave([one, two]).await;
}

#[tokio::test]
async fn values_travel_in_every_codec_and_garbage_is_told() {
    let value = || ("name".to_owned(), vec![0, -1, i64::MAX]);
    travels::<_, Cbor>(value()).await;
    travels::<_, Json>(value()).await;
    travels::<_, MsgPack>(value()).await;
    travels::<_, Words>(value()).await;
    travels::<String, Raw>("bare\ttext".to_owned()).await;
}

#[tokio::test]
async fn any_bytes_arrive_as_they_were_up_to_the_limit() {
    let (one, two) = two().await;
    let mut bytes = two.subscribe(BYTES).await.unwrap();
    let max = one.config().topic.max_message_bytes;
    assert!(max >= 1_000_000);
    let large: Vec<u8> = (0..max).map(|n| (n % 251) as u8).collect();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let payloads =
        [vec![], vec![0], b"\r\n\n\r".to_vec(), b"a\0b".to_vec(), all_bytes, large.clone()];
    for payload in &payloads {
        one.publish(BYTES, payload).await.unwrap();
        assert!(next(&mut bytes).await == *payload, "{} bytes came out wrong", payload.len());
    }
    let refused = one.publish(BYTES, &[large, vec![0]].concat()).await;
    let too_large = TopicError::TooLarge { bytes: max + 1, max };
    assert_eq!(refused, Err(Error::Topic(too_large)));
    one.publish(BYTES, &vec![7]).await.unwrap();
    assert_eq!(next(&mut bytes).await, [7], "a refused message harms no other");
    drop(bytes);
    leave([one, two]).await;
}

#[tokio::test]
async fn several_messages_of_the_largest_size_sent_at_once_all_arrive() {
    let (one, two) = two().await;
    let mut bytes = two.subscribe(BYTES).await.unwrap();
    knows_readers(&one, BYTES.name(), &[&two]).await;
    let max = one.config().topic.max_message_bytes;
    for n in 0..8 {
        one.publish(BYTES, &vec![n; max]).await.unwrap();
    }
    for n in 0..8 {
        assert!(next(&mut bytes).await == vec![n; max]);
    }
    drop(bytes);
    leave([one, two]).await;
}

#[tokio::test]
async fn a_topic_name_that_is_none_is_refused() {
    let one = nodes::spawn(lab()).await;
    let long = "x".repeat(257);
    for name in ["", "line\nbreak", "nul\0", long.as_str()] {
        let topic: Topic<u32> = Topic::named(name);
        let published = one.publish(topic.clone(), &1).await;
        assert!(matches!(published, Err(Error::Topic(TopicError::BadName { .. }))), "{name:?}");
        let subscribed = one.subscribe(topic).await.map(drop);
        assert!(matches!(subscribed, Err(Error::Topic(TopicError::BadName { .. }))), "{name:?}");
    }
    leave([one]).await;
}

#[tokio::test]
async fn what_nobody_reads_yet_waits_and_goes_out_on_the_first_subscription() {
    let (one, two) = two().await;
    for n in 0..100 {
        one.publish(COUNT, &n).await.unwrap();
    }
    assert_eq!(one.overview().await.unwrap().stats.topic.waiting, 100);
    let mut counts = two.subscribe(COUNT).await.unwrap();
    assert_eq!(take(&mut counts, 100).await, (0..100).collect::<Vec<_>>());
    assert_eq!(one.overview().await.unwrap().stats.topic.waiting, 0);
    drop(counts);
    leave([one, two]).await;
}

#[tokio::test]
async fn a_full_outbox_refuses_and_what_it_holds_still_goes_out() {
    let mut config = lab();
    config.topic.max_waiting = 3;
    let one = nodes::spawn(config.clone()).await;
    for n in 0..3 {
        one.publish(COUNT, &n).await.unwrap();
    }
    let full = TopicError::WaitingFull { topic: "count".to_owned(), waiting: 3 };
    assert_eq!(one.publish(COUNT, &3).await, Err(Error::Topic(full)));
    let two = join(&one).await;
    let mut counts = two.subscribe(COUNT).await.unwrap();
    assert_eq!(take(&mut counts, 3).await, [0, 1, 2]);
    one.publish(COUNT, &4).await.unwrap();
    assert_eq!(next(&mut counts).await, 4);
    drop(counts);
    leave([one, two]).await;

    (config.topic.max_waiting, config.topic.max_waiting_bytes) = (1_000, 10_000);
    let one = nodes::spawn(config).await;
    one.publish(BYTES, &vec![0; 6_000]).await.unwrap();
    let refused = one.publish(BYTES, &vec![0; 6_000]).await;
    assert!(matches!(refused, Err(Error::Topic(TopicError::WaitingFull { waiting: 1, .. }))));
    leave([one]).await;
}

#[tokio::test]
async fn a_message_that_found_no_reader_in_time_is_dropped_and_told() {
    let mut config = lab();
    config.topic.wait_for = Duration::from_millis(50);
    let one = nodes::spawn(config).await;
    let events = one.events();
    let id = one.publish(COUNT, &1).await.unwrap();
    let unread = |event| match event {
        Event::Unread { id } => Some(id),
        _ => None,
    };
    assert_eq!(event(events, unread).await, id);
    assert_eq!(one.overview().await.unwrap().stats.topic.waiting, 0);
    leave([one]).await;
}

#[tokio::test]
async fn a_message_passed_on_three_times_is_delivered_once() {
    let (one, two) = two().await;
    let mut counts = two.subscribe(COUNT).await.unwrap();
    let three = NonZeroU8::new(3).unwrap();
    one.publish(COUNT, &1).relays(three).await.unwrap();
    one.publish(COUNT, &2).await.unwrap();
    assert_eq!(take(&mut counts, 2).await, [1, 2]);
    eventually("the copies", || async {
        two.overview().await.unwrap().stats.topic.duplicates >= 2
    })
    .await;
    let stats = two.overview().await.unwrap().stats.topic;
    assert_eq!((stats.received, stats.delivered), (2, 2));
    assert_eq!(two.messages(Query::default()).await.unwrap().len(), 2);
    drop(counts);
    leave([one, two]).await;
}

#[tokio::test]
async fn of_kept_messages_the_oldest_leaves_first_by_count_bytes_and_age() {
    let payloads = |messages: Vec<gossip_mesh::Message>| -> Vec<u8> {
        messages.iter().map(|message| message.decode(&BYTES).unwrap()[0]).collect()
    };
    let peek = || Query { peek: true, ..Query::default() };
    let one = nodes::spawn(lab()).await;
    let mut config = nodes::through(&one).await;
    config.topic.max_kept = 5;
    let by_count = nodes::spawn(config.clone()).await;
    (config.topic.max_kept, config.topic.max_kept_bytes) = (100, 3_500);
    let by_bytes = nodes::spawn(config.clone()).await;
    config.topic.keep_for = Duration::from_millis(300);
    let by_age = nodes::spawn(config).await;
    let mut readers = Vec::new();
    for node in [&by_count, &by_bytes, &by_age] {
        readers.push(node.subscribe(BYTES).await.unwrap());
    }
    knows_readers(&one, BYTES.name(), &[&by_count, &by_bytes, &by_age]).await;
    for n in 0..12 {
        one.publish(BYTES, &vec![n; 1_000]).await.unwrap();
    }
    for reader in &mut readers {
        while next(reader).await[0] < 11 {}
    }
    assert_eq!(payloads(by_count.messages(peek()).await.unwrap()), [7, 8, 9, 10, 11]);
    assert_eq!(payloads(by_bytes.messages(peek()).await.unwrap()), [9, 10, 11]);
    assert_eq!(by_bytes.overview().await.unwrap().stats.topic.kept_bytes, 3_000);
    eventually("old messages leaving", || async {
        by_age.messages(peek()).await.unwrap().is_empty()
            && by_age.overview().await.unwrap().stats.topic.kept == 0
    })
    .await;
    drop(readers);
    leave([one, by_count, by_bytes, by_age]).await;
}

#[tokio::test]
async fn a_query_marks_exactly_what_it_returns_while_more_arrives() {
    const MESSAGES: u32 = 600;
    let (one, two) = two().await;
    let counts = two.subscribe(COUNT).await.unwrap();
    knows_readers(&one, COUNT.name(), &[&two]).await;
    let publishing = tokio::spawn({
        let one = one.clone();
        async move {
            for n in 0..MESSAGES {
                one.publish(COUNT, &n).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let query = |which| Query { which, topic: Some("count".to_owned()), ..Query::default() };
    let mut seen = Vec::new();
    within("all messages", async {
        while seen.len() < MESSAGES as usize {
            for message in two.messages(query(Which::Unread)).await.unwrap() {
                assert!(!message.was_read);
                seen.push(message.decode(&COUNT).unwrap());
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    publishing.await.unwrap();
    assert_eq!(seen, (0..MESSAGES).collect::<Vec<_>>(), "each once, none skipped");
    assert!(two.messages(query(Which::Unread)).await.unwrap().is_empty());
    let read = two.messages(query(Which::Read)).await.unwrap();
    assert!(read.len() == MESSAGES as usize && read.iter().all(|message| message.was_read));
    one.publish(COUNT, &MESSAGES).await.unwrap();
    eventually("one more", || async {
        let peek = Query { peek: true, ..query(Which::Unread) };
        two.messages(peek).await.unwrap().len() == 1
    })
    .await;
    let all = two.messages(query(Which::All)).await.unwrap();
    assert_eq!(all.iter().filter(|message| !message.was_read).count(), 1);
    drop(counts);
    leave([one, two]).await;
}

#[tokio::test]
async fn a_confirmed_message_says_who_has_it_and_who_is_missing() {
    let all = nodes::network(4).await;
    let mut readers = Vec::new();
    for node in &all[1..] {
        readers.push(node.subscribe(COUNT).await.unwrap());
    }
    knows_readers(&all[0], COUNT.name(), &all[1..].iter().collect::<Vec<_>>()).await;
    let sent = all[0].publish(COUNT, &1).confirmed(nodes::PATIENCE).await.unwrap();
    let ids = |nodes: &[Node]| nodes.iter().map(Node::id).collect::<BTreeSet<_>>();
    assert_eq!(sent.report.holders.into_iter().collect::<BTreeSet<_>>(), ids(&all[1..]));
    assert_eq!((sent.report.missing, sent.id.number), (vec![], 1));
    assert!(sent.report.elapsed < nodes::PATIENCE);

    let mut all = all;
    let (killed, reading) = (all.pop().unwrap(), readers.pop());
    let gone = killed.id();
    // It dies before it could say that it reads no more.
    drop((killed, reading));
    let patience = Duration::from_millis(500);
    let sent = all[0].publish(COUNT, &2).confirmed(patience).await.unwrap();
    assert_eq!(sent.report.holders.into_iter().collect::<BTreeSet<_>>(), ids(&all[1..]));
    assert_eq!(sent.report.missing, [gone]);
    assert!(sent.report.elapsed >= patience);
    drop(readers);
    leave(all).await;
}

#[tokio::test]
async fn a_message_carries_when_it_was_sent_and_when_it_came() {
    let (one, two) = two().await;
    let mut counts = two.subscribe(COUNT).await.unwrap();
    let mut last = 0;
    for n in 0..5 {
        one.publish(COUNT, &n).await.unwrap();
        let line = within("a message", counts.next()).await.unwrap();
        assert!(line.sent.0 > last, "one was sent after the other");
        let (sent, received) = (line.sent.0, line.received.0);
        assert!(received + CLOCKS >= sent && received - sent.min(received) < 20_000_000);
        last = line.sent.0;
        let kept = two.messages(Query::default()).await.unwrap().remove(0);
        assert_eq!((kept.sent, kept.received, kept.id), (line.sent, line.received, line.id));
    }
    drop(counts);
    leave([one, two]).await;
}

#[tokio::test]
async fn a_slow_subscriber_misses_messages_alone_and_is_told_how_many() {
    let one = nodes::spawn(lab()).await;
    let mut config = nodes::through(&one).await;
    config.topic.max_undelivered = 8;
    let two = nodes::spawn(config).await;
    let mut events = two.events();
    let mut slow = two.subscribe(COUNT).await.unwrap();
    let mut fast = two.subscribe(COUNT).await.unwrap();
    knows_readers(&one, COUNT.name(), &[&two]).await;
    for n in 0..50 {
        one.publish(COUNT, &n).await.unwrap();
        assert_eq!(next(&mut fast).await, n);
    }
    let lagged = |event| match event {
        Event::Lagged { topic, missed } => Some((topic, missed)),
        _ => None,
    };
    assert_eq!(event(&mut events, lagged).await, ("count".to_owned(), 1));
    assert_eq!(take(&mut slow, 8).await, (0..8).collect::<Vec<_>>());
    // Told when it has taken all there is: perhaps nothing comes any more.
    assert!(slow.next().now_or_never().is_none());
    assert_eq!(event(&mut events, lagged).await, ("count".to_owned(), 41));
    for (n, lagged) in [(50, 42), (51, 0)] {
        one.publish(COUNT, &n).await.unwrap();
        let delivery = within("a delivery", slow.next()).await.unwrap();
        assert_eq!((delivery.value, delivery.lagged, delivery.missed), (n, lagged, 0));
        assert_eq!(next(&mut fast).await, n);
    }
    drop((slow, fast));
    leave([one, two]).await;
}

#[tokio::test]
async fn a_handle_of_a_topic_publishes_subscribes_and_knows_its_readers() {
    let (one, two) = two().await;
    let (here, there) = (one.topic(CHAT), two.topic(CHAT));
    assert!(!here.has_reader().await.unwrap());
    let waiting = tokio::spawn({
        let one = one.clone();
        async move { one.topic(CHAT).wait_for_reader().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    let mut lines = there.subscribe().await.unwrap();
    within("a reader", waiting).await.unwrap().unwrap();
    assert_eq!(here.readers().await.unwrap(), [two.id()]);
    assert!(!there.has_reader().await.unwrap(), "others are meant, not this node");
    here.publish(&"hello".to_owned()).await.unwrap();
    assert_eq!(next(&mut lines).await, "hello");
    drop(lines);
    eventually("the reader's end", || async { !here.has_reader().await.unwrap() }).await;
    drop((here, there));
    leave([one, two]).await;
}
