//! Nodes of this process, linked along a graph.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{join_all, poll_immediate, try_join_all};
use gossip_mesh::{
    Codec, Config, Multiaddr, NetworkKey, Node, Publisher, SecretKey, Topic, TopicHandle, Topology,
};

use super::board::{Board, now};
use super::letter::{Letter, NO_PART};
use super::measure::Subject;
use super::outcome::Counters;
use super::run::{Accepted, Author, Authors};
use super::usage::Watched;
use crate::exit::Failure;
use crate::lab::graph::Graph;

/// What connections are made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// TCP, noise and yamux.
    Tcp,
    /// QUIC.
    Quic,
    /// Websocket over TCP, noise and yamux.
    Websocket,
    /// Memory of this process, noise and yamux.
    Memory,
}

/// Nodes that are linked with their neighbours. The first are the authors.
#[derive(Debug)]
pub struct Mesh {
    nodes: Vec<Node>,
    compressed: bool,
}

/// A node, as it writes values of a type in a codec.
pub struct Writer<T, C> {
    publisher: Publisher<T, C>,
    size: usize,
}

/// The topic that is measured.
fn topic<T, C>(compressed: bool) -> Topic<T, C> {
    let topic = Topic::new("bench");
    if compressed { topic.compressed() } else { topic }
}

impl Mesh {
    /// Starts a node for each of the graph, and waits until all neighbours are linked. The topic
    /// is compressed where that is asked for.
    ///
    /// # Errors
    /// A node that cannot be started, neighbours that do not find each other in time.
    pub async fn start(
        graph: &Graph,
        transport: Transport,
        compressed: bool,
    ) -> Result<Self, Failure> {
        let keys: Vec<SecretKey> = graph.nodes().map(|_| SecretKey::generate()).collect();
        let hash = blake3::hash(&SecretKey::generate().to_protobuf());
        let secret: NetworkKey = hash.to_hex().parse()?;
        let mut mesh = Self { nodes: Vec::new(), compressed };
        let mut places: BTreeMap<usize, Vec<Multiaddr>> = BTreeMap::new();
        for (number, key) in keys.iter().enumerate() {
            // Of two neighbours the later one knows where the earlier one is.
            let neighbours = graph.neighbours(number).iter().filter_map(|other| {
                let place = places.get(other).cloned().unwrap_or_default();
                Some((keys.get(*other)?.id(), place))
            });
            let mut config = Config::lab();
            config.listen = vec![transport.place()];
            config.topology = Topology::Fixed(neighbours.collect());
            let node = Node::builder().config(config).key(key.clone());
            let node = node.network_key(secret.clone()).spawn().await?;
            places.insert(number, node.addresses().await?);
            mesh.nodes.push(node);
        }
        for (number, node) in mesh.nodes.iter().enumerate() {
            wait_for_links(node, graph.degree(number)).await?;
        }
        Ok(mesh)
    }

    /// Has the first nodes publish, and all others read, so many times each; where several publish,
    /// they read too. Waits until a message of each author comes to all. Everything after it is
    /// written on the board.
    ///
    /// # Errors
    /// When it does not come to all in time.
    pub async fn connect<T, C>(
        &self,
        (authors, subscribers): (usize, usize),
        size: usize,
        board: &Arc<Board>,
    ) -> Result<Authors<Writer<T, C>>, Failure>
    where
        T: Letter + Sync,
        C: Codec<T> + 'static,
    {
        let alone = usize::from(authors == 1);
        let readers = self.nodes.iter().skip(alone);
        let each = readers.flat_map(|node| std::iter::repeat_n(node, subscribers));
        for (receiver, node) in each.enumerate() {
            let mut letters = node.subscribe(topic::<T, C>(self.compressed)).await?;
            let board = board.clone();
            // It ends with its node.
            tokio::spawn(async move {
                while let Some(letter) = letters.next().await {
                    board.received(receiver, letter.value.read(size));
                }
            });
        }
        let mut writers = Vec::new();
        for author in self.nodes.iter().take(authors) {
            let topic = author.topic(topic(self.compressed));
            wait_for_readers(&topic, self.nodes.len() - 1, size).await?;
            writers.push(Writer { publisher: topic.publisher().await?, size });
        }
        Ok(Authors(writers))
    }

    /// Ends all nodes.
    pub async fn end(self) {
        // What a node that ends has to say is of no interest any more.
        join_all(self.nodes.iter().map(Node::leave)).await;
    }
}

impl Subject for Mesh {
    async fn counters(&self) -> Result<Option<Counters>, Failure> {
        let each = try_join_all(self.nodes.iter().map(Node::overview)).await?;
        let each = each.iter().map(|node| Counters::of(&node.stats));
        Ok(Some(each.fold(Counters::default(), Counters::plus)))
    }

    fn watched(&self) -> &Watched {
        &Watched::Own
    }
}

impl<T, C> Author for Writer<T, C>
where
    T: Letter,
    C: Codec<T>,
{
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure> {
        let letter = T::write(number, self.size);
        let send = self.publisher.send(&letter);
        tokio::pin!(send);
        if let Some(sent) = poll_immediate(&mut send).await {
            sent?;
            return Ok(Accepted::AtOnce);
        }
        send.await?;
        Ok(Accepted::Later)
    }
}

/// Waits until all readers are known and confirm a message, so that every way is open.
async fn wait_for_readers<T, C>(
    topic: &TopicHandle<T, C>,
    readers: usize,
    size: usize,
) -> Result<(), Failure>
where
    T: Letter,
    C: Codec<T>,
{
    let letter = T::write(NO_PART, size);
    let begin = now();
    loop {
        if topic.readers().await?.len() >= readers {
            let sent = topic.publish(&letter).confirmed(CONFIRM).await?;
            if sent.report.missing.is_empty() {
                return Ok(());
            }
        }
        if now().duration_since(begin) > START {
            return Err(Failure::failed(format!(
                "not all of {readers} nodes confirm a message within {} s: try fewer nodes, or a \
                 smaller --size",
                START.as_secs()
            )));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

async fn wait_for_links(node: &Node, wanted: usize) -> Result<(), Failure> {
    let begin = now();
    while node.overview().await?.links < wanted {
        if now().duration_since(begin) > START {
            return Err(Failure::failed(format!(
                "a node has not found its {wanted} neighbours within {} s: is the machine busy?",
                START.as_secs()
            )));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

impl Transport {
    /// The names that are known, for messages.
    pub const NAMES: &str = "tcp, quic, websocket or memory";

    /// Where a node listens: on loopback, at a free port.
    pub(super) fn place(self) -> Multiaddr {
        let text = match self {
            Self::Tcp => "/ip4/127.0.0.1/tcp/0",
            Self::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
            Self::Websocket => "/ip4/127.0.0.1/tcp/0/ws",
            Self::Memory => "/memory/0",
        };
        text.parse().expect("these four are addresses, which a test holds")
    }
}

impl FromStr for Transport {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::Tcp, Self::Quic, Self::Websocket, Self::Memory];
        let found = all.into_iter().find(|transport| transport.to_string() == name);
        found.ok_or_else(|| format!("expected {}", Self::NAMES))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
            Self::Websocket => "websocket",
            Self::Memory => "memory",
        })
    }
}

/// How long links and readers have to be there.
const START: Duration = Duration::from_secs(60);
/// How long readers have to confirm, before they are asked again.
const CONFIRM: Duration = Duration::from_secs(2);
/// How often a wait looks again.
const GLANCE: Duration = Duration::from_millis(20);
