//! The door: a second swarm with the same key and its own addresses, where any libp2p program takes
//! part in the `foreign` topics with plain gossipsub. No hello, no questions, no other topic.
//!
//! Foreigners see one libp2p peer that speaks identify, ping, gossipsub and Kademlia, and of the
//! members nothing but what is published. The door dials nobody, so that no stranger can send it
//! anywhere, and its links are those who came. With several doors into one foreign mesh, each of
//! them publishes what members say under its own name.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{
    self, ConfigBuilder, IdentTopic, IdentityTransform, MaxCountSubscriptionFilter,
    MessageAuthenticity, MessageId, PublishError, TopicHash, ValidationMode,
    WhitelistSubscriptionFilter,
};
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, identify, ping};
use serde::{Deserialize, Serialize};

use super::behaviour::{AGENT, swarm_config};
use super::clock::Clock;
use super::gate::Gate;
use super::kademlia::{AddressBook, address_book, learn};
use super::network::{NetworkError, with_dns};
use super::transport;
use crate::base::key::SecretKey;
use crate::config::Config;
use crate::engine::Input;

/// Room above our largest message: one oversized message closes a foreigner's stream for good.
const HEADROOM: usize = 64 * 1024;

/// What foreigners may send in one piece, however small our own messages have to be. What is too
/// large for members is then refused by itself, and the stream lives.
const MIN_TRANSMIT: usize = 1024 * 1024;

/// Connections that one foreign program may have at once.
const MAX_PER_PEER: u32 = 4;

/// A connection that carries nothing for this long is closed: its place may be wanted. gossipsub's
/// streams count as use. (Guess: above the time between two looks into an address book.)
const IDLE: Duration = Duration::from_secs(120);

type Gossip = gossipsub::Behaviour<
    IdentityTransform,
    MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>,
>;

#[derive(NetworkBehaviour)]
struct Behaviour {
    // The two gatekeepers come first: who is refused by them is seen by nobody else.
    limits: connection_limits::Behaviour,
    gate: Gate,
    gossip: Gossip,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    kademlia: AddressBook,
}

/// What happens at the door of a node; nothing where it has none.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DoorStats {
    /// Connections of foreign programs now.
    pub links: u64,
    /// Connections refused or broken off before they were one.
    pub refused: u64,
    /// Messages that a foreign program did not get because its queue was full, counted for each
    /// program.
    pub lost: u64,
}

/// An open door.
pub struct Door {
    swarm: Swarm<Behaviour>,
    stats: DoorStats,
    listening: BTreeSet<Multiaddr>,
    starting: HashSet<ListenerId>,
}

impl Door {
    /// Opens it where the settings say so; `None` where they do not.
    pub fn open(
        key: &SecretKey,
        config: &Config,
        clock: Clock,
    ) -> Result<Option<Self>, NetworkError> {
        if config.door.listen.is_empty() {
            return Ok(None);
        }
        let start = |error: String| NetworkError::Start(format!("the door: {error}"));
        let transport = with_dns(config, |on| transport::build_plain(key, on))?;
        let me = PeerId::from(key.id());
        let behaviour = behaviour(key, config, clock).map_err(start)?;
        let habits = swarm_config(&config.link).with_idle_connection_timeout(IDLE);
        let swarm = Swarm::new(transport, behaviour, me, habits);
        let mut door = Self {
            swarm,
            stats: DoorStats::default(),
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

    /// Counters since the start.
    pub fn stats(&self) -> DoorStats {
        let links = self.swarm.network_info().connection_counters().num_established();
        DoorStats { links: u64::from(links), ..self.stats }
    }

    /// Publishes a member's message outside.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        match self.swarm.behaviour_mut().gossip.publish(IdentTopic::new(topic), payload) {
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic | PublishError::Duplicate) => {}
            // gossipsub tells of every full queue, this one too: it is counted there.
            Err(PublishError::AllQueuesFull(_)) => {}
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
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                tracing::warn!(?addresses, ?reason, "a listener of the door closed");
                self.starting.remove(&listener_id);
                self.listening.retain(|address| !addresses.contains(address));
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                tracing::debug!(%error, from = %send_back_addr, "nobody came in at the door");
                self.stats.refused += 1;
            }
            SwarmEvent::Behaviour(event) => return self.hear(event),
            _ => {}
        }
        None
    }

    fn hear(&mut self, event: BehaviourEvent) -> Option<Input> {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message { message_id, message, .. }) => {
                return message_from_outside(&message_id, message);
            }
            BehaviourEvent::Gossip(gossipsub::Event::SlowPeer { peer_id, failed_messages }) => {
                tracing::debug!(peer = %peer_id, "too slow for what goes out at the door");
                // Control messages are what the other queue is for.
                self.stats.lost += failed_messages.non_priority as u64;
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                learn(&mut self.swarm.behaviour_mut().kademlia, &peer_id, info);
            }
            _ => {}
        }
        None
    }
}

/// What it means to the room, which refuses what is too large or on no topic of the door.
fn message_from_outside(id: &MessageId, message: gossipsub::Message) -> Option<Input> {
    Some(Input::Door {
        topic: message.topic.into_string(),
        // `ValidationMode::Strict` lets nothing through without one.
        author: message.source?.to_string(),
        origin: Bytes::copy_from_slice(&id.0),
        payload: message.data.into(),
    })
}

fn behaviour(key: &SecretKey, config: &Config, clock: Clock) -> Result<Behaviour, String> {
    let protocol = StreamProtocol::try_from_owned(config.door.kad_protocol.clone())
        .map_err(|error| format!("`door.kad_protocol`: {error}"))?;
    Ok(Behaviour {
        limits: connection_limits::Behaviour::new(
            ConnectionLimits::default()
                .with_max_pending_incoming(Some(config.link.max_pending))
                // Kademlia and gossipsub would follow addresses that strangers name.
                .with_max_pending_outgoing(Some(0))
                .with_max_established(Some(config.door.max_links))
                .with_max_established_per_peer(Some(MAX_PER_PEER)),
        ),
        gate: Gate::new(clock, &config.link),
        gossip: gossip(key, config)?,
        identify: identify::Behaviour::new(
            identify::Config::new("ipfs/0.1.0".to_owned(), key.keypair().public())
                .with_agent_version(AGENT.to_owned()),
        ),
        ping: ping::Behaviour::new(ping::Config::new()),
        kademlia: address_book(PeerId::from(key.id()), protocol),
    })
}

fn gossip(key: &SecretKey, config: &Config) -> Result<Gossip, String> {
    let largest = config.topic.max_message_bytes + HEADROOM;
    let everybody = config.door.max_links as usize;
    let settings = ConfigBuilder::default()
        .max_transmit_size(largest.max(MIN_TRANSMIT))
        .max_control_message_size(1024 * 1024)
        .max_control_messages_sent(1_000)
        .message_id_fn(pubsub_id)
        .heartbeat_interval(config.gossip.heartbeat)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .history_length(12)
        .history_gossip(4)
        .duplicate_cache_time(config.gossip.duplicate_cache)
        .connection_handler_queue_len(config.gossip.queue_messages)
        .forward_queue_duration(config.gossip.forward_queue)
        // Programs that know nobody but the door hear each other through it, so all who come are
        // its mesh, from the moment they take part. It dials nobody: none is of its own choice.
        .mesh_outbound_min(0)
        .mesh_n_low(everybody)
        .mesh_n(everybody)
        .mesh_n_high(everybody + 1)
        .flood_publish(true)
        .validation_mode(ValidationMode::Strict)
        .build()
        .map_err(|error| error.to_string())?;
    let topics = config.door.topics.iter().map(|topic| IdentTopic::new(topic).hash());
    let carried: HashSet<TopicHash> = topics.collect();
    let filter = MaxCountSubscriptionFilter {
        max_subscribed_topics: carried.len(),
        // A program may take part in many topics elsewhere, and tells them all in one message.
        max_subscriptions_per_request: 4_096,
        filter: WhitelistSubscriptionFilter(carried),
    };
    let signed = MessageAuthenticity::Signed(key.keypair().clone());
    let gossip = Gossip::new_with_subscription_filter_and_transform(
        signed,
        settings,
        filter,
        IdentityTransform,
    )?;
    Ok(gossip)
}

/// The id the pubsub specification, go and py use: author bytes, then the number in 8 bytes.
fn pubsub_id(message: &gossipsub::Message) -> MessageId {
    let mut id = message.source.map(PeerId::to_bytes).unwrap_or_default();
    id.extend_from_slice(&message.sequence_number.unwrap_or_default().to_be_bytes());
    MessageId::from(id)
}
