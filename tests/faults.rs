//! Faults on purpose: what a node does to its links when it is told to, over TCP.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod nodes;

use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{
    Config, ConnectError, Error, Event, Fault, FaultDirection, FaultEffect, FaultError, FaultPeer,
    Node, NodeId, Raw, Topic,
};
use tokio::time::{Instant, timeout};

use nodes::{address, event, eventually, is_linked, lab, leave, linked, next, spawn, within};

const LINES: Topic<String> = Topic::new("lines");
const BYTES: Topic<Vec<u8>, Raw> = Topic::new("bytes");

/// What does not happen within this does not happen.
const A_WHILE: Duration = Duration::from_millis(400);

/// A lab whose links can be disturbed, and whose nodes soon find out.
fn fragile() -> Config {
    let mut config = lab();
    config.faults = true;
    config.link.ping_interval = Duration::from_millis(200);
    config.link.ping_timeout = Duration::from_millis(400);
    config.link.hello_timeout = Duration::from_millis(400);
    config.link.handshake_timeout = Duration::from_millis(400);
    config
}

/// The same, but pings may take as long as a test.
fn patient() -> Config {
    let mut config = fragile();
    config.link.ping_timeout = Duration::from_secs(20);
    config
}

async fn pair(config: Config) -> (Node, Node) {
    let one = spawn(config.clone()).await;
    let mut other = config;
    other.bootstrap = vec![address(&one).await];
    let other = spawn(other).await;
    linked(&one, &other).await;
    (one, other)
}

async fn set(node: &Node, peer: &Node, effect: FaultEffect) {
    node.fault(Fault::with(peer.id(), effect)).await.unwrap();
}

async fn unlinked(node: &Node, peer: NodeId) {
    eventually("the loss of a link", || async { !is_linked(node, peer).await }).await;
}

fn delay(millis: u64) -> FaultEffect {
    FaultEffect::Delay { time: Duration::from_millis(millis), jitter: Duration::ZERO }
}

#[tokio::test]
async fn a_cut_link_falls_silent_is_given_up_and_comes_back_when_it_is_mended() {
    let (one, two) = pair(fragile()).await;
    let mut heard = two.subscribe(LINES).await.unwrap();
    nodes::knows_readers(&one, "lines", &[&two]).await;
    set(&one, &two, FaultEffect::Cut).await;
    set(&two, &one, FaultEffect::Cut).await;
    one.publish(LINES, &"lost or late".to_owned()).await.unwrap();
    assert!(timeout(A_WHILE, heard.next()).await.is_err(), "a cut link carries nothing");
    tokio::join!(unlinked(&one, two.id()), unlinked(&two, one.id()));

    // New connections are refused, whoever dials.
    let to_one = within("a dial", two.connect(address(&one).await)).await;
    let to_two = within("a dial", one.connect(address(&two).await)).await;
    assert!(matches!(to_one, Err(Error::Connect(ConnectError::Unreachable { .. }))), "{to_one:?}");
    assert!(matches!(to_two, Err(Error::Connect(ConnectError::Unreachable { .. }))), "{to_two:?}");

    one.fault(Fault::with_all(FaultEffect::Clear)).await.unwrap();
    two.fault(Fault::with_all(FaultEffect::Clear)).await.unwrap();
    linked(&one, &two).await;
    nodes::knows_readers(&one, "lines", &[&two]).await;
    within("a message after the heal", async {
        loop {
            one.publish(LINES, &"healed".to_owned()).await.unwrap();
            match timeout(A_WHILE, heard.next()).await {
                Ok(Some(line)) if line.value == "healed" => return,
                _ => {}
            }
        }
    })
    .await;
    leave([one, two]).await;
}

#[tokio::test]
async fn a_link_that_was_busy_when_it_was_cut_is_given_up_too() {
    let (one, two) = pair(fragile()).await;
    let _heard = two.subscribe(BYTES).await.unwrap();
    nodes::knows_readers(&one, "bytes", &[&two]).await;
    set(&one, &two, FaultEffect::Cut).await;
    set(&two, &one, FaultEffect::Cut).await;
    // Far more than the link takes without an answer.
    for _ in 0..40 {
        one.publish(BYTES, &vec![7; 100_000]).await.unwrap();
    }
    unlinked(&one, two.id()).await;
    one.fault(Fault::with_all(FaultEffect::Clear)).await.unwrap();
    two.fault(Fault::with_all(FaultEffect::Clear)).await.unwrap();
    linked(&one, &two).await;
    leave([one, two]).await;
}

#[tokio::test]
async fn a_link_cut_one_way_still_carries_the_other_way() {
    let (one, two) = pair(patient()).await;
    let (mut at_one, mut at_two) =
        (one.subscribe(LINES).await.unwrap(), two.subscribe(LINES).await.unwrap());
    nodes::knows_readers(&one, "lines", &[&two]).await;
    nodes::knows_readers(&two, "lines", &[&one]).await;
    one.fault(Fault::with(two.id(), FaultEffect::Cut).outbound()).await.unwrap();
    one.publish(LINES, &"held".to_owned()).await.unwrap();
    two.publish(LINES, &"through".to_owned()).await.unwrap();
    assert_eq!(next(&mut at_one).await, "through");
    assert!(timeout(A_WHILE, at_two.next()).await.is_err(), "it is cut this way");
    set(&one, &two, FaultEffect::Clear).await;
    assert_eq!(next(&mut at_two).await, "held", "a short cut loses nothing");
    leave([one, two]).await;
}

#[tokio::test]
async fn a_cut_hits_the_peer_it_is_for_and_nobody_else() {
    let (one, two) = pair(fragile()).await;
    let mut config = fragile();
    config.bootstrap = vec![address(&one).await, address(&two).await];
    let three = spawn(config).await;
    nodes::all_linked(&[one.clone(), two.clone(), three.clone()]).await;
    set(&one, &two, FaultEffect::Cut).await;
    set(&two, &one, FaultEffect::Cut).await;
    unlinked(&one, two.id()).await;
    for node in [&one, &two] {
        assert!(is_linked(node, three.id()).await && is_linked(&three, node.id()).await);
    }
    leave([one, two, three]).await;
}

#[tokio::test]
async fn a_delay_is_seen_in_the_round_trip() {
    let (one, two) = pair(patient()).await;
    one.fault(Fault::with(two.id(), delay(80)).outbound()).await.unwrap();
    two.fault(Fault::with(one.id(), delay(80)).outbound()).await.unwrap();
    let mut heard = two.subscribe(LINES).await.unwrap();
    nodes::knows_readers(&one, "lines", &[&two]).await;
    let start = Instant::now();
    one.publish(LINES, &"slow".to_owned()).await.unwrap();
    assert_eq!(next(&mut heard).await, "slow");
    assert!(start.elapsed() >= Duration::from_millis(80));
    eventually("a ping of twice the delay", || async {
        let peers = one.peers().await.unwrap();
        let ping = peers.iter().find(|peer| peer.id == two.id()).and_then(|peer| peer.round_trip);
        ping.is_some_and(|ping| ping >= Duration::from_millis(160))
    })
    .await;
    leave([one, two]).await;
}

#[tokio::test]
async fn loss_stalls_but_loses_no_message_and_keeps_the_order() {
    let (one, two) = pair(patient()).await;
    let mut heard = two.subscribe(BYTES).await.unwrap();
    nodes::knows_readers(&one, "bytes", &[&two]).await;
    set(&one, &two, FaultEffect::Loss(0.1)).await;
    let start = Instant::now();
    for number in 0..100_u8 {
        one.publish(BYTES, &vec![number; 3_000]).await.unwrap();
    }
    for number in 0..100_u8 {
        assert_eq!(next(&mut heard).await, vec![number; 3_000]);
    }
    assert!(start.elapsed() >= Duration::from_millis(200), "nothing stalled");
    leave([one, two]).await;
}

#[tokio::test]
async fn a_node_cut_off_from_all_comes_back() {
    let (one, two) = pair(fragile()).await;
    let (lost, back) = (two.events(), two.events());
    let id = one.id();
    one.fault(Fault::with_all(FaultEffect::Cut)).await.unwrap();
    // A link that is back before it was missed makes no event.
    event(lost, |event| matches!(event, Event::Unreachable { node } if node == id).then_some(()))
        .await;
    one.fault(Fault::with_all(FaultEffect::Clear)).await.unwrap();
    event(back, |event| matches!(event, Event::Online { node, .. } if node == id).then_some(()))
        .await;
    linked(&one, &two).await;
    leave([one, two]).await;
}

#[tokio::test]
async fn faults_hold_over_websocket_too() {
    let mut config = fragile();
    config.listen = vec!["/ip4/127.0.0.1/tcp/0/ws".parse().unwrap()];
    let (one, two) = pair(config).await;
    set(&one, &two, FaultEffect::Cut).await;
    unlinked(&one, two.id()).await;
    set(&one, &two, FaultEffect::Clear).await;
    linked(&one, &two).await;
    leave([one, two]).await;
}

#[tokio::test]
async fn a_node_that_was_not_allowed_to_refuses() {
    let node = spawn(lab()).await;
    let refused = node.fault(Fault::with_all(FaultEffect::Cut)).await;
    assert_eq!(refused, Err(Error::Fault(FaultError::Off)));
    assert!(node.faults().await.unwrap().is_empty());
    leave([node]).await;
    let mut config = Config::lan();
    config.faults = true;
    let wrong = config.check().unwrap_err().to_string();
    assert!(wrong.contains("QUIC cannot be disturbed"), "{wrong}");
}

#[tokio::test]
async fn faults_are_listed_until_they_are_cleared() {
    let (one, two) = pair(patient()).await;
    let slow = Fault::with(two.id(), delay(5));
    one.fault(slow).await.unwrap();
    one.fault(Fault::with(two.id(), delay(7)).inbound()).await.unwrap();
    let listed = one.faults().await.unwrap();
    let expected = |direction, millis| Fault {
        peer: FaultPeer::One(two.id()),
        direction,
        effect: delay(millis),
    };
    assert_eq!(listed, [expected(FaultDirection::Out, 5), expected(FaultDirection::In, 7)]);
    let certain = one.fault(Fault::with(two.id(), FaultEffect::Loss(1.0))).await;
    assert_eq!(certain, Err(Error::Fault(FaultError::Loss)));
    set(&one, &two, FaultEffect::Clear).await;
    assert!(one.faults().await.unwrap().is_empty());
    leave([one, two]).await;
}
