//! Promises about finding each other.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use gossip_mesh::{AddressSource, Event, Finding, Multiaddr, Node, Sighting, Standing, Topic};
use nodes::{address, event, eventually, join, lab, leave, linked, within};
use tokio::time::Instant;

const NEWS: Topic<String> = Topic::new("news");
/// Which round, and who says it.
const ECHO: Topic<(u32, u32)> = Topic::new("echo");

/// Waits until each node knows that all the others are alive.
async fn all_know_all(nodes: &[Node]) {
    for node in nodes {
        let what = format!("{} knowing all of {}", node.name(), nodes.len());
        eventually(&what, || async {
            let peers = node.peers().await.unwrap();
            let alive = |id| peers.iter().any(|p| p.id == id && p.standing == Standing::Alive);
            nodes.iter().filter(|other| other.id() != node.id()).all(|other| alive(other.id()))
        })
        .await;
    }
}

#[tokio::test]
async fn an_entry_point_that_is_down_at_first_is_joined_when_it_comes_up() {
    let first = nodes::spawn(lab()).await;
    let place = nodes::place(&address(&first).await);
    leave([first]).await;

    let mut config = lab();
    config.bootstrap = vec![place.clone()];
    let early = nodes::spawn(config).await;
    eventually("failed dials", || async {
        early.overview().await.unwrap().stats.discovery.dials_failed >= 3
    })
    .await;
    let mut config = lab();
    config.listen = vec![place];
    let late = nodes::spawn(config).await;
    linked(&early, &late).await;
    leave([early, late]).await;
}

#[tokio::test]
async fn a_third_joins_through_the_second_when_the_first_is_gone() {
    let first = nodes::spawn(lab()).await;
    let second = join(&first).await;
    linked(&first, &second).await;
    drop(first);
    let third = join(&second).await;
    linked(&second, &third).await;
    let mut news = second.subscribe(NEWS).await.unwrap();
    third.publish(NEWS, &"here".to_owned()).await.unwrap();
    assert_eq!(nodes::next(&mut news).await, "here");
    drop(news);
    leave([second, third]).await;
}

#[tokio::test]
async fn sixteen_that_joined_through_one_know_all_fifteen_others() {
    let mut all = vec![nodes::spawn(lab()).await];
    for _ in 1..16 {
        let next = join(&all[0]).await;
        all.push(next);
    }
    all_know_all(&all).await;
    for node in &all {
        let peers = node.peers().await.unwrap();
        assert_eq!(peers.len(), 15);
        assert!(peers.iter().all(|peer| peer.id != node.id()));
        assert!(peers.iter().all(|peer| !peer.addresses.is_empty() && !peer.name.is_empty()));
    }
    leave(all).await;
}

#[tokio::test]
async fn a_changed_card_is_known_to_all_sixteen_within_a_second() {
    let all = nodes::network(16).await;
    // A machine that is busy with other things may hold up a few of the attempts. Without the push
    // upon a change, none would come through between two comparisons of cards.
    let mut in_time = 0;
    for attempt in 0..10 {
        let reader = &all[(attempt * 7) % 16];
        let begun = Instant::now();
        let news = reader.subscribe(NEWS).await.unwrap();
        for node in &all {
            nodes::knows_readers(node, NEWS.name(), &[reader]).await;
        }
        in_time += usize::from(begun.elapsed() < Duration::from_secs(1));
        drop(news);
        if in_time == 3 {
            break;
        }
        eventually("the topic's end", || async {
            let mut gone = true;
            for node in all.iter().filter(|node| node.id() != reader.id()) {
                let peers = node.peers().await.unwrap();
                gone &= peers.iter().all(|peer| peer.topics.is_empty());
            }
            gone
        })
        .await;
    }
    assert!(in_time > 0, "no change was known to all within a second");
    leave(all).await;
}

struct Given(Vec<Sighting>);

impl AddressSource for Given {
    fn sightings(self: Box<Self>) -> BoxStream<'static, Sighting> {
        stream::iter(self.0).boxed()
    }
}

#[tokio::test]
async fn a_source_of_the_users_own_leads_to_links() {
    let (one, two) = (nodes::spawn(lab()).await, nodes::spawn(lab()).await);
    let dead: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
    let sightings = vec![
        Sighting { node: None, addresses: vec![dead, nodes::place(&address(&one).await)] },
        // A wrong id costs a dial and nothing else.
        Sighting { node: Some(nodes::key(9).id()), addresses: vec![address(&one).await] },
        Sighting { node: Some(two.id()), addresses: vec![nodes::place(&address(&two).await)] },
        Sighting { node: None, addresses: Vec::new() },
    ];
    let three = Node::builder().config(lab()).source(Given(sightings)).spawn().await.unwrap();
    linked(&one, &three).await;
    linked(&two, &three).await;
    leave([one, two, three]).await;
}

#[tokio::test]
async fn a_node_of_another_network_is_not_dialled_again_and_again() {
    let mut config = lab();
    config.network = "other".to_owned();
    let other = nodes::spawn(config).await;
    let mut config = lab();
    // The second is a clock: it is dialled again and again.
    config.bootstrap = vec![address(&other).await, "/ip4/127.0.0.1/tcp/1".parse().unwrap()];
    config.discovery.backoff_max = Duration::from_millis(100);
    let one = nodes::spawn(config).await;
    eventually("many dials", || async {
        one.overview().await.unwrap().stats.discovery.dials_failed >= 15
    })
    .await;
    let stats = one.overview().await.unwrap().stats;
    let count = |counts: &std::collections::BTreeMap<String, u64>| counts.values().sum::<u64>();
    let theirs = other.overview().await.unwrap().stats;
    assert_eq!(count(&stats.refused) + count(&stats.refused_by_peers), 1, "{stats:?}");
    assert_eq!(count(&theirs.refused) + count(&theirs.refused_by_peers), 1, "{theirs:?}");
    assert!(one.peers().await.unwrap().is_empty());
    leave([one, other]).await;
}

#[tokio::test]
async fn two_networks_side_by_side_never_exchange_a_message() {
    let mut config = lab();
    config.network = "red".to_owned();
    let red = nodes::spawn(config.clone()).await;
    config.bootstrap = vec![address(&red).await];
    let red_too = nodes::spawn(config.clone()).await;
    config.network = "blue".to_owned();
    let blue = nodes::spawn(config).await;
    let mut in_red = red_too.subscribe(NEWS).await.unwrap();
    let mut in_blue = blue.subscribe(NEWS).await.unwrap();
    blue.publish(NEWS, &"blue".to_owned()).await.unwrap();
    red.publish(NEWS, &"red".to_owned()).await.unwrap();
    assert_eq!(nodes::next(&mut in_red).await, "red");
    let error = blue.connect(address(&red).await).await.unwrap_err();
    assert!(error.to_string().contains("not of this network"), "{error}");
    red.publish(NEWS, &"red again".to_owned()).await.unwrap();
    assert_eq!(nodes::next(&mut in_red).await, "red again");
    assert!(futures::poll!(in_blue.next()).is_pending());
    drop((in_red, in_blue));
    leave([red, red_too, blue]).await;
}

#[tokio::test]
async fn whichever_of_sixteen_is_killed_the_rest_keeps_joining_and_sending() {
    let mut all = nodes::network(16).await;
    // The entry of all, one of the middle, the newest.
    for (round, victim) in [(0, 0), (1, 7), (2, 13)] {
        let killed = all.remove(victim);
        let (gone, events) = (killed.id(), all[0].events());
        drop(killed);
        // Found out here, or told by the others that found it out before.
        event(events, |event| match event {
            Event::Unreachable { node } | Event::Membership(Finding::Down { node, .. }) => {
                (node == gone).then_some(())
            }
            _ => None,
        })
        .await;
        let newcomer = join(&all[victim]).await;
        all.push(newcomer);
        let mut readers = Vec::new();
        for node in &all {
            readers.push(node.subscribe(ECHO).own_messages().await.unwrap());
        }
        let alive: Vec<&Node> = all.iter().collect();
        for node in &all {
            nodes::knows_readers(node, ECHO.name(), &alive).await;
        }
        for (author, node) in (0..).zip(&all) {
            node.publish(ECHO, &(round, author)).await.unwrap();
        }
        for reader in &mut readers {
            // A newcomer may be told of the round before it as well.
            let mut heard = BTreeSet::new();
            while heard.len() < all.len() {
                let (of, author) = nodes::next(reader).await;
                assert!(of < round || heard.insert(author), "{author} came twice");
            }
        }
    }
    within("the end", leave(all)).await;
}
