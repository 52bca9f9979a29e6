//! What all running nodes of a network say of one another.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossip_mesh::api::{NodeView, PeerView};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::member::{Member, Network};
use super::plot::Standing;
use super::state::Removal;
use crate::exit::Failure;

/// How long a node has to answer before it is left out: one that was stopped never does.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answers of those that answered, by number.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// What each says of itself.
    pub nodes: BTreeMap<usize, NodeView>,
    /// All others each of them knows.
    pub peers: BTreeMap<usize, Vec<PeerView>>,
}

impl Survey {
    /// Asks all running nodes at once.
    pub async fn take(network: &Network) -> Self {
        let mut asking = JoinSet::new();
        for member in network.members.iter().filter(|member| member.is_running()) {
            let member = member.clone();
            asking.spawn(async move {
                let both = timeout(PATIENCE, async {
                    let mut api = member.api().await?;
                    Ok::<_, Failure>((api.node().await?, api.peers().await?))
                });
                Some((member.number, both.await.ok()?.ok()?))
            });
        }
        let mut survey = Self::default();
        for (number, (node, peers)) in asking.join_all().await.into_iter().flatten() {
            survey.nodes.insert(number, node);
            survey.peers.insert(number, peers);
        }
        survey
    }

    /// The node to look from: the one asked for, or the first that answered.
    ///
    /// # Errors
    /// When it did not answer, or none did.
    pub fn viewer(&self, network: &Network, asked: Option<&str>) -> Result<usize, Failure> {
        let first = self.peers.keys().next().copied();
        let Some(text) = asked else {
            return first.ok_or_else(|| {
                Failure::failed(format!(
                    "no node of network {:?} answers within {} s",
                    network.name,
                    PATIENCE.as_secs()
                ))
            });
        };
        let member = network.running(Some(text))?;
        if self.peers.contains_key(&member.number) {
            return Ok(member.number);
        }
        Err(Failure::failed(network.silence(member, PATIENCE)))
    }

    /// Numbers of the nodes this one has a live link with.
    pub fn links(&self, network: &Network, number: usize) -> Vec<usize> {
        self.numbers(network, number, |peer| peer.linked)
    }

    /// Numbers of the nodes topics travel to directly from this one.
    pub fn neighbours(&self, network: &Network, number: usize) -> Vec<usize> {
        self.numbers(network, number, |peer| peer.linked && peer.neighbour)
    }

    /// All pairs of neighbours, the lower number first.
    pub fn edges(&self, network: &Network) -> BTreeSet<(usize, usize)> {
        let from = |&number: &usize| {
            let neighbours = self.neighbours(network, number).into_iter();
            neighbours.map(move |other| (number.min(other), number.max(other)))
        };
        self.peers.keys().flat_map(from).collect()
    }

    /// How `member` stands as seen by the node `viewer`.
    pub fn standing(&self, viewer: usize, member: &Member) -> Standing {
        match member.removed {
            Some(Removal::Left | Removal::Forgotten) => return Standing::Left,
            Some(Removal::Killed) | None => {}
        }
        if member.number == viewer {
            return Standing::Alive;
        }
        let known = self.peers.get(&viewer).into_iter().flatten();
        let seen = known.into_iter().find(|peer| peer.id == member.peer_id);
        seen.map_or(Standing::Unreachable, |peer| shown(peer.standing))
    }

    /// For how long it has stood so; `None` for the viewer itself and for who is not known to it.
    pub fn since(&self, viewer: usize, member: &Member) -> Option<Duration> {
        let known = self.peers.get(&viewer).into_iter().flatten();
        let seen = known.into_iter().find(|peer| peer.id == member.peer_id);
        seen.map(|peer| Duration::from_millis(peer.since_ms))
    }

    /// The same for a picture: a node whose process is known to have ended is down, whatever the
    /// viewer has found out yet.
    pub fn pictured(&self, viewer: usize, member: &Member) -> Standing {
        match self.standing(viewer, member) {
            Standing::Left => Standing::Left,
            _ if !member.is_running() => Standing::Down,
            standing => standing,
        }
    }

    fn numbers(
        &self,
        network: &Network,
        number: usize,
        wanted: impl Fn(&PeerView) -> bool,
    ) -> Vec<usize> {
        let known = self.peers.get(&number).into_iter().flatten();
        let mut numbers: Vec<usize> = known
            .filter(|peer| wanted(peer))
            .filter_map(|peer| network.numbered(peer.id))
            .collect();
        numbers.sort_unstable();
        numbers
    }
}

/// The library's word as that of pictures and tables.
fn shown(standing: gossip_mesh::Standing) -> Standing {
    match standing {
        gossip_mesh::Standing::Alive => Standing::Alive,
        gossip_mesh::Standing::Suspected => Standing::Suspected,
        gossip_mesh::Standing::Down => Standing::Down,
        gossip_mesh::Standing::Left => Standing::Left,
        // A word of a later version.
        _ => Standing::Unreachable,
    }
}
