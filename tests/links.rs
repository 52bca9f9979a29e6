//! Promises about links, kept over every transport.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Config, ConnectError, Error, Event, Multiaddr, Node, NodeId, Topic};
use nodes::proxy::{Proxy, UdpProxy};
use nodes::{address, event, eventually, is_linked, lab, leave, linked, within};
use tokio::time::Instant;

const COUNT: Topic<u32> = Topic::new("count");
/// How long the losing one of two connections lives.
const GRACE: Duration = Duration::from_millis(50);
const CUT: Duration = Duration::from_millis(1_500);

/// The settings of a node that listens here alone.
fn at(listen: &str) -> Config {
    let mut config = lab();
    config.listen = vec![listen.parse().expect("an address")];
    config.link.watch.tie_grace = GRACE;
    config
}

/// The settings of a node that nobody can dial.
fn hidden() -> Config {
    let mut config = lab();
    config.listen = Vec::new();
    config
}

async fn spawn_at(listen: &str) -> Node {
    nodes::spawn(at(listen)).await
}

async fn unlinked(one: &Node, other: &Node) {
    eventually("the end of a link", || async {
        !is_linked(one, other.id()).await && !is_linked(other, one.id()).await
    })
    .await;
}

async fn a_connect_links_both_and_a_second_one_is_told_so(listen: &str) {
    let (one, two) = (spawn_at(listen).await, spawn_at(listen).await);
    let place = address(&one).await;
    assert_eq!(two.connect(place.clone()).await, Ok(one.id()));
    linked(&one, &two).await;
    let again = Err(Error::Connect(ConnectError::AlreadyLinked(one.id())));
    assert_eq!(two.connect(place).await, again);
    assert_eq!(one.connect(address(&two).await).await.map_err(|_| ()), Err(()));
    assert_eq!(one.overview().await.unwrap().links, 1);
    assert_eq!(two.overview().await.unwrap().links, 1);
    leave([one, two]).await;
}

async fn who_is_disconnected_stays_so_until_told_to_connect(listen: &str) {
    let (one, two) = (spawn_at(listen).await, spawn_at(listen).await);
    let dead: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
    two.connect(address(&one).await).await.unwrap();
    linked(&one, &two).await;
    two.disconnect(one.id()).await.unwrap();
    unlinked(&one, &two).await;
    // What dials a place where nobody is would also have dialled a peer, several times.
    let _ = two.connect(dead).await;
    eventually("many dials", || async {
        two.overview().await.unwrap().stats.discovery.dials_failed >= 4
    })
    .await;
    unlinked(&one, &two).await;
    assert_eq!(two.overview().await.unwrap().links, 0);
    assert_eq!(two.connect(address(&one).await).await, Ok(one.id()));
    linked(&one, &two).await;
    leave([one, two]).await;
}

async fn two_that_dial_each_other_at_once_keep_one_link_and_the_order(listen: &str) {
    for attempt in 0..8 {
        let (one, two) = (spawn_at(listen).await, spawn_at(listen).await);
        let mut here = one.subscribe(COUNT).await.unwrap();
        let mut there = two.subscribe(COUNT).await.unwrap();
        let mut lost = one
            .events()
            .filter(|event| futures::future::ready(matches!(event, Event::Unreachable { .. })));
        let (one_at, two_at) = (address(&one).await, address(&two).await);
        let (a, b) = tokio::join!(one.connect(two_at), two.connect(one_at));
        for result in [a, b] {
            let already = matches!(result, Err(Error::Connect(ConnectError::AlreadyLinked(_))));
            assert!(already || result.is_ok(), "attempt {attempt}: {result:?}");
        }
        // From the first connection to beyond the end of the one that lost.
        for n in 0..60 {
            one.publish(COUNT, &n).await.unwrap();
            two.publish(COUNT, &n).await.unwrap();
            tokio::time::sleep(GRACE / 20).await;
        }
        let expected: Vec<u32> = (0..60).collect();
        assert_eq!(nodes::take(&mut here, 60).await, expected, "attempt {attempt}");
        assert_eq!(nodes::take(&mut there, 60).await, expected, "attempt {attempt}");
        assert_eq!(one.overview().await.unwrap().links, 1);
        assert_eq!(two.overview().await.unwrap().links, 1);
        drop((here, there));
        leave([one, two]).await;
        assert!(lost.next().await.is_none(), "a tie is no lost link");
    }
}

async fn who_comes_back_is_linked_again_without_being_told(listen: &str) {
    let start = |listen: String| {
        let config = at(&listen);
        Node::builder().config(config).key(nodes::key(1)).spawn()
    };
    let one = start(listen.to_owned()).await.unwrap();
    let place = address(&one).await;
    let two = nodes::spawn(hidden()).await;
    two.connect(place.clone()).await.unwrap();
    linked(&one, &two).await;
    let life = one.overview().await.unwrap().life;
    let mut events = two.events();
    drop(one);
    let lost = |event| matches!(event, Event::Unreachable { .. }).then_some(());
    event(&mut events, lost).await;
    let one = restarted(|| start(nodes::place(&place).to_string())).await;
    linked(&one, &two).await;
    assert!(one.overview().await.unwrap().life > life);
    leave([one, two]).await;
}

/// A dropped node frees its port a moment later.
async fn restarted<F: Future<Output = Result<Node, Error>>>(start: impl Fn() -> F) -> Node {
    within("the port coming free", async {
        loop {
            if let Ok(node) = start().await {
                return node;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

macro_rules! over {
    ($listen:literal: $($promise:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            super::$promise($listen).await;
        })+
    };
    ($($transport:ident $listen:literal),+ $(,)?) => {
        $(mod $transport {
            over!($listen:
                a_connect_links_both_and_a_second_one_is_told_so,
                who_is_disconnected_stays_so_until_told_to_connect,
                two_that_dial_each_other_at_once_keep_one_link_and_the_order,
                who_comes_back_is_linked_again_without_being_told,
            );
        })+
    };
}

over! {
    tcp "/ip4/127.0.0.1/tcp/0",
    quic "/ip4/127.0.0.1/udp/0/quic-v1",
    websocket "/ip4/127.0.0.1/tcp/0/ws",
    memory "/memory/0",
}

/// `two` hears `one` before and after a cut of the line between them; nobody but the line acts.
async fn traffic_resumes(config: Config, cut: impl Fn(), mend: impl Fn()) {
    let (one, two) = (nodes::spawn(config).await, nodes::spawn(hidden()).await);
    let mut counts = two.subscribe(COUNT).await.unwrap();
    two.connect(address(&one).await).await.unwrap();
    linked(&one, &two).await;
    nodes::knows_readers(&one, COUNT.name(), &[&two]).await;
    one.publish(COUNT, &0).await.unwrap();
    assert_eq!(nodes::next(&mut counts).await, 0);
    cut();
    tokio::time::sleep(CUT).await;
    mend();
    let mut sent = 0;
    within("traffic after the cut", async {
        loop {
            sent += 1;
            one.publish(COUNT, &sent).await.unwrap();
            let wait = Duration::from_millis(20);
            if let Ok(Some(got)) = tokio::time::timeout(wait, counts.next()).await {
                assert!((1..=sent).contains(&got.value));
                return;
            }
        }
    })
    .await;
    leave([one, two]).await;
}

#[tokio::test]
async fn traffic_resumes_by_itself_after_a_cut_of_tcp() {
    let proxy = Proxy::open().await;
    traffic_resumes(proxy.before("", lab()), || proxy.cut(), || proxy.mend()).await;
}

#[tokio::test]
async fn traffic_resumes_by_itself_after_a_cut_of_websocket() {
    let proxy = Proxy::open().await;
    traffic_resumes(proxy.before("/ws", lab()), || proxy.cut(), || proxy.mend()).await;
}

#[tokio::test]
async fn traffic_resumes_by_itself_after_a_stall_of_tcp() {
    let proxy = Proxy::open().await;
    traffic_resumes(proxy.before("", lab()), || proxy.stall(), || proxy.mend()).await;
}

#[tokio::test]
async fn traffic_resumes_by_itself_after_a_cut_of_quic() {
    let proxy = UdpProxy::open().await;
    traffic_resumes(proxy.before(lab()), || proxy.cut(), || proxy.mend()).await;
}

#[tokio::test]
async fn what_is_published_during_a_cut_arrives_after_it() {
    let proxy = Proxy::open().await;
    let one = nodes::spawn(proxy.before("", lab())).await;
    let two = nodes::spawn(hidden()).await;
    let mut counts = two.subscribe(COUNT).await.unwrap();
    two.connect(address(&one).await).await.unwrap();
    nodes::knows_readers(&one, COUNT.name(), &[&two]).await;
    let mut events = one.events();
    proxy.cut();
    event(&mut events, |event| matches!(event, Event::Unreachable { .. }).then_some(())).await;
    for n in 0..20 {
        one.publish(COUNT, &n).await.unwrap();
    }
    proxy.mend();
    assert_eq!(nodes::take(&mut counts, 20).await, (0..20).collect::<Vec<u32>>());
    leave([one, two]).await;
}

/// The settings of a node that notices a silent line within half a second.
fn watchful(mut config: Config) -> Config {
    config.link.ping_interval = Duration::from_millis(100);
    config.link.ping_timeout = Duration::from_millis(150);
    config.link.quic_idle = Duration::from_millis(400);
    config
}

/// Both ends of a silent line close it within the time of their settings.
async fn a_silent_link_is_closed(config: Config, silence: impl Fn()) {
    let one = nodes::spawn(watchful(config)).await;
    let two = nodes::spawn(watchful(hidden())).await;
    two.connect(address(&one).await).await.unwrap();
    linked(&one, &two).await;
    let (here, there) = (one.events(), two.events());
    silence();
    let begun = Instant::now();
    let lost = |event| matches!(event, Event::Unreachable { .. }).then_some(());
    tokio::join!(event(here, lost), event(there, lost));
    let took = begun.elapsed();
    // Two misses of an interval and a timeout each are half a second; the rest is for a busy
    // machine.
    assert!(took < Duration::from_secs(8), "closed after {took:?}");
}

#[tokio::test]
async fn a_silent_half_open_link_over_tcp_is_closed_within_the_set_time() {
    let proxy = Proxy::open().await;
    a_silent_link_is_closed(proxy.before("", lab()), || proxy.stall()).await;
}

#[tokio::test]
async fn a_silent_half_open_link_over_websocket_is_closed_within_the_set_time() {
    let proxy = Proxy::open().await;
    a_silent_link_is_closed(proxy.before("/ws", lab()), || proxy.stall()).await;
}

#[tokio::test]
async fn a_silent_half_open_link_over_quic_is_closed_within_the_set_time() {
    let proxy = UdpProxy::open().await;
    a_silent_link_is_closed(proxy.before(lab()), || proxy.cut()).await;
}

#[tokio::test]
async fn a_new_life_talks_while_the_old_connection_still_stands_silent() {
    let proxy = Proxy::open().await;
    let mut config = lab();
    // Pings alone must not be what saves it.
    config.link.ping_timeout = Duration::from_secs(60);
    let one = nodes::spawn(proxy.before("", config)).await;
    let start = || Node::builder().config(hidden()).key(nodes::key(2)).spawn();
    let old = start().await.unwrap();
    let place = address(&one).await;
    old.connect(place.clone()).await.unwrap();
    linked(&one, &old).await;
    let life = old.overview().await.unwrap().life;
    proxy.stall();
    drop(old);

    let direct = place.to_string().replace("127.0.0.1", "127.0.0.2");
    let new = start().await.unwrap();
    let mut here = one.subscribe(COUNT).await.unwrap();
    let mut there = new.subscribe(COUNT).await.unwrap();
    // Refused or not at first: the address is dialled until there is a link.
    let _ = new.connect(direct.parse().unwrap()).await;
    nodes::knows_readers(&one, COUNT.name(), &[&new]).await;
    nodes::knows_readers(&new, COUNT.name(), &[&one]).await;
    one.publish(COUNT, &1).await.unwrap();
    new.publish(COUNT, &2).await.unwrap();
    assert_eq!(nodes::next(&mut there).await, 1);
    assert_eq!(nodes::next(&mut here).await, 2);
    let known = one.peers().await.unwrap().remove(0);
    assert_eq!(known.id, new.id());
    assert!(known.linked && known.life > life);
    drop((here, there));
    leave([one, new]).await;
}

#[tokio::test]
async fn a_node_has_at_most_as_many_links_as_it_is_set_to() {
    let mut config = lab();
    config.link.max_links = 2;
    let one = nodes::spawn(config).await;
    let place = address(&one).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut config = hidden();
        config.discovery.backoff_max = Duration::from_millis(50);
        let other = nodes::spawn(config).await;
        let _ = other.connect(place.clone()).await;
        assert!(one.overview().await.unwrap().links <= 2);
        others.push(other);
    }
    // Whoever has no link tries again and again.
    eventually("many more dials", || async {
        assert!(one.overview().await.unwrap().links <= 2);
        let mut dials = Vec::new();
        for other in &others {
            dials.push(other.overview().await.unwrap().stats.discovery.dials);
        }
        dials.sort_unstable();
        dials[..2].iter().all(|dials| *dials >= 1) && dials[2..].iter().all(|dials| *dials >= 5)
    })
    .await;
    leave(others.drain(..1)).await;
    leave(others).await;
    leave([one]).await;
}

#[tokio::test]
async fn one_ip_address_opens_no_more_connections_a_second_than_it_may() {
    use tokio::io::AsyncReadExt;
    let mut config = lab();
    config.link.max_inbound_per_ip = 3;
    let one = nodes::spawn(config).await;
    let place = address(&one).await.to_string();
    let port: u16 = place.split('/').nth(4).unwrap().parse().unwrap();
    let begun = Instant::now();
    let mut waiting = Vec::new();
    for _ in 0..30 {
        let mut line = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        waiting.push(async move {
            // Whoever was let in waits for our word; the others are shown the door.
            let mut byte = [0];
            let patience = Duration::from_secs(1);
            tokio::time::timeout(patience, line.read(&mut byte)).await.is_err()
        });
    }
    let within = begun.elapsed().as_secs();
    let admitted = futures::future::join_all(waiting).await.into_iter().filter(|in_| *in_).count();
    let allowed = 3 * (usize::try_from(within).unwrap() + 2);
    assert!((1..=allowed).contains(&admitted), "{admitted} of 30 in {within} s");
    leave([one]).await;
}

#[tokio::test]
async fn a_port_is_chosen_by_the_system_or_by_the_operator() {
    let one = nodes::spawn(lab()).await;
    let place = address(&one).await;
    assert!(!place.to_string().contains("/tcp/0"));
    let chosen = nodes::place(&place);
    let error = Node::builder().config(at(&chosen.to_string())).spawn().await.unwrap_err();
    assert!(matches!(&error, Error::Network(why) if why.contains(&chosen.to_string())), "{error}");
    leave([one]).await;
    let two = nodes::spawn(at(&chosen.to_string())).await;
    assert_eq!(nodes::place(&address(&two).await), chosen);
    leave([two]).await;
}

#[tokio::test]
async fn a_node_listens_where_it_is_bound_and_nowhere_else() {
    let one = spawn_at("/ip4/127.0.0.3/tcp/0").await;
    let place = nodes::place(&address(&one).await);
    let two = nodes::spawn(hidden()).await;
    let elsewhere: Multiaddr = place.to_string().replace("127.0.0.3", "127.0.0.4").parse().unwrap();
    let error = two.connect(elsewhere).await.unwrap_err();
    assert!(matches!(error, Error::Connect(ConnectError::Unreachable { .. })), "{error}");
    assert_eq!(two.connect(place).await, Ok(one.id()));
    leave([one, two]).await;
}

#[tokio::test]
async fn others_are_told_the_announced_address_alone_and_dial_it() {
    let proxy = Proxy::open().await;
    let one = nodes::spawn(proxy.before("", lab())).await;
    let announced = nodes::place(&address(&one).await);
    assert!(announced.to_string().contains("127.0.0.1"));
    let two = nodes::join(&one).await;
    let three = nodes::join(&two).await;
    linked(&one, &three).await;
    let told = |peers: Vec<gossip_mesh::Peer>, id: NodeId| {
        peers.into_iter().find(|peer| peer.id == id).map(|peer| peer.addresses)
    };
    let addresses = told(three.peers().await.unwrap(), one.id());
    assert_eq!(addresses, Some(vec![announced]));
    leave([one, two, three]).await;
}
