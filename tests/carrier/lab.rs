//! Nodes for the tests of the carrier, and how to wait for them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Codec, Config, Multiaddr, Node, Raw, SecretKey, Subscription, Topic, Topology};

/// Longest wait for what should take a moment. A busy machine is slow, and not for ever.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A topic whose messages begin with their number.
pub const LOAD: Topic<Vec<u8>, Raw> = Topic::new("load");

/// Settings of the lab for bursts: nothing is lost between the node and its subscription.
pub fn lab() -> Config {
    let mut config = Config::lab();
    config.topic.max_undelivered = 20_000;
    config
}

pub async fn spawn(config: Config) -> Node {
    Node::builder().config(config).spawn().await.expect("a node starts")
}

/// A node that knows the address of another.
pub async fn join(entry: &Node, mut config: Config) -> Node {
    config.bootstrap = vec![address(entry).await];
    spawn(config).await
}

pub async fn address(node: &Node) -> Multiaddr {
    node.addresses().await.expect("it runs").remove(0)
}

/// Two linked nodes.
pub async fn pair(config: Config) -> (Node, Node) {
    let one = spawn(config.clone()).await;
    let two = join(&one, config).await;
    eventually("both are linked", async || linked(&one).await == 1 && linked(&two).await == 1)
        .await;
    (one, two)
}

/// Nodes along the edges of a fixed graph.
pub async fn fixed(count: usize, edges: &[(usize, usize)], config: &Config) -> Vec<Node> {
    let keys: Vec<SecretKey> = (0..count).map(|_| SecretKey::generate()).collect();
    let mut nodes: Vec<Node> = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let mut neighbours = BTreeMap::new();
        for other in neighbours_of(number, edges) {
            // The later one of two knows where the earlier one is.
            let places = match nodes.get(other) {
                Some(node) => vec![address(node).await],
                None => Vec::new(),
            };
            neighbours.insert(keys[other].id(), places);
        }
        let config = Config { topology: Topology::Fixed(neighbours), ..config.clone() };
        let node = Node::builder().config(config).key(key.clone()).spawn().await;
        nodes.push(node.expect("a node starts"));
    }
    for (number, node) in nodes.iter().enumerate() {
        let wanted = neighbours_of(number, edges).count();
        eventually("all edges are links", async || linked(node).await >= wanted).await;
    }
    nodes
}

fn neighbours_of(node: usize, edges: &[(usize, usize)]) -> impl Iterator<Item = usize> {
    edges.iter().filter_map(move |(a, b)| match (*a == node, *b == node) {
        (true, _) => Some(*b),
        (_, true) => Some(*a),
        _ => None,
    })
}

pub async fn linked(node: &Node) -> usize {
    node.overview().await.expect("it runs").links
}

/// Waits until it holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// Waits until a message of `node` reaches all other readers, of whom there are `readers`.
pub async fn ready<T, C: Codec<T>>(node: &Node, topic: &Topic<T, C>, value: &T, readers: usize) {
    let topic = node.topic(topic.clone());
    eventually("all readers are known", async || {
        topic.readers().await.expect("it runs").len() == readers
    })
    .await;
    eventually("a message reaches all", async || {
        let sent = topic.publish(value).confirmed(Duration::from_secs(2)).await.expect("it runs");
        sent.report.missing.is_empty()
    })
    .await;
}

/// The message with this number, in `size` bytes.
pub fn load(number: u32, size: usize) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(size.max(4), 0);
    bytes
}

/// What [`ready`] sends: no load.
pub const PROBE: u32 = u32::MAX;

/// Takes messages until it has `count` that are no probes, or none comes for a while; their
/// numbers in the order of their coming.
pub async fn take(messages: &mut Subscription<Vec<u8>, Raw>, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(15), messages.next()).await;
        let Ok(Some(message)) = next else { break };
        let (number, _) = message.value.split_first_chunk().expect("it begins with a number");
        match u32::from_be_bytes(*number) {
            PROBE => {}
            number => numbers.push(number),
        }
    }
    numbers
}

/// Fails when one of `0..count` is missing, or came twice.
pub fn assert_all(mut numbers: Vec<u32>, count: u32, who: &str) {
    let came = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    let missing: Vec<u32> =
        (0..count).filter(|number| numbers.binary_search(number).is_err()).collect();
    assert!(
        missing.is_empty() && came == count as usize,
        "{who}: {came} came of {count}, without {} of them: {:?}",
        missing.len(),
        &missing[..missing.len().min(20)],
    );
}

pub async fn leave(nodes: impl IntoIterator<Item = Node>) {
    futures::future::join_all(nodes.into_iter().map(|node| async move { node.leave().await }))
        .await;
}
