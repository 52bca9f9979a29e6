//! Promises about beginning and ending. Alone in their process where they count what it holds.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::fs;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Config, Error, Event, Node, Query, Standing, Topic};
use nodes::{address, event, eventually, join, lab, leave, linked, within};

const CHAT: Topic<String> = Topic::new("chat");

/// Open files and sockets of this process.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn all_kinds(mut config: Config) -> Config {
    let kinds = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0/ws"];
    config.listen = kinds.iter().map(|place| place.parse().expect("an address")).collect();
    config
}

/// One life of two nodes that meet and talk; every other time they end without a word.
async fn a_life(round: usize, data: &std::path::Path) {
    let one = Node::builder().config(all_kinds(lab())).data(data).spawn().await.unwrap();
    let mut config = all_kinds(lab());
    config.bootstrap = vec![one.addresses().await.unwrap().remove(round % 3)];
    let two = nodes::spawn(config).await;
    let mut lines = two.subscribe(CHAT).await.unwrap();
    let handler = two.on(CHAT, |_| std::future::ready(())).await.unwrap();
    one.publish(CHAT, &round.to_string()).await.unwrap();
    assert_eq!(nodes::next(&mut lines).await, round.to_string());
    if round.is_multiple_of(2) {
        leave([one, two]).await;
        assert!(lines.next().await.is_none(), "a subscription ends with its node");
    } else {
        let watching = one.clone();
        drop((one, two, lines, handler));
        watching.leave().await.unwrap();
    }
}

/// The only test of this file that counts, so the others are kept out of its process: it runs
/// itself again, alone.
#[test]
fn a_hundred_lives_leave_no_task_no_socket_and_no_file() {
    const ALONE: &str = "GOSSIP_MESH_LIVES";
    if std::env::var_os(ALONE).is_none() {
        let name = "a_hundred_lives_leave_no_task_no_socket_and_no_file";
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let metrics = tokio::runtime::Handle::current().metrics();
        let folder = tempfile::tempdir().unwrap();
        a_life(0, folder.path()).await;
        let at_first = list(folder.path());
        eventually("the first tasks ending", || async { metrics.num_alive_tasks() == 0 }).await;
        let files = open_files();
        for round in 1..=100 {
            a_life(round, folder.path()).await;
        }
        eventually("all tasks ending", || async { metrics.num_alive_tasks() == 0 }).await;
        let left = format!("{files} open files again");
        eventually(&left, || async { open_files() <= files }).await;
        assert_eq!(list(folder.path()), at_first);
    });
}

fn list(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn who_leaves_is_seen_as_left_by_all_and_not_as_failed() {
    let mut all = nodes::network(4).await;
    let leaver = all.remove(1);
    let (id, life) = (leaver.id(), leaver.overview().await.unwrap().life);
    let watching: Vec<_> = all.iter().map(Node::events).collect();
    leave([leaver]).await;
    for events in watching {
        let news = |event| match event {
            Event::Left { node, life } if node == id => Some(Ok(life)),
            Event::Unreachable { node } if node == id => Some(Err("failed")),
            _ => None,
        };
        assert_eq!(event(events, news).await, Ok(life));
    }
    for node in &all {
        let peers = node.peers().await.unwrap();
        let standing = peers.iter().find(|peer| peer.id == id).map(|peer| peer.standing);
        assert_eq!(standing, Some(Standing::Left));
        eventually("the link's end", || async { !nodes::is_linked(node, id).await }).await;
    }
    leave(all).await;
}

#[tokio::test]
async fn who_is_killed_is_not_seen_as_left() {
    let one = nodes::spawn(lab()).await;
    let two = join(&one).await;
    linked(&one, &two).await;
    let events = one.events();
    let id = two.id();
    drop(two);
    let news = |event| match event {
        Event::Left { node, .. } if node == id => Some("left"),
        Event::Unreachable { node } if node == id => Some("unreachable"),
        _ => None,
    };
    assert_eq!(event(events, news).await, "unreachable");
    assert_eq!(one.peers().await.unwrap()[0].standing, Standing::Unreachable);
    leave([one]).await;
}

#[tokio::test]
async fn who_left_comes_back_in_a_new_life_and_is_online_again() {
    let one = nodes::spawn(lab()).await;
    let place = address(&one).await;
    let start = || async {
        let mut config = lab();
        config.bootstrap = vec![place.clone()];
        Node::builder().config(config).key(nodes::key(5)).spawn().await.unwrap()
    };
    let mut lines = one.subscribe(CHAT).await.unwrap();
    for round in 0..3 {
        let two = start().await;
        linked(&one, &two).await;
        two.publish(CHAT, &round.to_string()).await.unwrap();
        assert_eq!(nodes::next(&mut lines).await, round.to_string());
        assert_eq!(one.peers().await.unwrap()[0].standing, Standing::Alive);
        leave([two]).await;
        eventually("the good-bye", || async {
            one.peers().await.unwrap()[0].standing == Standing::Left
        })
        .await;
    }
    drop(lines);
    leave([one]).await;
}

#[tokio::test]
async fn a_node_stops_with_its_last_handle_and_not_before() {
    let one = nodes::spawn(lab()).await;
    let two = join(&one).await;
    linked(&one, &two).await;
    let id = two.id();
    let clone = two.clone();
    let mut events = two.events();
    drop(two);
    let lines = clone.subscribe(CHAT).await.unwrap();
    drop(clone);
    one.publish(CHAT, &"still".to_owned()).await.unwrap();
    let mut lines = lines;
    assert_eq!(nodes::next(&mut lines).await, "still", "a subscription holds its node");
    let lost = one.events();
    drop(lines);
    event(lost, |event| matches!(event, Event::Unreachable { node } if node == id).then_some(()))
        .await;
    within("the end of the events", async { while events.next().await.is_some() {} }).await;
    leave([one]).await;
}

#[tokio::test]
async fn every_verb_after_a_leave_says_that_the_node_has_stopped() {
    let one = nodes::spawn(lab()).await;
    let place = address(&one).await;
    let id = one.id();
    let clone = one.clone();
    leave([one.clone()]).await;
    within("the stop", one.stopped()).await;
    for node in [one, clone] {
        assert_eq!(node.publish(CHAT, &String::new()).await, Err(Error::Stopped));
        let confirmed = node.publish(CHAT, &String::new()).confirmed(Duration::from_secs(1)).await;
        assert_eq!(confirmed.map(drop), Err(Error::Stopped));
        assert_eq!(node.subscribe(CHAT).await.map(drop), Err(Error::Stopped));
        assert_eq!(node.on(CHAT, |_| std::future::ready(())).await.map(drop), Err(Error::Stopped));
        assert_eq!(node.messages(Query::default()).await.map(drop), Err(Error::Stopped));
        assert_eq!(node.peers().await, Err(Error::Stopped));
        assert_eq!(node.overview().await.map(drop), Err(Error::Stopped));
        assert_eq!(node.connect(place.clone()).await, Err(Error::Stopped));
        assert_eq!(node.disconnect(id).await, Err(Error::Stopped));
        assert_eq!(node.forget(id).await, Err(Error::Stopped));
        assert_eq!(node.topic(CHAT).wait_for_reader().await, Err(Error::Stopped));
        assert!(node.events().next().await.is_none());
        assert_eq!(node.leave().await, Ok(()), "to leave twice is no error");
    }
}

#[tokio::test]
async fn what_waits_for_a_node_is_told_when_it_leaves() {
    let one = nodes::spawn(lab()).await;
    let topic = one.topic(CHAT);
    let waiting = tokio::spawn(async move { topic.wait_for_reader().await });
    let leaving = [one.clone(), one.clone(), one.clone()];
    leave(leaving).await;
    assert_eq!(within("the end", waiting).await.unwrap(), Err(Error::Stopped));
    within("the stop", one.stopped()).await;
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_running() {
    let one = nodes::spawn(lab()).await;
    let taken = nodes::place(&address(&one).await);
    let free = nodes::spawn(lab()).await;
    let place = nodes::place(&address(&free).await);
    leave([free]).await;
    let mut config = lab();
    config.listen = vec![place.clone(), taken];
    let error = Node::builder().config(config.clone()).spawn().await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error}");
    config.listen = vec![place];
    leave([nodes::spawn(config).await, one]).await;
}

#[tokio::test]
async fn a_publisher_that_waits_for_room_hears_that_the_node_has_stopped() {
    let mut config = lab();
    config.topic.max_waiting = 1;
    let node = nodes::spawn(config).await;
    let publisher = node.publisher(CHAT).await.unwrap();
    // Nobody reads the topic, so nothing leaves the outbox and there is room for some of these.
    let large = "x".repeat(64 * 1024);
    let sending = async { while publisher.send(&large).await.is_ok() {} };
    let leaving = async {
        eventually("there is no room", async || publisher.try_send(&large).is_err()).await;
        node.leave().await.unwrap();
    };
    within("the end of both", async { tokio::join!(sending, leaving) }).await;
    assert_eq!(publisher.try_send(&large), Err(Error::Stopped));
    assert_eq!(publisher.flush().await, Err(Error::Stopped));
}
