//! Who plays: keys, addresses and the graph of a world, and how a node of it is made.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use multiaddr::{Multiaddr, Protocol};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::disk::Disk;
use super::look::Driven;
use super::scenario::{Form, Scenario, Start};
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::signer::{Signer, Verifier};
use crate::base::time::WallTime;
use crate::engine::{Engine, EngineSettings};
use crate::protocol::discovery::{self, DiscoveryConfig, Topology};
use crate::protocol::link::WatchConfig;
use crate::protocol::membership::{self, Alive, Roll, Saved};
use crate::protocol::topic::TopicConfig;
use crate::protocol::tree::TreeConfig;
use crate::store::op::Space;

/// The nodes of a world. Nodes count from 0.
pub(crate) struct Cast {
    keys: Vec<SecretKey>,
    ids: Vec<NodeId>,
    numbers: HashMap<NodeId, u32>,
    /// Who is to be linked with whom, both ways.
    pub neighbours: Vec<Vec<u32>>,
    pub seed: u64,
    /// Checks every signature once for all nodes.
    pub verifier: Verifier,
    /// The membership a formed world begins with.
    pub formed: Roll,
}

/// All nodes live in the network 10.0.0.0/8 at this port.
const PORT: u16 = 4001;
const FIRST_ADDRESS: u32 = 10 << 24;

impl Cast {
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let keys: Vec<SecretKey> = (0..scenario.nodes).map(|node| key(seed, node)).collect();
        let ids: Vec<NodeId> = keys.iter().map(SecretKey::id).collect();
        let numbers = ids.iter().copied().zip(0..).collect();
        // Apart from the generator of the world, so that the graph changes nothing else.
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6772_6170_6873);
        let mut neighbours = vec![Vec::new(); scenario.nodes as usize];
        for (a, b) in scenario.topology.edges(scenario.nodes, &mut rng) {
            for (here, there) in [(a, b), (b, a)] {
                if let Some(list) = neighbours.get_mut(here as usize) {
                    list.push(there);
                }
            }
        }
        let mut cast = Self {
            keys,
            ids,
            numbers,
            neighbours,
            seed,
            verifier: remembering(),
            formed: Roll::default(),
        };
        if scenario.start == Start::Formed {
            cast.formed = Roll::formed(cast.keys.iter().map(|key| {
                let life = Life(super::befall::WALL.as_millis());
                Alive::first(&mut Signer::new(key.clone()), life)
            }));
        }
        cast
    }

    pub fn id(&self, node: u32) -> NodeId {
        self.ids[node as usize]
    }

    pub fn key(&self, node: u32) -> &SecretKey {
        &self.keys[node as usize]
    }

    pub fn number(&self, id: NodeId) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    pub fn address(node: u32) -> Multiaddr {
        let address = Ipv4Addr::from_bits(FIRST_ADDRESS.wrapping_add(node));
        Multiaddr::empty().with(Protocol::Ip4(address)).with(Protocol::Tcp(PORT))
    }

    /// Who lives at an address.
    pub fn resident(&self, address: &Multiaddr) -> Option<u32> {
        let Some(Protocol::Ip4(ip)) = address.iter().next() else { return None };
        let node = ip.to_bits().checked_sub(FIRST_ADDRESS)?;
        (node < u32::try_from(self.ids.len()).unwrap_or(u32::MAX)).then_some(node)
    }
}

/// Thousands of nodes check the same few signatures: each is checked really, once.
fn remembering() -> Verifier {
    let known: Mutex<HashMap<[u8; 32], bool>> = Mutex::default();
    Verifier::new(Arc::new(move |node: NodeId, bytes: &[u8], signature: &[u8]| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&node.to_bytes()).update(signature).update(bytes);
        let name = *hasher.finalize().as_bytes();
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(name).or_insert_with(|| node.verify(bytes, signature))
    }))
}

fn key(seed: u64, node: u32) -> SecretKey {
    let mut secret = [0; 32];
    let (first, rest) = secret.split_at_mut(8);
    first.copy_from_slice(&seed.to_be_bytes());
    rest[..4].copy_from_slice(&node.to_be_bytes());
    SecretKey::from_seed(*blake3::hash(&secret).as_bytes())
}

/// One start of a node.
pub(crate) struct Birth<'a> {
    /// Which node.
    pub node: u32,
    /// Its life.
    pub life: Life,
    /// The wall clock.
    pub started: WallTime,
    /// What it remembers.
    pub disk: &'a Disk,
    /// The world begins with all nodes linked and known.
    pub formed: bool,
}

/// Makes nodes of one kind.
pub(crate) trait Breed {
    /// The kind.
    type Node: Driven;

    /// Starts a node.
    fn start(&self, cast: &Cast, birth: Birth<'_>) -> Self::Node;
}

/// What a node remembers of membership.
pub(crate) fn saved(disk: &Disk) -> Saved {
    let row = disk.read(Space::Node, membership::MEMBERS);
    row.and_then(|row| Saved::from_row(row).ok()).unwrap_or_default()
}

/// Whole engines of the product.
pub(crate) struct Engines<'a>(pub &'a Scenario);

impl Breed for Engines<'_> {
    type Node = Engine;

    fn start(&self, cast: &Cast, birth: Birth<'_>) -> Engine {
        let Birth { node, life, started, disk, formed } = birth;
        let shape = self.0.topology;
        let neighbours = cast.neighbours.get(node as usize).into_iter().flatten();
        let fixed = || -> BTreeMap<NodeId, Vec<Multiaddr>> {
            neighbours.map(|other| (cast.id(*other), vec![Cast::address(*other)])).collect()
        };
        let (topology, bootstrap) = match shape.kind {
            Form::Open => {
                let entries = (0..shape.entries.min(self.0.nodes)).filter(|entry| *entry != node);
                (Topology::Open, entries.map(Cast::address).collect())
            }
            _ => (Topology::Fixed(fixed()), Vec::new()),
        };
        Engine::new(EngineSettings {
            key: cast.key(node).clone(),
            life,
            started,
            seed: cast.seed ^ life.0.rotate_left(32) ^ u64::from(node),
            watch: WatchConfig::default(),
            membership: self.0.membership.clone(),
            saved: saved(disk),
            verifier: cast.verifier.clone(),
            formed: formed.then(|| cast.formed.clone()),
            discovery: discovery::Settings {
                config: DiscoveryConfig::default(),
                key: cast.key(node).clone(),
                life,
                name: format!("node {}", node + 1),
                labels: BTreeMap::new(),
                bootstrap,
                topology,
            },
            topic: TopicConfig::default(),
            tree: TreeConfig::default(),
        })
    }
}
