//! Promises about the door, kept to plain libp2p programs on loopback.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod foreign;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foreign::{Foreigner, Seen};
use futures::StreamExt;
use gossip_mesh::{Config, Delivery, Event, Multiaddr, Node, Raw, SecretKey, Subscription, Topic};
use libp2p::PeerId;
use libp2p::identity::Keypair;

const NEWS: Topic<String, Raw> = Topic::new("news").foreign();
const SECRET: Topic<String, Raw> = Topic::new("secret");

/// Nothing here takes longer, unless it never happens.
const PATIENCE: Duration = Duration::from_secs(20);

/// Members that all read `news`, the first `doors` of them with a door for it.
struct Members {
    nodes: Vec<Node>,
    news: Vec<Subscription<String, Raw>>,
}

fn with_door(mut config: Config) -> Config {
    let listen =
        ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws", "/ip4/127.0.0.1/udp/0/quic-v1"];
    config.door.listen = listen.map(|address| address.parse().unwrap()).to_vec();
    config.door.topics = BTreeSet::from(["news".to_owned()]);
    config
}

impl Members {
    async fn start(doors: usize, all: usize, config: Config) -> Self {
        let mut members = Self { nodes: Vec::new(), news: Vec::new() };
        for number in 0..all {
            let config = if number < doors { with_door(config.clone()) } else { config.clone() };
            let mut builder = Node::builder().config(config);
            for node in &members.nodes {
                builder = builder.bootstrap(node.addresses().await.unwrap()[0].to_string());
            }
            let node = builder.spawn().await.unwrap();
            members.news.push(node.subscribe(NEWS).await.unwrap());
            members.nodes.push(node);
        }
        members.meet().await;
        members
    }

    /// Ready when what each of them publishes reaches all others.
    async fn meet(&mut self) {
        let meeting = async {
            for node in &self.nodes {
                while node.topic(NEWS).readers().await.unwrap().len() + 1 < self.nodes.len() {
                    tokio::task::yield_now().await;
                }
                loop {
                    let within = Duration::from_millis(500);
                    let hello = node.publish(NEWS, &"hello".to_owned()).confirmed(within);
                    if hello.await.unwrap().report.missing.is_empty() {
                        break;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, meeting).await.expect("the members meet");
    }

    /// The door of a member over one transport: `ws`, `quic-v1`, or plain `tcp`.
    async fn door(&self, number: usize, over: &str) -> Multiaddr {
        let door = self.nodes[number].overview().await.unwrap().door;
        let fits = |address: &&Multiaddr| match over {
            "tcp" => !address.to_string().ends_with("/ws") && address.to_string().contains("/tcp/"),
            over => address.to_string().ends_with(over),
        };
        let address = door.iter().find(fits).unwrap_or_else(|| panic!("no {over} in {door:?}"));
        address.clone().with_p2p(self.peer(number)).unwrap()
    }

    fn peer(&self, number: usize) -> PeerId {
        PeerId::from(self.nodes[number].id())
    }

    /// A foreign program with this key at these doors, ready when each of them knows it.
    async fn foreigner(&self, key: Keypair, doors: &[(usize, &str)]) -> Foreigner {
        let mut addresses = Vec::new();
        for (number, over) in doors {
            addresses.push(self.door(*number, over).await);
        }
        let mut foreigner = Foreigner::start(key, &["news"], &addresses).await;
        let entering = async {
            for (number, _) in doors {
                while !foreigner.is_greeted(self.peer(*number)).await {
                    self.nodes[*number].publish(NEWS, &"hello".to_owned()).await.unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, entering).await.expect("the doors are open");
        foreigner
    }

    /// The next message a member hears, greetings aside.
    async fn next(&mut self, number: usize) -> Delivery<String> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.news[number].next());
            let delivery = next.await.expect("a message for every member").unwrap();
            if delivery.value != "hello" {
                return delivery;
            }
        }
    }

    async fn leave(self) {
        for node in self.nodes {
            node.leave().await.unwrap();
        }
    }
}

fn numbered(what: &str) -> Vec<String> {
    (0..20).map(|number| format!("{what} {number}")).collect()
}

/// One foreigner per transport, one of them with a key of another kind.
async fn one_of_each(members: &Members) -> Vec<Foreigner> {
    vec![
        members.foreigner(Keypair::generate_ed25519(), &[(0, "tcp")]).await,
        members.foreigner(Keypair::generate_secp256k1(), &[(0, "ws")]).await,
        members.foreigner(Keypair::generate_ed25519(), &[(0, "quic-v1")]).await,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_members_publish_goes_out_bare_and_once_over_every_transport() {
    let members = Members::start(1, 3, Config::lab()).await;
    let mut foreigners = one_of_each(&members).await;
    for payload in numbered("apple") {
        members.nodes[2].publish(NEWS, &payload).await.unwrap();
    }
    members.nodes[0].publish(NEWS, &"at the door".to_owned()).await.unwrap();
    for foreigner in &mut foreigners {
        let mut got = BTreeSet::new();
        while got.len() < 21 {
            let (author, payload) = foreigner.message().await;
            assert_eq!(author, members.peer(0), "the door signs");
            assert!(got.insert(payload.clone()), "{payload} came twice");
        }
        let mut sent: BTreeSet<_> = numbered("apple").into_iter().collect();
        sent.insert("at the door".to_owned());
        assert_eq!(got, sent);
    }
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_foreigners_publish_arrives_at_every_member_once_with_its_author() {
    let mut members = Members::start(1, 3, Config::lab()).await;
    let mut foreigners = one_of_each(&members).await;
    let mut sent = BTreeMap::new();
    for (number, foreigner) in foreigners.iter().enumerate() {
        for payload in numbered(&format!("pear {number}")) {
            foreigner.publish("news", payload.clone()).await;
            sent.insert(payload, foreigner.id);
        }
    }
    for number in 0..3 {
        let mut got = BTreeMap::new();
        while got.len() < sent.len() {
            let delivery = members.next(number).await;
            assert_eq!(delivery.author, members.nodes[0].id(), "the door vouches");
            let author = delivery.foreign_author.unwrap().parse().unwrap();
            assert_eq!(got.insert(delivery.value, author), None, "came twice");
        }
        assert_eq!(got, sent);
    }
    // The foreigners hear each other through the door, under their own names, and nobody itself.
    for foreigner in &mut foreigners {
        let mut got = BTreeMap::new();
        while got.len() < 40 {
            let (author, payload) = foreigner.message().await;
            assert_eq!(got.insert(payload, author), None, "came twice");
        }
        assert!(got.iter().all(|(payload, author)| sent[payload] == *author));
        assert!(got.values().all(|author| *author != foreigner.id), "no echo");
    }
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_doors_into_one_foreign_mesh_give_each_member_each_message_once() {
    let mut members = Members::start(2, 3, Config::lab()).await;
    let doors = [(0, "tcp"), (1, "ws")];
    let mut between = members.foreigner(Keypair::generate_ed25519(), &doors).await;
    for payload in numbered("pear") {
        between.publish("news", payload).await;
    }
    for payload in numbered("apple") {
        members.nodes[2].publish(NEWS, &payload).await.unwrap();
    }
    // Both doors have passed on what members said when the foreigner has it from each.
    let mut heard = BTreeMap::<String, BTreeSet<PeerId>>::new();
    while heard.values().map(BTreeSet::len).sum::<usize>() < 40 {
        let (author, payload) = between.message().await;
        assert!(heard.entry(payload).or_default().insert(author), "a door said it twice");
    }
    // The foreigner's last word ends the count.
    between.publish("news", "end").await;
    let (foreign, own) = (between.id.to_string(), members.nodes[2].id());
    for number in 0..3 {
        let mut got = BTreeSet::new();
        loop {
            let delivery = members.next(number).await;
            let by_foreigner = delivery.foreign_author.is_some();
            assert_eq!(delivery.foreign_author.unwrap_or_else(|| foreign.clone()), foreign);
            assert!(by_foreigner || delivery.author == own);
            if delivery.value == "end" {
                break;
            }
            assert!(got.insert(delivery.value.clone()), "{} came twice", delivery.value);
        }
        assert_eq!(got.len(), if number == 2 { 20 } else { 40 }, "member {number}");
    }
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_the_members_shows_at_the_door_but_what_is_published() {
    let mut members = Members::start(1, 3, Config::lab()).await;
    let mut secrets = Vec::new();
    for node in &members.nodes {
        secrets.push(node.subscribe(SECRET).await.unwrap());
    }
    let door = members.door(0, "tcp").await;
    let topics: Vec<String> = (0..32).map(|bucket| format!("gm/{bucket}")).collect();
    let mut topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    topics.extend(["news", "secret"]);
    let mut curious = Foreigner::start(Keypair::generate_ed25519(), &topics, &[door]).await;
    let mut subscribed = Vec::new();
    let info = curious
        .until("identify", |seen| match seen {
            Seen::Subscribed(topic) => {
                subscribed.push(topic);
                None
            }
            Seen::Identified(info) => Some(info),
            _ => None,
        })
        .await;
    let spoken: Vec<_> = info.protocols.iter().map(ToString::to_string).collect();
    let harmless = ["/ipfs/id/", "/ipfs/ping/", "/ipfs/kad/1.0.0", "/meshsub/1.", "/floodsub/"];
    let allowed = |name: &String| harmless.iter().any(|known| name.starts_with(known));
    assert!(spoken.iter().all(allowed), "{spoken:?}");
    assert!(spoken.iter().any(|name| name == "/ipfs/kad/1.0.0"), "{spoken:?}");
    let own = members.nodes[0].overview().await.unwrap();
    assert_eq!(
        info.listen_addrs.iter().collect::<BTreeSet<_>>(),
        own.door.iter().collect::<BTreeSet<_>>(),
        "the door tells its own addresses only"
    );

    members.nodes[2].publish(SECRET, &"hush".to_owned()).await.unwrap();
    assert_eq!(secrets[0].next().await.unwrap().value, "hush");
    // Nor can a foreigner speak on another topic: what it says after that arrives, that does not.
    curious.publish("news", "from outside").await;
    assert_eq!(members.next(1).await.value, "from outside");
    members.nodes[2].publish(NEWS, &"apple".to_owned()).await.unwrap();
    assert_eq!(curious.message().await.1, "apple", "and nothing of the secret before it");
    curious.look_up().await;
    let found = curious
        .until("who is there", |seen| match seen {
            Seen::Found(peers) => Some(peers),
            Seen::Subscribed(topic) => {
                subscribed.push(topic);
                None
            }
            _ => None,
        })
        .await;
    let door_only = found.iter().all(|peer| peer.peer_id == members.peer(0));
    assert!(door_only, "no member can be found at the door: {found:?}");
    subscribed.retain(|topic| topic != "news");
    assert!(subscribed.is_empty(), "{subscribed:?}");
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreigners_find_each_other_by_the_kademlia_of_the_door() {
    let members = Members::start(1, 1, Config::lab()).await;
    let mut one = members.foreigner(Keypair::generate_ed25519(), &[(0, "tcp")]).await;
    let mut two = members.foreigner(Keypair::generate_ed25519(), &[(0, "ws")]).await;
    let finding = async {
        loop {
            // Until the door has heard where the first one lives.
            two.look_up().await;
            let found = two
                .until("who is there", |seen| match seen {
                    Seen::Found(peers) => Some(peers),
                    _ => None,
                })
                .await;
            if let Some(peer) = found.into_iter().find(|peer| peer.peer_id == one.id) {
                return peer.addrs;
            }
        }
    };
    let addresses = tokio::time::timeout(PATIENCE, finding).await.expect("found");
    let lives_at = one.address.clone().with_p2p(one.id).unwrap();
    assert!(addresses.contains(&lives_at) || addresses.contains(&one.address), "{addresses:?}");
    assert!(one.so_far().iter().all(|seen| !matches!(seen, Seen::Closed)));
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreigner_is_refused_by_members_and_a_member_may_come_as_a_foreigner() {
    let mut members = Members::start(1, 2, Config::lab()).await;
    let mut events = members.nodes[1].events();
    let port = members.nodes[1].addresses().await.unwrap().remove(0);
    let mut stranger = Foreigner::start(Keypair::generate_ed25519(), &["news"], &[port]).await;
    stranger
        .until("the refusal", |seen| match seen {
            Seen::Closed | Seen::Refused => Some(()),
            Seen::Subscribed(topic) => panic!("a member told a stranger of {topic}"),
            Seen::Identified(info) => panic!("a member told a stranger {info:?}"),
            _ => None,
        })
        .await;
    let known = members.nodes[1].peers().await.unwrap();
    assert_eq!(known.len(), 1, "a stranger is nobody: {known:?}");

    // A member without its hello is a foreigner like any other.
    let key = SecretKey::generate();
    let pair = Keypair::from_protobuf_encoding(&key.to_protobuf()).unwrap();
    let member = Node::builder()
        .config(Config::lab())
        .key(key)
        .bootstrap(members.nodes[1].addresses().await.unwrap()[0].to_string())
        .spawn()
        .await
        .unwrap();
    let is_online =
        |event: &Event| matches!(event, Event::Online { node, .. } if *node == member.id());
    let online = async { while !events.next().await.as_ref().is_some_and(is_online) {} };
    tokio::time::timeout(PATIENCE, online).await.expect("the new member is online");
    let outside = members.foreigner(pair, &[(0, "tcp")]).await;
    outside.publish("news", "from outside").await;
    let delivery = members.next(1).await;
    assert_eq!(delivery.foreign_author, Some(member.id().to_string()));
    member.leave().await.unwrap();
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_takes_as_many_as_it_says_and_the_next_when_one_goes() {
    let mut config = Config::lab();
    config.door.max_links = 2;
    let mut members = Members::start(1, 2, config).await;
    let door = members.door(0, "tcp").await;
    let mut inside = members.foreigner(Keypair::generate_ed25519(), &[(0, "tcp")]).await;
    let other = members.foreigner(Keypair::generate_ed25519(), &[(0, "ws")]).await;
    let knock =
        || Foreigner::start(Keypair::generate_ed25519(), &["news"], std::slice::from_ref(&door));
    let refused = |seen| match seen {
        Seen::Closed | Seen::Refused => Some(true),
        Seen::Subscribed(_) => Some(false),
        _ => None,
    };
    assert!(knock().await.until("an answer", refused).await, "a third one is too many");
    let stats = members.nodes[0].overview().await.unwrap().stats.door;
    assert_eq!((stats.links, stats.refused), (2, 1));
    members.nodes[1].publish(NEWS, &"apple".to_owned()).await.unwrap();
    assert_eq!(inside.message().await.1, "apple", "those inside stay");
    drop(other);
    let entering = async { while knock().await.until("an answer", refused).await {} };
    tokio::time::timeout(PATIENCE, entering).await.expect("a place was free");
    inside.publish("news", "pear").await;
    assert_eq!(members.next(1).await.value, "pear");
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_too_large_for_members_is_dropped_and_counted_and_the_stream_lives() {
    let mut config = Config::lab();
    config.topic.max_message_bytes = 1_000;
    let mut members = Members::start(1, 2, config).await;
    let mut foreigner = members.foreigner(Keypair::generate_ed25519(), &[(0, "tcp")]).await;
    foreigner.publish("news", "x".repeat(1_001)).await;
    foreigner.publish("news", "y".repeat(1_000_000)).await;
    foreigner.publish("news", "z".repeat(1_000)).await;
    assert_eq!(members.next(1).await.value, "z".repeat(1_000));
    assert_eq!(members.nodes[0].overview().await.unwrap().stats.topic.malformed, 2);
    members.nodes[1].publish(NEWS, &"a".repeat(1_000)).await.unwrap();
    assert_eq!(foreigner.message().await.1, "a".repeat(1_000));
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_of_the_largest_messages_pass_both_ways() {
    let mut members = Members::start(1, 2, Config::lab()).await;
    let mut foreigner = members.foreigner(Keypair::generate_ed25519(), &[(0, "ws")]).await;
    let largest = members.nodes[0].config().topic.max_message_bytes;
    for letter in ["a", "b", "c", "d", "e"] {
        foreigner.publish("news", letter.repeat(largest)).await;
        members.nodes[1].publish(NEWS, &letter.repeat(largest)).await.unwrap();
    }
    for letter in ["a", "b", "c", "d", "e"] {
        assert!(members.next(1).await.value == letter.repeat(largest), "{letter} goes in");
        assert!(foreigner.message().await.1 == letter.repeat(largest), "{letter} goes out");
    }
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_passes_whole_both_ways() {
    const BURST: usize = 1_000;
    let mut members = Members::start(1, 2, Config::lab()).await;
    let mut foreigner = members.foreigner(Keypair::generate_ed25519(), &[(0, "tcp")]).await;
    for number in 0..BURST {
        foreigner.publish("news", format!("pear {number}")).await;
        members.nodes[1].publish(NEWS, &format!("apple {number}")).await.unwrap();
    }
    let (mut apples, mut pears) = (BTreeSet::new(), BTreeSet::new());
    while pears.len() < BURST {
        assert!(pears.insert(members.next(1).await.value), "came twice");
    }
    while apples.len() < BURST {
        assert!(apples.insert(foreigner.message().await.1), "came twice");
    }
    members.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slow_foreigner_loses_is_counted_and_the_door_goes_on() {
    let mut config = Config::lab();
    config.gossip.queue_messages = 2;
    let members = Members::start(1, 1, config).await;
    let mut foreigner = members.foreigner(Keypair::generate_ed25519(), &[(0, "tcp")]).await;
    for _ in 0..50 {
        members.nodes[0].publish(NEWS, &"x".repeat(500_000)).await.unwrap();
    }
    let counting = async {
        while members.nodes[0].overview().await.unwrap().stats.door.lost == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counting).await.expect("some are lost");
    members.nodes[0].publish(NEWS, &"apple".to_owned()).await.unwrap();
    while foreigner.message().await.1 != "apple" {}
    members.leave().await;
}
