//! Promises about who gets what: patterns, queue groups, and publishing while somebody listens,
//! kept by real nodes on loopback.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{BadName, Error, Node, NodeId, Subscription, Topic, TopicError};
use nodes::{eventually, join, lab, leave, network, next, spawn, take, through, within};

const JOBS: Topic<u32> = Topic::new("jobs");
const ROOMS: Topic<u32> = Topic::new("rooms/*");

fn room(name: &str) -> Topic<u32> {
    Topic::named(format!("rooms/{name}"))
}

/// Waits until `node` counts exactly these as readers of the topic.
async fn sees_readers(node: &Node, topic: &Topic<u32>, readers: &[&Node]) {
    let wanted: BTreeSet<NodeId> = readers.iter().map(|reader| reader.id()).collect();
    let what = format!("{} seeing {} readers of {}", node.name(), wanted.len(), topic.name());
    eventually(&what, || async {
        let seen = node.topic(topic.clone()).readers().await.unwrap();
        seen.into_iter().collect::<BTreeSet<_>>() == wanted
    })
    .await;
}

#[tokio::test]
async fn a_reader_by_pattern_gets_its_topics_and_sees_which() {
    let nodes = network(3).await;
    let [author, by_pattern, by_name] = &nodes[..] else { panic!("three nodes") };
    let mut rooms = by_pattern.subscribe(ROOMS).await.unwrap();
    let mut kitchen = by_name.subscribe(room("kitchen")).await.unwrap();
    within("a reader", author.topic(room("cellar")).wait_for_reader()).await.unwrap();
    assert!(!author.topic(Topic::<u32>::new("rooms")).has_reader().await.unwrap());
    assert!(!author.topic(room("cellar/left")).has_reader().await.unwrap());
    sees_readers(author, &room("kitchen"), &[by_pattern, by_name]).await;

    let cellar = author.publish(room("cellar"), &1);
    let sent = within("a report", cellar.confirmed(nodes::PATIENCE)).await.unwrap();
    assert_eq!((sent.report.holders, sent.report.missing), (vec![by_pattern.id()], vec![]));
    author.publish(room("cellar/left"), &2).await.unwrap();
    author.publish(room("kitchen"), &3).await.unwrap();
    for (name, value) in [("rooms/cellar", 1), ("rooms/kitchen", 3)] {
        let delivery = within("a message", rooms.next()).await.unwrap();
        assert_eq!((delivery.id.topic.as_str(), delivery.value), (name, value));
    }
    assert_eq!(next(&mut kitchen).await, 3);

    drop(rooms);
    sees_readers(author, &room("cellar"), &[]).await;
    sees_readers(author, &room("kitchen"), &[by_name]).await;
    let unread = author.publish(room("cellar"), &4).if_read().await;
    assert!(matches!(unread, Err(Error::Topic(TopicError::NobodyReads { .. }))));
    leave(nodes).await;
}

#[tokio::test]
async fn nothing_can_be_published_on_a_pattern() {
    let node = spawn(lab()).await;
    let refused = node.publish(ROOMS, &1).await;
    let reason = BadName::Pattern;
    let name = "rooms/*".to_owned();
    assert_eq!(refused, Err(Error::Topic(TopicError::BadName { name, reason })));
    let refused = node.subscribe(Topic::<u32>::new("rooms/>/left")).await;
    let Err(Error::Topic(TopicError::BadName { reason, .. })) = refused else { panic!("refused") };
    assert_eq!(reason, BadName::RestInside);
    leave([node]).await;
}

#[tokio::test]
async fn who_waits_for_readers_of_what_cannot_be_a_name_is_told() {
    let node = spawn(lab()).await;
    let nameless = node.topic(Topic::<u32>::new(""));
    let waited = within("a refusal", nameless.wait_for_reader()).await;
    let (name, reason) = (String::new(), BadName::Empty);
    assert_eq!(waited, Err(Error::Topic(TopicError::BadName { name, reason })));
    assert!(nameless.readers().await.is_err() && nameless.has_reader().await.is_err());
    assert_eq!(within("an end", nameless.is_read().next()).await, None);
    drop(nameless);
    leave([node]).await;
}

/// A stage that reads its source only while its own output is read.
async fn relay(node: Node, source: Topic<u32>, output: Topic<u32>) {
    let mut is_read = node.topic(output.clone()).is_read();
    let mut input: Option<Subscription<u32>> = None;
    loop {
        tokio::select! {
            change = is_read.next() => match change {
                Some(true) => input = Some(node.subscribe(source.clone()).await.unwrap()),
                Some(false) => input = None,
                None => return,
            },
            Some(delivery) = async { input.as_mut().unwrap().next().await }, if input.is_some() => {
                // The last reader may go at this moment.
                let _ = node.publish(output.clone(), &(delivery.value + 1_000)).if_read().await;
            }
        }
    }
}

/// Counts up while it is read.
async fn produce(node: Node, output: Topic<u32>) {
    let mut is_read = node.topic(output.clone()).is_read();
    let mut count = 0;
    while let Some(mut awake) = is_read.next().await {
        while awake {
            count += 1;
            awake = node.publish(output.clone(), &count).if_read().await.is_ok();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test]
async fn a_chain_of_three_goes_idle_and_wakes() {
    const RAW: Topic<u32> = Topic::new("raw");
    const FINE: Topic<u32> = Topic::new("fine");
    let nodes = network(3).await;
    let [source, stage, sink] = &nodes[..] else { panic!("three nodes") };
    let producing = tokio::spawn(produce(source.clone(), RAW));
    let relaying = tokio::spawn(relay(stage.clone(), RAW, FINE));
    for round in 0..2 {
        let mut fine = sink.subscribe(FINE).await.unwrap();
        let values = take(&mut fine, 5).await;
        assert!(values.iter().all(|value| *value > 1_000), "{values:?} in round {round}");
        drop(fine);
        sees_readers(source, &RAW, &[]).await;
        eventually("the source falling idle", || async {
            let before = source.overview().await.unwrap().stats.topic.published;
            tokio::time::sleep(Duration::from_millis(50)).await;
            source.overview().await.unwrap().stats.topic.published == before
        })
        .await;
        assert_eq!(source.overview().await.unwrap().stats.topic.waiting, 0);
    }
    producing.abort();
    relaying.abort();
    leave(nodes).await;
}

#[tokio::test]
async fn two_groups_of_three_split_the_messages_of_two_publishers_evenly() {
    const EACH: u32 = 150;
    let nodes = network(8).await;
    let (authors, members) = nodes.split_at(2);
    let mut subscriptions = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let group = ["red", "blue"][at % 2];
        subscriptions.push(member.subscribe(JOBS).group(group).await.unwrap());
    }
    let all: Vec<&Node> = members.iter().collect();
    for author in authors {
        sees_readers(author, &JOBS, &all).await;
    }
    for job in 0..EACH {
        authors[0].publish(JOBS, &job).await.unwrap();
        authors[1].publish(JOBS, &(EACH + job)).await.unwrap();
    }
    let mut had: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (at, subscription) in subscriptions.iter_mut().enumerate() {
        let jobs = take(subscription, EACH as usize * 2 / 3).await;
        had.entry(at % 2).or_default().extend(jobs);
    }
    for jobs in had.values_mut() {
        jobs.sort_unstable();
        assert_eq!(*jobs, (0..2 * EACH).collect::<Vec<_>>(), "each once in each group");
    }
    for author in authors {
        eventually("all being confirmed", || async {
            author.overview().await.unwrap().stats.topic.unconfirmed == 0
        })
        .await;
    }
    leave(nodes).await;
}

#[tokio::test]
async fn a_publisher_waits_for_members_to_confirm_and_loses_nothing() {
    const ALL: u32 = 1_000;
    let mut config = lab();
    config.topic.max_unconfirmed = 50;
    let author = spawn(config).await;
    let (one, two, reader) = (join(&author).await, join(&author).await, join(&author).await);
    for (a, b) in [(&one, &two), (&two, &reader), (&reader, &one)] {
        nodes::linked(a, b).await;
    }
    let mut first = one.subscribe(JOBS).group("workers").await.unwrap();
    let mut second = two.subscribe(JOBS).group("workers").await.unwrap();
    let mut every = reader.subscribe(Topic::<u32>::new(">")).await.unwrap();
    sees_readers(&author, &JOBS, &[&one, &two, &reader]).await;

    let refused = author.publisher(Topic::<u32>::new("jobs/*")).await.err();
    assert!(matches!(refused, Some(Error::Topic(TopicError::BadName { .. }))), "{refused:?}");
    let publisher = author.publisher(JOBS).await.unwrap();
    let sending = async {
        for job in 0..ALL {
            publisher.send(&job).await.unwrap();
        }
    };
    let half = ALL as usize / 2;
    let taking = async {
        tokio::join!(take(&mut first, half), take(&mut second, half), take(&mut every, 2 * half))
    };
    let ((), (first, second, every)) = tokio::join!(sending, taking);
    assert_eq!(every, (0..ALL).collect::<Vec<_>>(), "in order, for whoever is in no group");
    let mut shared = [first, second].concat();
    shared.sort_unstable();
    assert_eq!(shared, every, "each once in the group");
    let stats = author.overview().await.unwrap().stats.topic;
    assert_eq!((stats.refused, stats.by_tree), (0, 0), "{stats:?}");
    leave([author, one, two, reader]).await;
}

/// Takes jobs until the node stops.
fn collect(mut jobs: Subscription<u32>) -> tokio::task::JoinHandle<Vec<u32>> {
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Some(job) = jobs.next().await {
            taken.push(job.value);
        }
        taken
    })
}

#[tokio::test]
async fn when_a_member_dies_its_messages_reach_the_others_once() {
    const ALL: u32 = 400;
    let author = spawn(lab()).await;
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(join(&author).await);
    }
    // It has a runtime of its own, whose end is the end of the node: without a good-bye.
    let body = tokio::runtime::Runtime::new().unwrap();
    let config = through(&author).await;
    let victim = body.spawn(spawn(config)).await.unwrap();
    let everyone: Vec<&Node> = workers.iter().chain([&author, &victim]).collect();
    for one in &everyone {
        for other in everyone.iter().filter(|other| other.id() > one.id()) {
            nodes::linked(one, other).await;
        }
    }
    let mut collecting = Vec::new();
    for worker in &workers {
        collecting.push(collect(worker.subscribe(JOBS).group("workers").await.unwrap()));
    }
    let mut doomed = victim.subscribe(JOBS).group("workers").await.unwrap();
    let readers: Vec<&Node> = workers.iter().chain([&victim]).collect();
    sees_readers(&author, &JOBS, &readers).await;

    let mut seen = BTreeSet::new();
    for job in 0..ALL {
        author.publish(JOBS, &job).await.unwrap();
        if job == ALL / 2 {
            seen.insert(next(&mut doomed).await);
            body.shutdown_background();
            break;
        }
    }
    for job in ALL / 2 + 1..ALL {
        author.publish(JOBS, &job).await.unwrap();
    }
    // What was handed out before the end is still there to be taken.
    let mut all = within("the end of the node", collect(doomed)).await.unwrap();
    eventually("all being confirmed", || async {
        author.overview().await.unwrap().stats.topic.unconfirmed == 0
    })
    .await;
    leave(workers).await;
    let mut shares = Vec::new();
    for task in collecting {
        let taken = task.await.unwrap();
        let once: BTreeSet<u32> = taken.iter().copied().collect();
        assert_eq!(once.len(), taken.len(), "no living member has one twice");
        shares.push(taken.len());
        all.extend(taken);
    }
    seen.extend(all);
    assert_eq!(seen, (0..ALL).collect::<BTreeSet<_>>(), "none is lost");
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(most - least <= ALL as usize / 20, "an even split: {shares:?}");
    leave([author]).await;
}
