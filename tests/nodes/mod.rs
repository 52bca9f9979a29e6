//! Real nodes on loopback, and how to wait for them. What a test begins ends with it: a node stops
//! with its last handle, a proxy when it is dropped.

#![expect(dead_code, reason = "no file of tests needs all of it")]

pub mod proxy;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures::{Stream, StreamExt};
use gossip_mesh::{
    Cbor, Codec, Config, Event, Multiaddr, Node, NodeId, SecretKey, Subscription, Topic, Topology,
};

/// No promise takes longer on a busy machine. What does is broken.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How far the clocks of two nodes on this machine may be apart, in microseconds: each reads the
/// system's once, and may be interrupted while it does.
pub const CLOCKS: u64 = 50_000;

/// The wait between two looks at what has no event.
const LOOK: Duration = Duration::from_millis(5);

/// The lab, less patient with the dead.
pub fn lab() -> Config {
    let mut config = Config::lab();
    config.discovery.backoff_first = Duration::from_millis(50);
    config.discovery.backoff_max = Duration::from_millis(500);
    config
}

/// The key of node `n`: the same in every run.
pub fn key(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

/// A running node with these settings.
pub async fn spawn(config: Config) -> Node {
    Node::builder().config(config).spawn().await.expect("a node of the lab starts")
}

/// The settings of a node that knows one address of `entry`.
pub async fn through(entry: &Node) -> Config {
    let mut config = lab();
    config.bootstrap = vec![address(entry).await];
    config
}

/// A node that joins through `entry`.
pub async fn join(entry: &Node) -> Node {
    spawn(through(entry).await).await
}

/// `count` nodes, all but the first joined through the first; all know all.
pub async fn network(count: usize) -> Vec<Node> {
    let mut nodes = vec![spawn(lab()).await];
    while nodes.len() < count {
        let next = join(&nodes[0]).await;
        nodes.push(next);
    }
    all_linked(&nodes).await;
    nodes
}

/// A fixed graph with all its edges up: node `n` has `key(n + 1)`, the name `n`, and a neighbour
/// for each edge it is in.
pub async fn graph(count: u8, edges: &[(u8, u8)]) -> Vec<Node> {
    graph_of(&lab(), count, edges).await
}

/// The same with other settings.
pub async fn graph_of(config: &Config, count: u8, edges: &[(u8, u8)]) -> Vec<Node> {
    let mut nodes = Vec::new();
    for n in 0..count {
        let mut config = config.clone();
        config.topology = Topology::Fixed(BTreeMap::new());
        let node = Node::builder().config(config).key(key(n + 1)).name(n.to_string());
        nodes.push(node.spawn().await.expect("a node of the graph starts"));
    }
    rewire(&nodes, edges).await;
    for (a, b) in edges {
        let (a, b) = (&nodes[usize::from(*a)], &nodes[usize::from(*b)]);
        linked(a, b).await;
    }
    nodes
}

/// Gives each node of a fixed graph a neighbour for each edge it is in, and no others.
pub async fn rewire(nodes: &[Node], edges: &[(u8, u8)]) {
    for (n, node) in nodes.iter().enumerate() {
        let mut neighbours = BTreeMap::new();
        for (a, b) in edges.iter().map(|(a, b)| (usize::from(*a), usize::from(*b))) {
            let other = if a == n { b } else { a };
            if a == n || b == n {
                neighbours.insert(nodes[other].id(), vec![address(&nodes[other]).await]);
            }
        }
        node.rewire(Topology::Fixed(neighbours)).await.expect("a fixed graph stays fixed");
    }
}

/// A subscription of every node, its own messages too; all know of all.
pub async fn all_read<T: 'static>(nodes: &[Node], topic: &Topic<T>) -> Vec<Subscription<T>>
where
    Cbor: Codec<T>,
{
    let mut readers = Vec::new();
    for node in nodes {
        let reader = node.subscribe(topic.clone()).own_messages().await;
        readers.push(reader.expect("the topic can be read"));
    }
    for node in nodes {
        knows_readers(node, topic.name(), &nodes.iter().collect::<Vec<_>>()).await;
    }
    readers
}

/// A place where others can dial the node.
pub async fn address(node: &Node) -> Multiaddr {
    let addresses = node.addresses().await.expect("the node runs");
    addresses.first().expect("the node listens").clone()
}

/// The address without the id at its end.
pub fn place(address: &Multiaddr) -> Multiaddr {
    let text = address.to_string();
    let place = text.split("/p2p/").next().unwrap_or_default();
    place.parse().expect("the beginning of an address is one")
}

/// What comes of `future`, or a failed test.
///
/// # Panics
/// When it takes longer than [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_elapsed) => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}

/// Waits until `look` sees it.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    within(what, async {
        while !look().await {
            tokio::time::sleep(LOOK).await;
        }
    })
    .await;
}

/// Whether `node` has a live link with `peer`.
pub async fn is_linked(node: &Node, peer: NodeId) -> bool {
    let peers = node.peers().await.expect("the node runs");
    peers.iter().any(|known| known.id == peer && known.linked)
}

/// Whether topics travel from `node` to `peer`. Members that watch each other are linked as well.
pub async fn are_neighbours(node: &Node, peer: NodeId) -> bool {
    let peers = node.peers().await.expect("the node runs");
    peers.iter().any(|known| known.id == peer && known.linked && known.neighbour)
}

/// Waits until both know of their link.
pub async fn linked(one: &Node, other: &Node) {
    let what = format!("a link between {} and {}", one.name(), other.name());
    eventually(&what, || async {
        is_linked(one, other.id()).await && is_linked(other, one.id()).await
    })
    .await;
}

/// Waits until each has a link with each.
pub async fn all_linked(nodes: &[Node]) {
    for (place, one) in nodes.iter().enumerate() {
        for other in &nodes[..place] {
            linked(one, other).await;
        }
    }
}

/// Waits until `node` knows that all of `readers` read the topic.
pub async fn knows_readers(node: &Node, topic: &str, readers: &[&Node]) {
    let what = format!("{} hearing of {} readers of {topic}", node.name(), readers.len());
    eventually(&what, || async {
        let peers = node.peers().await.expect("the node runs");
        let reads = |id: NodeId| peers.iter().any(|p| p.id == id && p.topics.contains(topic));
        readers.iter().map(|reader| reader.id()).filter(|id| *id != node.id()).all(reads)
    })
    .await;
}

/// The next message.
pub async fn next<T, C: gossip_mesh::Codec<T>>(from: &mut Subscription<T, C>) -> T {
    within("a message", from.next()).await.expect("the node runs").value
}

/// The next `count` messages.
pub async fn take<T, C: gossip_mesh::Codec<T>>(
    from: &mut Subscription<T, C>,
    count: usize,
) -> Vec<T> {
    let mut values = Vec::with_capacity(count);
    for place in 0..count {
        let next = within(&format!("message {place} of {count}"), from.next()).await;
        values.push(next.expect("the node runs").value);
    }
    values
}

/// The first event that `wanted` takes.
pub async fn event<T>(
    mut events: impl Stream<Item = Event> + Unpin,
    mut wanted: impl FnMut(Event) -> Option<T>,
) -> T {
    within("an event", async {
        while let Some(event) = events.next().await {
            if let Some(found) = wanted(event) {
                return found;
            }
        }
        panic!("the node stopped before the event");
    })
    .await
}

/// Good-bye to all of them.
pub async fn leave(nodes: impl IntoIterator<Item = Node>) {
    let leaving = nodes.into_iter().map(|node| async move { node.leave().await });
    for left in within("the leaving", futures::future::join_all(leaving)).await {
        left.expect("leaving is no error");
    }
}
