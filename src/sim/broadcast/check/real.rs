//! A network of real nodes in this process, and what its messages did.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{join_all, try_join_all};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Measured;
use crate::base::id::NodeId;
use crate::config::Config;
use crate::node::{Error, Message, Node, Subscription};
use crate::protocol::discovery::Topology;
use crate::protocol::topic::{Paths, Query, Topic, Which};
use crate::sim::broadcast::graph;
use crate::sim::broadcast::scenario::BroadcastScenario;
use crate::sim::broadcast::world::authors;

const NUMBERS: Topic<u32> = Topic::new("broadcast-check");

/// How long a network may take to come together, and a message to reach all.
const PATIENCE: Duration = Duration::from_secs(60);

/// The wait between two looks at what has no event.
const LOOK: Duration = Duration::from_millis(5);

type Readers = Vec<Subscription<u32>>;

/// Starts the nodes, lets them publish, measures, and stops them.
pub async fn measure(scenario: &BroadcastScenario) -> Result<Measured, Error> {
    let nodes = if scenario.fixed { fixed(scenario).await? } else { open(scenario).await? };
    let links = mean_links(&nodes).await?;
    let mut readers = subscribe(&nodes).await?;
    tokio::time::sleep(scenario.warmup).await;
    publish(scenario, &nodes, &mut readers).await?;
    let copies = copies(scenario, &nodes).await?;
    let mut seen = Seen::default();
    for node in &nodes {
        seen.add(node, &kept(node).await?);
    }
    try_join_all(nodes.iter().map(Node::leave)).await?;
    let others = f64::from(scenario.nodes - 1) * scenario.messages as f64;
    Ok(Measured { links, copies: copies as f64 / others, ..seen.measured(scenario) })
}

fn settings(scenario: &BroadcastScenario) -> Config {
    let mut config = Config::lab();
    config.gossip.heartbeat = scenario.heartbeat;
    config.gossip.mesh_low = scenario.low;
    config.gossip.mesh = scenario.degree;
    config.gossip.mesh_high = scenario.high;
    config.gossip.flood_publish = scenario.flood_publish;
    config.discovery.target_links = scenario.links;
    config
}

async fn spawn(config: Config, number: u32) -> Result<Node, Error> {
    Node::builder().config(config).name(number.to_string()).spawn().await
}

/// All join through the first, and link as discovery sees fit.
async fn open(scenario: &BroadcastScenario) -> Result<Vec<Node>, Error> {
    let first = spawn(settings(scenario), 0).await?;
    let mut config = settings(scenario);
    config.bootstrap = first.addresses().await?;
    let mut nodes = vec![first];
    for number in 1..scenario.nodes {
        nodes.push(spawn(config.clone(), number).await?);
    }
    let wanted = scenario.links.min(nodes.len() - 1);
    for node in &nodes {
        until("links", async || Ok(links(node).await? >= wanted)).await?;
    }
    Ok(nodes)
}

/// The graph of the model's first seed.
async fn fixed(scenario: &BroadcastScenario) -> Result<Vec<Node>, Error> {
    let drawn = graph::draw(scenario, &mut ChaCha8Rng::seed_from_u64(scenario.seed));
    let mut config = settings(scenario);
    config.topology = Topology::Fixed(BTreeMap::new());
    let mut nodes = Vec::new();
    let mut places = Vec::new();
    for number in 0..scenario.nodes {
        let node = spawn(config.clone(), number).await?;
        places.push((node.id(), node.addresses().await?));
        nodes.push(node);
    }
    for (number, node) in (0..).zip(&nodes) {
        let peers = drawn.ends(number).map(|end| places[drawn.peer(end) as usize].clone());
        node.rewire(Topology::Fixed(peers.collect())).await?;
    }
    for (number, node) in (0..).zip(&nodes) {
        until("links", async || Ok(links(node).await? >= drawn.count(number))).await?;
    }
    Ok(nodes)
}

async fn links(node: &Node) -> Result<usize, Error> {
    Ok(node.peers().await?.iter().filter(|peer| peer.linked).count())
}

async fn mean_links(nodes: &[Node]) -> Result<f64, Error> {
    let counts = try_join_all(nodes.iter().map(links)).await?;
    Ok(counts.iter().sum::<usize>() as f64 / nodes.len() as f64)
}

/// All read the topic. As in the model one joins after another: the next one when the others know,
/// by the card, which comes after gossipsub's own word of it over the link.
async fn subscribe(nodes: &[Node]) -> Result<Readers, Error> {
    let mut readers = Vec::new();
    for node in nodes {
        readers.push(node.subscribe(NUMBERS).own_messages().await?);
        for other in nodes.iter().filter(|other| other.id() != node.id()) {
            let topic = other.topic(NUMBERS);
            until("readers", async || Ok(topic.readers().await?.contains(&node.id()))).await?;
        }
    }
    Ok(readers)
}

/// One message after another, each when the one before has come to all.
async fn publish(
    scenario: &BroadcastScenario,
    nodes: &[Node],
    readers: &mut Readers,
) -> Result<(), Error> {
    let mut authors = authors(scenario.seed);
    for number in 0..scenario.messages as u32 {
        let author = authors.random_range(0..scenario.nodes);
        nodes[author as usize].publish(NUMBERS, &number).await?;
        let all = join_all(readers.iter_mut().map(StreamExt::next));
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            // What is missing is seen in what the nodes keep.
            return Ok(());
        }
    }
    Ok(())
}

/// Copies that came to all nodes, when no more come.
async fn copies(scenario: &BroadcastScenario, nodes: &[Node]) -> Result<u64, Error> {
    let mut before = 0;
    loop {
        // A copy that is asked for comes within a heartbeat and a little.
        tokio::time::sleep(2 * scenario.heartbeat).await;
        let overviews = try_join_all(nodes.iter().map(Node::overview)).await?;
        let stats = overviews.iter().map(|overview| overview.stats.topic);
        let now = stats.map(|topic| topic.received + topic.duplicates).sum();
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

/// The messages a node keeps, with the ways of their copies.
async fn kept(node: &Node) -> Result<Vec<Message>, Error> {
    let topic = Some(NUMBERS.name().to_owned());
    let query =
        Query { topic, which: Which::All, paths: Paths::All, peek: true, ..Query::default() };
    node.messages(query).await
}

/// First copies, from all nodes.
#[derive(Default)]
struct Seen {
    reached: BTreeMap<(NodeId, u64), u32>,
    hops: Vec<usize>,
    times: Vec<Duration>,
}

impl Seen {
    fn add(&mut self, node: &Node, messages: &[Message]) {
        for message in messages.iter().filter(|message| message.id.author != node.id()) {
            *self.reached.entry((message.id.author, message.id.number)).or_default() += 1;
            let late = message.received.0.saturating_sub(message.sent.0);
            self.times.push(Duration::from_micros(late));
            // A node may not tell its way in time; the others are enough for a mean.
            if let Some(first) = message.ways.first().filter(|way| way.complete) {
                self.hops.push(first.hops.len() - 1);
            }
        }
    }

    fn measured(mut self, scenario: &BroadcastScenario) -> Measured {
        self.times.sort_unstable();
        let at = |share: f64| {
            let place = (share * self.times.len() as f64) as usize;
            self.times.get(place).or(self.times.last()).copied().unwrap_or_default()
        };
        let all_out = self.reached.len() == scenario.messages;
        let least = self.reached.values().min().copied().filter(|_| all_out).unwrap_or_default();
        Measured {
            links: 0.0,
            reached: f64::from(least) / f64::from(scenario.nodes - 1),
            hops: self.hops.iter().sum::<usize>() as f64 / self.hops.len().max(1) as f64,
            max_hops: self.hops.iter().max().map_or(0, |hops| *hops as u16),
            copies: 0.0,
            p50: at(0.5),
            p99: at(0.99),
        }
    }
}

/// Waits until `holds`.
async fn until(
    what: &str,
    mut holds: impl AsyncFnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let waiting = async {
        while !holds().await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    let late = || Error::Network(format!("the nodes of the check did not find their {what}"));
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(late()))
}
