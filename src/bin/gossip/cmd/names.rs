//! What people call the nodes that sentences speak of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use gossip_mesh::NodeId;
use gossip_mesh::api::{NodeView, PeerView};

use crate::api::Api;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::render::plain::one_line;

/// How often a node is asked about an id that has no name: its card may be on its way.
const MAX_LOOKS: u8 = 3;

/// Names by id: the number in a lab, else the name that the node's card tells, else the id.
#[derive(Debug, Default)]
pub struct Names {
    lab: Option<Network>,
    cards: BTreeMap<NodeId, String>,
    /// Ids that were spoken of and have no name.
    missed: RefCell<BTreeSet<NodeId>>,
    looks: BTreeMap<NodeId, u8>,
}

impl Names {
    /// Those of this network, when it is a lab; the cards of no node yet.
    pub fn of(network: Option<Network>) -> Self {
        Self { lab: network.filter(|network| network.lab.is_some()), ..Self::default() }
    }

    /// Learns the names that this node knows.
    pub async fn learn(&mut self, api: &mut Api) -> Result<(), Failure> {
        let node = api.node().await?;
        let peers = api.peers().await?;
        self.take(&node, &peers);
        Ok(())
    }

    fn take(&mut self, node: &NodeView, peers: &[PeerView]) {
        let all = peers.iter().map(|peer| (peer.id, &peer.name)).chain([(node.id, &node.name)]);
        let named = all.filter(|(_, name)| !name.is_empty());
        self.cards.extend(named.map(|(id, name)| (id, one_line(name.as_bytes()))));
    }

    /// What people call it. Two of the same name are told apart by the ends of their ids.
    pub fn name(&self, id: NodeId) -> String {
        if let Some(number) = self.lab.as_ref().and_then(|lab| lab.numbered(id)) {
            return format!("node {number}");
        }
        match self.cards.get(&id) {
            None => {
                self.missed.borrow_mut().insert(id);
                id.to_string()
            }
            Some(name) if self.cards.values().filter(|other| *other == name).count() > 1 => {
                format!("{name} (…{})", id.short())
            }
            Some(name) => name.clone(),
        }
    }

    /// Whether asking again may give names to ids that had none. True only a few times for each.
    pub fn wants_more(&mut self) -> bool {
        let mut wants = false;
        for id in self.missed.take() {
            let looks = self.looks.entry(id).or_default();
            wants |= *looks < MAX_LOOKS;
            *looks = looks.saturating_add(1);
        }
        wants
    }
}
