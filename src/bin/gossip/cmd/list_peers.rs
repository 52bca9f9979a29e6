//! `gossip list-peers`: a node's neighbours, and theirs.

use std::collections::BTreeMap;

use clap::Args;
use gossip_mesh::api::PeerView;
use serde_json::{Value, json};

use crate::args::Which;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::lab::survey::Survey;
use crate::render::plain::one_line;
use crate::render::screen::Screen;
use crate::render::table::Table;

/// List the neighbours of a node, and with a depth also theirs
#[derive(Args, Debug)]
pub struct ListPeers {
    /// Number, name or beginning of the PeerId of the node
    node: String,
    /// How many steps from the node
    #[arg(short, long, value_name = "D", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..))]
    depth: u32,
    #[command(flatten)]
    which: Which,
}

/// A node at some distance from the one asked about.
struct Found<'a> {
    distance: u32,
    peer: &'a PeerView,
}

impl ListPeers {
    /// Lists them by distance.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        let start = network.running(Some(&self.node))?.number;
        let survey = Survey::take(&network).await;
        survey.viewer(&network, Some(&self.node))?;
        let found = around(&network, &survey, start, self.depth);
        if screen.json {
            let peers: Vec<Value> = found.iter().map(|found| row(&network, found)).collect();
            return screen.document(&peers);
        }
        if found.is_empty() {
            return screen.show(format!("node {start} has no neighbours\n"));
        }
        let mut table = Table::new(["DISTANCE", "NODE", "NAME", "PEER ID", "ADDRESS"]);
        table = table.right(0).right(1);
        for Found { distance, peer } in found {
            let number = network.numbered(peer.id).map(|number| number.to_string());
            table.row([
                distance.to_string().into(),
                number.unwrap_or_default().into(),
                one_line(peer.name.as_bytes()).into(),
                peer.id.to_string().into(),
                one_line(peer.addresses.first().map_or("", String::as_str).as_bytes()).into(),
            ]);
        }
        screen.show(table.render(screen.colour))
    }
}

/// All within `depth` steps along links with neighbours, the nearest first, then by number. How a
/// node further on is called is told by the neighbour through which it was found.
fn around<'a>(network: &Network, survey: &'a Survey, start: usize, depth: u32) -> Vec<Found<'a>> {
    let own = network.members.iter().find(|member| member.number == start);
    let mut found: BTreeMap<_, Found<'a>> = BTreeMap::new();
    let mut edge = vec![start];
    for distance in 1..=depth {
        let mut next = Vec::new();
        for number in edge {
            let known = survey.peers.get(&number).into_iter().flatten();
            for peer in known.filter(|peer| peer.linked && peer.neighbour) {
                let is_start = own.is_some_and(|own| own.peer_id == peer.id);
                if !is_start && !found.contains_key(&peer.id) {
                    found.insert(peer.id, Found { distance, peer });
                    next.extend(network.numbered(peer.id));
                }
            }
        }
        if next.is_empty() {
            break;
        }
        edge = next;
    }
    let mut found: Vec<Found<'a>> = found.into_values().collect();
    let number = |found: &Found<'_>| network.numbered(found.peer.id).unwrap_or(usize::MAX);
    found.sort_by_key(|found| (found.distance, number(found), found.peer.id));
    found
}

fn row(network: &Network, found: &Found<'_>) -> Value {
    json!({
        "distance": found.distance,
        "number": network.numbered(found.peer.id),
        "name": found.peer.name,
        "peer_id": found.peer.id,
        "addresses": found.peer.addresses,
    })
}
