//! Promises about strangers, eavesdroppers and secrets.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "what fails in a step of a test fails the test")]

mod nodes;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{
    Config, ConnectError, Error, Event, Multiaddr, NetworkKey, Node, SecretKey, StoreError, Topic,
};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{gossipsub, identify, noise, ping, tcp, yamux};
use nodes::proxy::Proxy;
use nodes::{address, event, eventually, join, lab, leave, linked, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CHAT: Topic<String> = Topic::new("a-topic-nobody-should-see");

async fn keyed(config: Config, key: Option<u8>) -> Node {
    let builder = Node::builder().config(config);
    let builder = match key {
        Some(byte) => builder.network_key(NetworkKey::new([byte; 32])),
        None => builder,
    };
    builder.spawn().await.unwrap()
}

fn refused(by_us: bool) -> impl FnMut(Event) -> Option<String> {
    move |event| match event {
        Event::Refused { by_us: by, reason, .. } if by == by_us => Some(reason),
        _ => None,
    }
}

fn count(counts: &BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_network_key_is_refused_and_both_sides_are_told() {
    for (theirs, ours) in [(Some(1), Some(2)), (None, Some(2)), (Some(1), None)] {
        let (one, two) = (keyed(lab(), theirs).await, keyed(lab(), ours).await);
        let (here, there) = (one.events(), two.events());
        let error = two.connect(address(&one).await).await.unwrap_err();
        assert!(matches!(error, Error::Connect(ConnectError::Stranger { .. })), "{error}");
        // Who sees the wrong proof first refuses; the other one is told why.
        let reason = tokio::select! {
            reason = async { tokio::join!(
                event(here, refused(true)), event(there, refused(false))) } => reason,
            reason = async { tokio::join!(
                event(one.events(), refused(false)), event(two.events(), refused(true))) } => reason,
        };
        assert!(reason.0.contains("network key") && reason.1.contains("network key"), "{reason:?}");
        let (one_stats, two_stats) =
            (one.overview().await.unwrap().stats, two.overview().await.unwrap().stats);
        let pairs = [
            (&one_stats.refused, &two_stats.refused_by_peers),
            (&two_stats.refused, &one_stats.refused_by_peers),
        ];
        let told = |(a, b): &(&BTreeMap<String, u64>, &BTreeMap<String, u64>)| {
            count(a, "wrong_proof") >= 1 && count(b, "wrong_proof") >= 1
        };
        assert!(pairs.iter().any(told), "{one_stats:?} {two_stats:?}");
        assert!(one.peers().await.unwrap().is_empty() && two.peers().await.unwrap().is_empty());
        leave([one, two]).await;
    }
    let (one, two) = (keyed(lab(), Some(3)).await, keyed(lab(), Some(3)).await);
    assert_eq!(two.connect(address(&one).await).await, Ok(one.id()));
    leave([one, two]).await;
}

#[tokio::test]
async fn another_networks_name_is_refused_with_both_names_told() {
    let one = nodes::spawn(lab()).await;
    let mut config = lab();
    config.network = "elsewhere".to_owned();
    let two = nodes::spawn(config).await;
    let error = two.connect(address(&one).await).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("elsewhere") && text.contains("gossip"), "{text}");
    let (ours, theirs) = (one.overview().await.unwrap().stats, two.overview().await.unwrap().stats);
    let both = [&ours.refused, &ours.refused_by_peers, &theirs.refused, &theirs.refused_by_peers];
    assert_eq!(both.iter().map(|counts| count(counts, "other_network")).sum::<u64>(), 2);
    leave([one, two]).await;
}

#[tokio::test]
async fn settings_that_would_lose_messages_in_silence_are_refused() {
    let one = nodes::spawn(lab()).await;
    let mut config = lab();
    config.topic.buckets = 7;
    let two = nodes::spawn(config).await;
    let error = two.connect(address(&one).await).await.unwrap_err();
    assert!(error.to_string().contains("7"), "{error}");
    leave([one, two]).await;
}

/// Memory of this process in KiB.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

fn port(place: &Multiaddr) -> u16 {
    place.to_string().split('/').nth(4).unwrap_or_default().parse().expect("a TCP address")
}

#[tokio::test]
async fn garbage_half_a_greeting_silence_and_huge_lengths_leave_a_node_healthy() {
    let mut config = lab();
    config.link.hello_timeout = Duration::from_millis(300);
    let one = nodes::spawn(config).await;
    let port = port(&address(&one).await);
    let before = resident();
    let garbage: Vec<u8> =
        (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let first = b"\x13/multistream/1.0.0\n";
    let huge = [&first[..], b"\x07/noise\n", &[0xff; 2], &[0; 65_000]].concat();
    let varint = [&first[..], &[0x80, 0xc2, 0xd7, 0x2f], &[b'a'; 50_000]].concat();
    let words: [&[u8]; 6] = [&garbage, &first[..9], first, b"", &huge, &varint];
    let mut lines = Vec::new();
    for _ in 0..10 {
        for word in words {
            let mut line = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            // The node may close while we write; that is an answer too.
            let _ = tokio::time::timeout(Duration::from_secs(1), line.write_all(word)).await;
            lines.push(line);
        }
    }
    // Some of them stay open, and meanwhile a member is welcome.
    let two = join(&one).await;
    linked(&one, &two).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 50 * 1024, "grew by {grown} KiB");
    // Who says nothing is shown the door too.
    for mut line in lines {
        let mut rest = Vec::new();
        let end = within("the end of a stranger's line", line.read_to_end(&mut rest)).await;
        assert!(end.is_err() || rest.len() < 1_024);
    }
    assert_eq!(one.peers().await.unwrap().len(), 1);
    leave([one, two]).await;
}

#[derive(libp2p::swarm::NetworkBehaviour)]
struct Plain {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// A libp2p program without our hello, that speaks all our protocols.
fn plain() -> libp2p::Swarm<Plain> {
    libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| Plain {
            gossip: gossipsub::Behaviour::new(
                gossipsub::MessageAuthenticity::Signed(key.clone()),
                gossipsub::Config::default(),
            )
            .unwrap(),
            identify: identify::Behaviour::new(identify::Config::new(
                "/gossip-mesh/1".to_owned(),
                key.public(),
            )),
            ping: ping::Behaviour::default(),
        })
        .unwrap()
        .build()
}

#[tokio::test]
async fn a_plain_libp2p_peer_is_refused_and_sees_nothing() {
    let mut config = lab();
    config.link.hello_timeout = Duration::from_millis(500);
    let one = nodes::spawn(config).await;
    let lines = one.subscribe(CHAT).await.unwrap();
    let place = address(&one).await;
    let mut swarm = plain();
    let all_buckets = (0..32).map(|n| gossipsub::IdentTopic::new(format!("gm/{n}")));
    for topic in all_buckets {
        swarm.behaviour_mut().gossip.subscribe(&topic).unwrap();
    }
    let dial = DialOpts::unknown_peer_id().address(nodes::place(&place)).build();
    swarm.dial(dial).unwrap();
    within("the end of the connection", async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionClosed { .. }
                | SwarmEvent::OutgoingConnectionError { .. } => {
                    return;
                }
                SwarmEvent::Behaviour(
                    PlainEvent::Gossip(_) | PlainEvent::Identify(identify::Event::Received { .. }),
                ) => panic!("a stranger was told something"),
                _ => {}
            }
        }
    })
    .await;
    eventually("the refusal being counted", || async {
        let stats = one.overview().await.unwrap().stats;
        stats.silent + stats.broken + stats.refused.values().sum::<u64>() >= 1
    })
    .await;
    assert!(one.peers().await.unwrap().is_empty());
    drop(lines);
    leave([one]).await;
}

#[tokio::test]
async fn who_listens_on_the_line_reads_neither_payload_nor_topic_nor_names() {
    for kind in ["", "/ws"] {
        let proxy = Proxy::open().await;
        let mut config = proxy.before(kind, lab());
        config.name = Some("a-name-nobody-should-see".to_owned());
        config.network = "a-network-nobody-should-see".to_owned();
        let one = nodes::spawn(config.clone()).await;
        let mut other = lab();
        other.network = config.network;
        other.listen = Vec::new();
        other.bootstrap = vec![address(&one).await];
        let two = nodes::spawn(other).await;
        let mut lines = two.subscribe(CHAT).await.unwrap();
        let secret = "a-payload-nobody-should-see ".repeat(50);
        one.publish(CHAT, &secret).await.unwrap();
        assert_eq!(nodes::next(&mut lines).await, secret);
        let seen = proxy.seen();
        assert!(seen.len() > secret.len(), "the message went through the proxy");
        assert!(!seen.windows(17).any(|part| part == b"nobody-should-see"));
        drop(lines);
        leave([one, two]).await;
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777)
}

#[tokio::test]
async fn a_key_file_is_made_for_its_owner_alone_and_keeps_the_node_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let start = || Node::builder().config(lab()).data(&data).name("same").spawn();
    let one = start().await.unwrap();
    let (id, life) = (one.id(), one.overview().await.unwrap().life);
    assert_eq!((mode(&data), mode(&data.join("key"))), (0o700, 0o600));
    leave([one]).await;
    let again = start().await.unwrap();
    assert_eq!(again.id(), id);
    assert!(again.overview().await.unwrap().life > life, "every start is a new life");
    leave([again]).await;

    let file = folder.path().join("elsewhere.key");
    let mut config = lab();
    config.key_file = Some(file.clone());
    let one = nodes::spawn(config.clone()).await;
    let (id, life) = (one.id(), one.overview().await.unwrap().life);
    assert_eq!(mode(&file), 0o600);
    leave([one]).await;
    let again = nodes::spawn(config).await;
    assert_eq!(again.id(), id);
    assert!(again.overview().await.unwrap().life > life, "without a data folder too");
    leave([again]).await;
}

async fn refusal(config: Config) -> (std::path::PathBuf, String) {
    match Node::builder().config(config).spawn().await {
        Err(Error::File { path, reason }) => (path, reason),
        other => panic!("not refused for a file: {other:?}"),
    }
}

#[tokio::test]
async fn key_files_that_others_can_read_or_that_are_none_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8], mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let proper = SecretKey::generate().to_protobuf();
    let digits = "5a".repeat(32);
    let own = |path| Config { key_file: Some(path), ..lab() };
    let network = |path| Config { network_key_file: Some(path), ..lab() };
    let cases = [
        (own(write("open", &proper, 0o644)), "chmod 600"),
        (own(write("garbage", b"garbage", 0o600)), "not an ed25519 secret key"),
        (own(write("empty", b"", 0o600)), "not an ed25519 secret key"),
        (own(folder.path().to_owned()), "cannot be read"),
        (network(write("open.network", digits.as_bytes(), 0o640)), "chmod 600"),
        (network(write("short", b"5a5a", 0o600)), "64 hexadecimal digits"),
        (network(write("binary", &[0xff; 64], 0o600)), "64 hexadecimal digits"),
        (network(folder.path().join("missing")), "openssl rand"),
    ];
    for (config, hint) in cases {
        let file = config.key_file.clone().or_else(|| config.network_key_file.clone());
        let (path, reason) = refusal(config).await;
        assert_eq!(Some(&path), file.as_ref());
        assert!(reason.contains(hint), "{path:?}: {reason}");
        assert!(!reason.contains(&digits), "a secret is never shown");
    }
    let good = network(write("good", format!("{digits}\n").as_bytes(), 0o600));
    leave([nodes::spawn(good).await]).await;
}

#[tokio::test]
async fn a_data_folder_in_use_is_refused_to_a_second_node() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Node::builder().config(lab()).data(folder.path()).spawn();
    let one = start().await.unwrap();
    let error = start().await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::InUse { .. })), "{error:?}");
    leave([one]).await;
    let two = start().await.unwrap();
    leave([two]).await;
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_one_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    for data in [file.clone(), file.join("below")] {
        let error = Node::builder().config(lab()).data(&data).spawn().await.unwrap_err();
        let named = matches!(&error, Error::File { path, .. } if path.starts_with(&file));
        assert!(named, "{error}");
    }
    fs::write(folder.path().join("store.redb"), vec![7; 10_000]).unwrap();
    let error = Node::builder().config(lab()).data(folder.path()).spawn().await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Open { .. })), "{error}");
}

#[tokio::test]
async fn two_nodes_of_one_name_are_two_nodes() {
    let named = |mut config: Config| {
        config.name = Some("ada".to_owned());
        config
    };
    let one = nodes::spawn(named(lab())).await;
    let two = nodes::spawn(named(nodes::through(&one).await)).await;
    let mut lines = one.subscribe(CHAT).await.unwrap();
    two.publish(CHAT, &"hello".to_owned()).await.unwrap();
    let line = within("a line", lines.next()).await.unwrap();
    assert_eq!(line.author, two.id());
    assert_ne!(one.id(), two.id());
    assert_eq!(one.peers().await.unwrap()[0].name, "ada");
    drop(lines);
    leave([one, two]).await;
}
