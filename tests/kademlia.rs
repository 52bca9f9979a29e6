//! Promises about Kademlia, kept by real nodes on loopback.
//!
//! Nodes also tell each other of all nodes they know by their cards, faster than Kademlia. Here
//! each has room for its own card only, so what it finds it finds by Kademlia.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Config, DiscoveryConfig, Node, NodeId, Topic};

const CHAT: Topic<String> = Topic::new("chat");

/// Nothing here takes longer, unless it never happens.
const PATIENCE: Duration = Duration::from_secs(20);

/// The preset `wan` on loopback, where nobody remembers another's card.
fn config(kademlia: bool) -> Config {
    let (wan, lab) = (Config::wan(), Config::lab());
    Config {
        listen: lab.listen,
        link: lab.link,
        kademlia,
        discovery: DiscoveryConfig { max_cards: 1, ..wan.discovery },
        ..wan
    }
}

async fn start(kademlia: bool, bootstrap: &[&Node]) -> Node {
    let mut builder = Node::builder().config(config(kademlia));
    for node in bootstrap {
        builder = builder.bootstrap(node.addresses().await.unwrap()[0].to_string());
    }
    builder.spawn().await.unwrap()
}

async fn linked(node: &Node) -> Vec<NodeId> {
    let peers = node.peers().await.unwrap().into_iter();
    let mut linked: Vec<_> = peers.filter(|peer| peer.linked).map(|peer| peer.id).collect();
    linked.sort();
    linked
}

/// Waits until each of the nodes is linked with all others.
async fn all_linked(nodes: &[&Node]) {
    let linking = async {
        for node in nodes {
            while linked(node).await.len() + 1 < nodes.len() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, linking).await.expect("all are linked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_know_one_of_them_find_all_others_by_kademlia() {
    let hub = start(true, &[]).await;
    let (one, two) = (start(true, &[&hub]).await, start(true, &[&hub]).await);
    all_linked(&[&hub, &one, &two]).await;
    // The first node goes; a newcomer that knows one of the others finds the rest through it.
    hub.leave().await.unwrap();
    let three = start(true, &[&one]).await;
    all_linked(&[&one, &two, &three]).await;
    for node in [one, two, three] {
        node.leave().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_kademlia_they_do_not() {
    let hub = start(false, &[]).await;
    let (one, two) = (start(false, &[&hub]).await, start(false, &[&hub]).await);
    let linking = async {
        while linked(&hub).await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, linking).await.expect("both are linked with the hub");
    // Longer than Kademlia takes in the other test.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((linked(&one).await, linked(&two).await), (vec![hub.id()], vec![hub.id()]));
    for node in [hub, one, two] {
        node.leave().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_cards_as_well_nodes_of_a_wan_meet_and_talk() {
    let config = Config { discovery: Config::wan().discovery, ..config(true) };
    let hub = Node::builder().config(config.clone()).spawn().await.unwrap();
    let hub_at = hub.addresses().await.unwrap()[0].to_string();
    let joined = || Node::builder().config(config.clone()).bootstrap(&hub_at).spawn();
    let (one, two) = (joined().await.unwrap(), joined().await.unwrap());
    all_linked(&[&hub, &one, &two]).await;
    let mut lines = two.subscribe(CHAT).await.unwrap();
    one.publish(CHAT, &"hello".to_owned()).await.unwrap();
    let line = tokio::time::timeout(PATIENCE, lines.next()).await.expect("a line").unwrap();
    assert_eq!((line.author, line.value.as_str()), (one.id(), "hello"));
    for node in [hub, one, two] {
        node.leave().await.unwrap();
    }
}
