//! The swarm, and what ties its names to ours.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, TcpListener};

use futures::StreamExt;
use futures::future::pending;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{InboundRequestId, OutboundRequestId, ResponseChannel};
use libp2p::swarm::{ConnectionId, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId};

use super::behaviour::{AGENT, Behaviour, swarm_config};
use super::carrier::CarrierStats;
use super::clock::Clock;
use super::door::{Door, DoorStats};
use super::hello::{Hello, HelloSettings, HelloStats};
use super::perform::innermost;
use super::sense;
use super::shape::{Fault, FaultError, Shaper};
use super::stream::{self, Effects, StreamStats, Streams};
use super::transport::{self, Transports};
use crate::base::id::{Life, NodeId};
use crate::base::key::{NetworkKey, SecretKey};
use crate::base::token::{Token, Tokens};
use crate::config::Config;
use crate::engine::Input;
use crate::engine::frame::{Lane, Request, Response, Ticket};
use crate::protocol::link::LinkId;

/// Why the network cannot start.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the system said.
        reason: String,
    },
    /// Another part cannot start.
    #[error("the network cannot start: {0}")]
    Start(String),
}

/// A dial under way.
#[derive(Clone, Copy)]
pub struct Dial {
    pub token: Token,
    /// Who should live there, when that is known.
    pub wanted: Option<PeerId>,
}

/// A question under way.
pub struct Open {
    pub ticket: Ticket,
    /// What was asked, to be asked again over another connection with the same peer. Of two
    /// connections that began at once one is closed, and takes along what is under way on it.
    pub again: Option<Request>,
}

/// A question of a peer that waits for our answer.
pub struct Asked {
    pub lane: Lane,
    pub id: InboundRequestId,
    pub channel: ResponseChannel<Response>,
}

/// The real network of one node.
pub struct Network {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) hello: Hello,
    pub(super) door: Option<Door>,
    pub(super) streams: Streams,
    /// What may be wrong with links on purpose, where it may.
    shaper: Option<Shaper>,
    /// What already happened, before the swarm is asked for more.
    pub(super) inbox: VecDeque<Input>,
    pub(super) connections: BTreeMap<LinkId, ConnectionId>,
    pub(super) links: HashMap<ConnectionId, LinkId>,
    /// Links whose last ping was not answered.
    pub(super) missing: BTreeSet<LinkId>,
    pub(super) next_link: u64,
    pub(super) dials: HashMap<ConnectionId, Dial>,
    /// Each lane numbers its questions by itself.
    pub(super) asks: BTreeMap<Lane, HashMap<OutboundRequestId, Open>>,
    pub(super) asked: HashMap<Token, Asked>,
    pub(super) tokens: Tokens,
    pub(super) listening: BTreeSet<Multiaddr>,
    announce: Vec<Multiaddr>,
    listeners: Vec<ListenerId>,
    /// Listeners that have not yet said where they are.
    pub(super) starting: HashSet<ListenerId>,
}

impl Network {
    /// Binds the listen addresses; the first inputs tell where.
    pub fn start(
        key: &SecretKey,
        network_key: Option<NetworkKey>,
        life: Life,
        config: &Config,
        clock: Clock,
    ) -> Result<Self, NetworkError> {
        let hello = Hello::new(HelloSettings {
            me: key.id(),
            network: config.network.clone(),
            key: network_key,
            life,
            max_message_bytes: config.topic.max_message_bytes as u64,
            buckets: config.topic.buckets,
            features: BTreeSet::from([stream::FEATURE.to_owned()]),
            agent: AGENT.to_owned(),
            timeout: config.link.hello_timeout,
            max_under_way: config.link.max_hellos,
        });
        let limits = stream::Limits { max_payload: config.topic.max_message_bytes };
        let start = |error: String| NetworkError::Start(error);
        // The same of one node in all its lives: a test that is run again meets the same faults.
        let shaper = config.faults.then(|| Shaper::new(seed_of(key.id()), clock));
        let build = |on| transport::build(key, on, &hello, shaper.as_ref());
        let transport = with_dns(config, build)?;
        let behaviour = Behaviour::new(key, config, clock).map_err(start)?;
        let me = PeerId::from(key.id());
        let swarm = Swarm::new(transport, behaviour, me, swarm_config(&config.link));
        let mut network = Self {
            swarm,
            hello,
            door: Door::open(key, config, clock)?,
            streams: Streams::new(clock, limits),
            shaper,
            inbox: VecDeque::new(),
            connections: BTreeMap::new(),
            links: HashMap::new(),
            missing: BTreeSet::new(),
            next_link: 0,
            dials: HashMap::new(),
            asks: BTreeMap::new(),
            asked: HashMap::new(),
            tokens: Tokens::default(),
            listening: BTreeSet::new(),
            announce: config.announce.clone(),
            listeners: Vec::new(),
            starting: HashSet::new(),
        };
        for address in &config.listen {
            network.listen(address)?;
        }
        for address in &config.announce {
            // Identify and Kademlia tell these.
            network.swarm.add_external_address(address.clone());
        }
        network.tell_addresses();
        Ok(network)
    }

    fn listen(&mut self, address: &Multiaddr) -> Result<(), NetworkError> {
        let refused = |reason| NetworkError::Listen { address: address.clone(), reason };
        is_free(address).map_err(|error| refused(error.to_string()))?;
        let listener =
            self.swarm.listen_on(address.clone()).map_err(|error| refused(innermost(&error)))?;
        self.listeners.push(listener);
        self.starting.insert(listener);
        Ok(())
    }

    /// Ready when every listener has said where it listens, or failed.
    pub async fn listen_everywhere(&mut self) -> Result<(), NetworkError> {
        while !self.starting.is_empty() {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::ListenerClosed { reason: Err(error), .. } = event {
                return Err(NetworkError::Start(format!("a listener failed: {error}")));
            }
            sense::swarm(self, event);
        }
        match &mut self.door {
            Some(door) => door.listen_everywhere(&mut self.inbox).await,
            None => Ok(()),
        }
    }

    /// Where others can dial this node.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        if self.announce.is_empty() {
            self.listening.iter().cloned().collect()
        } else {
            self.announce.clone()
        }
    }

    /// Where foreign programs can dial the door.
    pub fn door_addresses(&self) -> Vec<Multiaddr> {
        self.door.as_ref().map(Door::addresses).unwrap_or_default()
    }

    /// What happens at the door.
    pub fn door_stats(&self) -> DoorStats {
        self.door.as_ref().map(Door::stats).unwrap_or_default()
    }

    /// What the carrier moved.
    pub fn carrier_stats(&self) -> CarrierStats {
        self.swarm.behaviour().carrier.stats()
    }

    pub(super) fn tell_addresses(&mut self) {
        let addresses = self.addresses();
        self.inbox.push_back(Input::Listening { addresses });
    }

    /// What the hellos came to.
    pub fn hello_stats(&self) -> HelloStats {
        self.hello.stats()
    }

    /// What went wrong with streams of the tree carrier.
    pub fn stream_stats(&self) -> StreamStats {
        self.streams.stats()
    }

    /// The streams, and what may come of what happens to them.
    pub(super) fn streams(&mut self) -> (&mut Streams, Effects<'_>) {
        let opener = &mut self.swarm.behaviour_mut().opener;
        (&mut self.streams, Effects { opener, inbox: &mut self.inbox })
    }

    /// Sets all of these faults, in this order, or none.
    pub fn disturb(&self, faults: &[Fault]) -> Result<(), FaultError> {
        self.shaper.as_ref().ok_or(FaultError::Off)?.set(faults)?;
        tracing::info!(?faults, "links are disturbed on purpose");
        Ok(())
    }

    /// The faults in force.
    pub fn faults(&self) -> Vec<Fault> {
        self.shaper.as_ref().map(Shaper::faults).unwrap_or_default()
    }

    /// What came of what it was asked to do, as far as that is known at once.
    pub fn answered(&mut self) -> Option<Input> {
        self.inbox.pop_front()
    }

    /// What happens next. Safe to drop and call again.
    pub async fn next(&mut self) -> Input {
        loop {
            if let Some(input) = self.inbox.pop_front() {
                return input;
            }
            let door = async {
                match &mut self.door {
                    Some(door) => door.next().await,
                    None => pending().await,
                }
            };
            // In no fixed order: packets and events leave each other their turns.
            tokio::select! {
                event = self.swarm.select_next_some() => sense::swarm(self, event),
                () = self.streams.ready() => {
                    let (streams, mut effects) = self.streams();
                    streams.settle(&mut effects);
                }
                input = door => self.inbox.push_back(input),
            }
        }
    }
}

impl Drop for Network {
    /// The memory transport frees its ports for listeners that were removed only.
    fn drop(&mut self) {
        for listener in self.listeners.drain(..) {
            self.swarm.remove_listener(listener);
        }
    }
}

fn seed_of(id: NodeId) -> u64 {
    let hash = blake3::hash(&id.to_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// libp2p lets several nodes of one user listen on one TCP port, and each of them would get some
/// of the connections. So the port is tried first without that permission.
fn is_free(address: &Multiaddr) -> std::io::Result<()> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::V6(ip),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Protocol::Tcp(port @ 1..)) => TcpListener::bind((ip, port)).map(drop),
        _ => Ok(()),
    }
}

/// Builds transports with DNS where the system has a resolver, and without where it has none.
pub(super) fn with_dns<T>(
    config: &Config,
    build: impl Fn(Transports) -> std::io::Result<T>,
) -> Result<T, NetworkError> {
    let all = Transports::all(&config.link, config.faults);
    build(all)
        .or_else(|error| {
            tracing::warn!(%error, "no resolver: addresses with names cannot be dialled");
            build(Transports { dns: false, ..all })
        })
        .map_err(|error| NetworkError::Start(error.to_string()))
}
