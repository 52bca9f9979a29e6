//! gossipsub among members, with an ear on every copy.
//!
//! gossipsub reports the first copy of a message only. Paths need all of them, so a thin wrapper
//! notes whose bytes are being handled, and gossipsub's `DataTransform`, which is called for each
//! copy before the duplicate check, writes down who sent what. Copies come out after the messages
//! they belong to.

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{
    self, ConfigBuilder, DataTransform, IdentTopic, MaxCountSubscriptionFilter, Message,
    MessageAuthenticity, MessageId, PublishError, RawMessage, TopicHash, ValidationMode,
    WhitelistSubscriptionFilter,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::base::key::SecretKey;
use crate::config::Config;
use crate::protocol::discovery::Topology;
use crate::protocol::topic::{Bucket, Carried};

/// Room above the largest message for gossipsub's own fields and several messages in one read:
/// within 8 KiB of the limit messages get lost when they arrive together.
const HEADROOM: usize = 64 * 1024;

/// Copies that may wait to be told; more come only when thousands arrive in one read, and then the
/// oldest are forgotten: a path less.
const MAX_COPIES: usize = 65_536;

/// One copy of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Copy {
    /// Who sent it to us.
    pub from: PeerId,
    /// Who signed it.
    pub author: PeerId,
    /// The author's gossipsub number.
    pub sequence: u64,
}

/// What the carrier reports.
#[derive(Debug)]
pub enum CarrierEvent {
    /// What gossipsub says itself.
    Gossip(gossipsub::Event),
    /// Any copy of a message.
    Copy(Copy),
}

type Filter = MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>;
type Inner = gossipsub::Behaviour<Ear, Filter>;

/// Writes down who sent each copy. Public only as part of gossipsub's type.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    /// Whose bytes are being handled now.
    speaker: Cell<Option<PeerId>>,
    copies: VecDeque<Copy>,
}

impl Ear {
    fn with<T>(&self, act: impl FnOnce(&mut Heard) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DataTransform for Ear {
    fn inbound_transform(&self, raw: RawMessage) -> io::Result<Message> {
        self.with(|heard| {
            if let (Some(from), Some(author), Some(sequence)) =
                (heard.speaker.get(), raw.source, raw.sequence_number)
            {
                if heard.copies.len() == MAX_COPIES {
                    heard.copies.pop_front();
                }
                heard.copies.push_back(Copy { from, author, sequence });
            }
        });
        let RawMessage { source, data, sequence_number, topic, .. } = raw;
        Ok(Message { source, data, sequence_number, topic })
    }

    fn outbound_transform(&self, _: &TopicHash, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(bytes)
    }
}

/// gossipsub among members.
pub struct Carrier {
    inner: Inner,
    ear: Ear,
    topics: Vec<IdentTopic>,
}

impl Carrier {
    /// The carrier of a node with these settings.
    pub fn new(key: &SecretKey, config: &Config) -> Result<Self, String> {
        let topics: Vec<IdentTopic> =
            (0..config.topic.buckets).map(|i| IdentTopic::new(format!("gm/{i}"))).collect();
        let whitelist: HashSet<TopicHash> = topics.iter().map(IdentTopic::hash).collect();
        let filter = MaxCountSubscriptionFilter {
            filter: WhitelistSubscriptionFilter(whitelist),
            max_subscribed_topics: 4_096.max(topics.len()),
            max_subscriptions_per_request: 4_096.max(topics.len()),
        };
        let ear = Ear::default();
        let inner = gossipsub::Behaviour::new_with_subscription_filter_and_transform(
            MessageAuthenticity::Signed(key.keypair().clone()),
            settings(config).build().map_err(|error| error.to_string())?,
            filter,
            ear.clone(),
        )?;
        Ok(Self { inner, ear, topics })
    }

    /// Takes part in a bucket.
    pub fn join(&mut self, bucket: Bucket) {
        if let Some(topic) = self.topics.get(usize::from(bucket.0))
            && let Err(error) = self.inner.subscribe(topic)
        {
            tracing::warn!(%error, bucket = bucket.0, "cannot join a bucket");
        }
    }

    /// Takes part no more.
    pub fn leave(&mut self, bucket: Bucket) {
        if let Some(topic) = self.topics.get(usize::from(bucket.0)) {
            self.inner.unsubscribe(topic);
        }
    }

    /// Which bucket a gossipsub topic is.
    pub fn bucket(&self, topic: &TopicHash) -> Option<Bucket> {
        let place = self.topics.iter().position(|own| own.hash() == *topic)?;
        u16::try_from(place).ok().map(Bucket)
    }

    /// Broadcasts a frame.
    pub fn publish(&mut self, bucket: Bucket, frame: &[u8]) -> Carried {
        let Some(topic) = self.topics.get(usize::from(bucket.0)) else { return Carried::Refused };
        match self.inner.publish(topic.hash(), frame) {
            // A duplicate is one that is out already.
            Ok(_) | Err(PublishError::Duplicate) => Carried::Out,
            Err(PublishError::NoPeersSubscribedToTopic) => Carried::NoPeers,
            Err(PublishError::AllQueuesFull(_)) => Carried::QueuesFull,
            Err(error) => {
                tracing::warn!(%error, "gossipsub refused a frame");
                Carried::Refused
            }
        }
    }

    /// Topics travel directly to this peer from now on, or no more.
    pub fn neighbour(&mut self, peer: &PeerId, joined: bool) {
        if joined {
            self.inner.add_explicit_peer(peer);
        } else {
            self.inner.remove_explicit_peer(peer);
        }
    }
}

/// gossipsub's settings; each differs from its default for a reason that was measured.
fn settings(config: &Config) -> ConfigBuilder {
    let gossip = &config.gossip;
    let mut builder = ConfigBuilder::default();
    let largest = config.topic.max_message_bytes + HEADROOM;
    builder
        .max_transmit_size(largest)
        // One oversized control message would end a link for ever.
        .max_control_message_size(1024 * 1024)
        .max_control_messages_sent(1_000)
        .max_ihave_messages_heartbeat(10 + usize::from(config.topic.buckets))
        .message_id_fn(short_id)
        .heartbeat_interval(gossip.heartbeat)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .history_length(12)
        .history_gossip(4)
        .duplicate_cache_time(gossip.duplicate_cache)
        .connection_handler_queue_len(gossip.queue_messages)
        .forward_queue_duration(gossip.forward_queue)
        .prune_backoff(Duration::from_secs(10))
        .unsubscribe_backoff(Duration::from_secs(1))
        // Our own backoff dials, not gossipsub.
        .check_explicit_peers_ticks(u64::MAX)
        .validation_mode(ValidationMode::Strict);
    match config.topology {
        Topology::Open => builder
            .mesh_outbound_min(config.mesh_outbound())
            .mesh_n_low(gossip.mesh_low)
            .mesh_n(gossip.mesh)
            .mesh_n_high(gossip.mesh_high)
            .flood_publish(gossip.flood_publish),
        // Only along the edges: every neighbour is an explicit peer, and there is no mesh.
        Topology::Fixed(_) => builder
            .mesh_outbound_min(0)
            .mesh_n_low(0)
            .mesh_n(0)
            .mesh_n_high(0)
            .gossip_lazy(0)
            .gossip_factor(0.0)
            .flood_publish(false),
    };
    builder
}

/// 16 bytes for (author, sequence): gossipsub's own text of 71 bytes overfills control messages.
fn short_id(message: &Message) -> MessageId {
    let mut hasher = blake3::Hasher::new();
    if let Some(author) = message.source {
        hasher.update(&author.to_bytes());
    }
    hasher.update(&message.sequence_number.unwrap_or_default().to_be_bytes());
    let hash = hasher.finalize();
    let (short, _) = hash.as_bytes().split_at(16);
    MessageId::from(short.to_vec())
}

impl NetworkBehaviour for Carrier {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = CarrierEvent;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.ear.with(|heard| heard.speaker.set(Some(peer)));
        self.inner.on_connection_handler_event(peer, connection, event);
        self.ear.with(|heard| heard.speaker.set(None));
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Poll::Ready(event) = self.inner.poll(cx) {
            return Poll::Ready(event.map_out(CarrierEvent::Gossip));
        }
        match self.ear.with(|heard| heard.copies.pop_front()) {
            Some(copy) => Poll::Ready(ToSwarm::GenerateEvent(CarrierEvent::Copy(copy))),
            None => Poll::Pending,
        }
    }
}
