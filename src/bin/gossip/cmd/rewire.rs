//! `gossip rewire`: another graph for the nodes of a running lab.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use gossip_mesh::api::NeighboursRequest;
use gossip_mesh::{Degrees, Multiaddr, NodeId};
use serde_json::json;
use tokio::task::JoinSet;

use super::start_network::{fresh_seed, node_lines};
use crate::args::Which;
use crate::exit::Failure;
use crate::lab::graph::Limits;
use crate::lab::member::Network;
use crate::lab::prepare;
use crate::lab::state::{Entry, Record};
use crate::lab::survey::Survey;
use crate::render::screen::Screen;

/// Give the running network a new random graph, in which every node has so many neighbours
///
/// The new links are made before the old ones are closed, so that no message is lost on the way.
/// Nodes that lose neighbours later find others within the same limits.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip rewire                  3 to 5 neighbours each
  gossip rewire --min 2 --max 4")]
pub struct Rewire {
    /// The fewest neighbours of a node [default: 3]
    #[arg(long, value_name = "D")]
    min: Option<usize>,
    /// The most neighbours of a node [default: 2 more than the fewest]
    #[arg(long, value_name = "D")]
    max: Option<usize>,
    /// Draws the same graph again
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    which: Which,
}

/// The neighbours of each node, by numbers.
type Neighbours = BTreeMap<usize, BTreeSet<usize>>;

impl Rewire {
    /// Rewires it.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        let Some(folder) = network.lab.clone() else {
            return Err(Failure::failed(
                "only the graph of a lab can be rewired, and these nodes run alone: start a lab \
                 with `gossip start-network`",
            ));
        };
        let _lock = folder.lock()?;
        let mut record = folder.running()?;
        let survey = Survey::take(&network).await;
        let numbers: Vec<usize> = survey.peers.keys().copied().collect();
        let seed = self.seed.unwrap_or_else(fresh_seed);
        let limits = Limits { min: self.min, max: self.max };
        let (min, max) = limits.fit(numbers.len()).map_err(Failure::usage)?;
        let drawn = limits.draw(numbers.len(), seed).map_err(Failure::usage)?;
        let number = |node: &usize| numbers.get(*node).copied();
        let of = |node: usize| drawn.graph.neighbours(node).iter().filter_map(number).collect();
        let wanted: Neighbours =
            drawn.graph.nodes().filter_map(|n| Some((number(&n)?, of(n)))).collect();

        self.change(&network, &record, &survey, &wanted, Degrees { min, max }).await?;
        (record.shape, record.seed) = (drawn.label, seed);
        for node in &mut record.nodes {
            node.neighbours = wanted.get(&node.number).into_iter().flatten().copied().collect();
        }
        folder.write(&record)?;
        wait(&network, &wanted, Until::Exactly).await?;
        self.tell(&record, &wanted, screen)
    }

    /// First the new links beside the old ones; when they stand, the new ones alone.
    async fn change(
        &self,
        network: &Network,
        record: &Record,
        survey: &Survey,
        wanted: &Neighbours,
        degrees: Degrees,
    ) -> Result<(), Failure> {
        let both = wanted.iter().map(|(number, new)| {
            let old = survey.neighbours(network, *number).into_iter();
            (
                *number,
                old.filter(|other| wanted.contains_key(other)).chain(new.iter().copied()).collect(),
            )
        });
        let both: Neighbours = both.collect();
        // Nothing is mended and nobody is adopted while the graph changes.
        let most = both.values().map(BTreeSet::len).max().unwrap_or(0);
        tell_all(network, record, &both, Degrees { min: 0, max: most }).await?;
        wait(network, wanted, Until::AtLeast).await?;
        tokio::time::sleep(UNDER_WAY).await;
        tell_all(network, record, wanted, degrees).await
    }

    fn tell(&self, record: &Record, wanted: &Neighbours, screen: Screen) -> Result<(), Failure> {
        let nodes: Vec<&Entry> =
            record.nodes.iter().filter(|node| wanted.contains_key(&node.number)).collect();
        if screen.json {
            return screen.document(&json!({
                "network": record.network,
                "shape": record.shape,
                "seed": record.seed,
                "nodes": nodes,
            }));
        }
        let nodes: Vec<Entry> = nodes.into_iter().cloned().collect();
        screen.show(format!(
            "{}network {:?} ({}, seed {}): all links stand\n",
            node_lines(&nodes),
            record.network,
            record.shape,
            record.seed
        ))
    }
}

/// Tells every node its neighbours, all at once.
async fn tell_all(
    network: &Network,
    record: &Record,
    neighbours: &Neighbours,
    degrees: Degrees,
) -> Result<(), Failure> {
    let places: BTreeMap<usize, (NodeId, Multiaddr)> =
        record.nodes.iter().map(|n| (n.number, (n.peer_id, prepare::address(n.port)))).collect();
    let mut telling = JoinSet::new();
    for member in &network.members {
        let Some(others) = neighbours.get(&member.number) else { continue };
        let map = others.iter().filter_map(|other| places.get(other));
        let neighbours = map.map(|(id, place)| (*id, vec![place.clone()])).collect();
        let request = NeighboursRequest { neighbours, degrees: Some(degrees) };
        let mut api = network.api(member).await?;
        telling.spawn(async move { api.neighbours(&request).await });
    }
    telling.join_all().await.into_iter().collect()
}

/// What is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Until {
    /// All wanted neighbours are there.
    AtLeast,
    /// And no others.
    Exactly,
}

/// Waits until the neighbours are as they are wanted.
async fn wait(network: &Network, wanted: &Neighbours, until: Until) -> Result<(), Failure> {
    let mut left = PATIENCE;
    loop {
        let survey = Survey::take(network).await;
        let differs = wanted.iter().find(|(number, wanted)| {
            let found: BTreeSet<usize> = survey.neighbours(network, **number).into_iter().collect();
            !wanted.is_subset(&found) || (until == Until::Exactly && found != **wanted)
        });
        let Some((number, _)) = differs else { return Ok(()) };
        if left.is_zero() {
            return Err(Failure::failed(format!(
                "node {number} does not have its new neighbours within {} s: `gossip status{}` \
                 shows the links; run `gossip rewire` again when all nodes answer",
                PATIENCE.as_secs(),
                network.words
            )));
        }
        tokio::time::sleep(GLANCE).await;
        left = left.saturating_sub(GLANCE);
    }
}

/// How long the links have to come up, looks at them not counted.
const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(50);

/// How long old links are kept once the new ones stand. What is under way on them arrives
/// meanwhile, and the topics of both ends of a new link are known to each other.
const UNDER_WAY: Duration = Duration::from_millis(300);
