//! The door: a second swarm with the same key and its own addresses, where any libp2p program takes
//! part in the `foreign` topics with plain gossipsub. No hello, no questions, no other topic.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{
    self, ConfigBuilder, IdentTopic, MessageAuthenticity, MessageId, PublishError, ValidationMode,
};
use libp2p::kad::store::MemoryStore;
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, identify, kad, ping};

use super::behaviour::{AGENT, kademlia, swarm_config};
use super::network::{NetworkError, with_dns};
use super::transport;
use crate::base::key::SecretKey;
use crate::config::Config;
use crate::engine::Input;

/// Room above our largest message: one oversized message closes a foreigner's stream for good.
const HEADROOM: usize = 64 * 1024;

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    kademlia: kad::Behaviour<MemoryStore>,
}

/// An open door.
pub struct Door {
    swarm: Swarm<Behaviour>,
    max_message_bytes: usize,
    listening: BTreeSet<Multiaddr>,
    starting: HashSet<ListenerId>,
}

impl Door {
    /// Opens it where the settings say so; `None` where they do not.
    pub fn open(key: &SecretKey, config: &Config) -> Result<Option<Self>, NetworkError> {
        if config.door.listen.is_empty() {
            return Ok(None);
        }
        let start = |error: String| NetworkError::Start(format!("the door: {error}"));
        let transport = with_dns(&config.link, |on| transport::build_plain(key, on))?;
        let me = PeerId::from(key.id());
        let behaviour = behaviour(key, config).map_err(start)?;
        let swarm = Swarm::new(transport, behaviour, me, swarm_config(&config.link));
        let mut door = Self {
            swarm,
            max_message_bytes: config.topic.max_message_bytes,
            listening: BTreeSet::new(),
            starting: HashSet::new(),
        };
        for topic in &config.door.topics {
            let topic = IdentTopic::new(topic.clone());
            let gossip = &mut door.swarm.behaviour_mut().gossip;
            gossip.subscribe(&topic).map_err(|error| start(error.to_string()))?;
        }
        for address in &config.door.listen {
            let listener = door.swarm.listen_on(address.clone()).map_err(|error| {
                NetworkError::Listen { address: address.clone(), reason: error.to_string() }
            })?;
            door.starting.insert(listener);
        }
        Ok(Some(door))
    }

    /// Ready when every listener has said where it listens.
    pub async fn listen_everywhere(
        &mut self,
        inbox: &mut VecDeque<Input>,
    ) -> Result<(), NetworkError> {
        while !self.starting.is_empty() {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::ListenerClosed { reason: Err(error), .. } = event {
                return Err(NetworkError::Start(format!("a listener of the door failed: {error}")));
            }
            inbox.extend(self.sense(event));
        }
        Ok(())
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.listening.iter().cloned().collect()
    }

    /// Publishes a member's message outside.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        match self.swarm.behaviour_mut().gossip.publish(IdentTopic::new(topic), payload) {
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic | PublishError::Duplicate) => {}
            Err(error) => tracing::warn!(%error, topic, "the door could not pass a message on"),
        }
    }

    /// The next message from outside. Safe to drop and call again.
    pub async fn next(&mut self) -> Input {
        loop {
            let event = self.swarm.select_next_some().await;
            if let Some(input) = self.sense(event) {
                return input;
            }
        }
    }

    fn sense(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<Input> {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.starting.remove(&listener_id);
                self.listening.insert(address);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.remove(&address);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                message_id,
                message,
                ..
            })) => return self.message(&message_id, message),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => self.identified(&peer_id, info),
            _ => {}
        }
        None
    }

    fn message(&self, id: &MessageId, message: gossipsub::Message) -> Option<Input> {
        let author = message.source?;
        if author == *self.swarm.local_peer_id() || message.data.len() > self.max_message_bytes {
            return None;
        }
        Some(Input::Door {
            topic: message.topic.into_string(),
            author: author.to_string(),
            origin: Bytes::copy_from_slice(&id.0),
            payload: message.data.into(),
        })
    }

    fn identified(&mut self, peer: &PeerId, info: identify::Info) {
        let kademlia = &mut self.swarm.behaviour_mut().kademlia;
        if info.protocols.iter().any(|protocol| kademlia.protocol_names().contains(protocol)) {
            for address in info.listen_addrs {
                kademlia.add_address(peer, address);
            }
        }
    }
}

fn behaviour(key: &SecretKey, config: &Config) -> Result<Behaviour, String> {
    let me = PeerId::from(key.id());
    let protocol = StreamProtocol::try_from_owned(config.door.kad_protocol.clone())
        .map_err(|error| format!("`door.kad_protocol`: {error}"))?;
    let largest = config.topic.max_message_bytes + HEADROOM;
    let gossip = ConfigBuilder::default()
        .max_transmit_size(largest.max(1024 * 1024))
        .max_control_message_size(1024 * 1024)
        .max_control_messages_sent(1_000)
        .message_id_fn(pubsub_id)
        .heartbeat_interval(config.gossip.heartbeat)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .mesh_outbound_min(0)
        .mesh_n_low(1)
        .flood_publish(true)
        .validation_mode(ValidationMode::Strict)
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Behaviour {
        limits: connection_limits::Behaviour::new(
            ConnectionLimits::default()
                .with_max_pending_incoming(Some(config.link.max_pending))
                .with_max_pending_outgoing(Some(config.link.max_pending))
                .with_max_established(Some(config.door.max_links))
                .with_max_established_per_peer(Some(4)),
        ),
        gossip: gossipsub::Behaviour::new(
            MessageAuthenticity::Signed(key.keypair().clone()),
            gossip,
        )?,
        identify: identify::Behaviour::new(
            identify::Config::new("ipfs/0.1.0".to_owned(), key.keypair().public())
                .with_agent_version(AGENT.to_owned()),
        ),
        ping: ping::Behaviour::new(ping::Config::new()),
        kademlia: kademlia(me, protocol),
    })
}

/// The id the pubsub specification, go and py use: author bytes, then the number in 8 bytes.
fn pubsub_id(message: &gossipsub::Message) -> MessageId {
    let mut id = message.source.map(PeerId::to_bytes).unwrap_or_default();
    id.extend_from_slice(&message.sequence_number.unwrap_or_default().to_be_bytes());
    MessageId::from(id)
}
