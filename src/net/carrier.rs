//! gossipsub among members, with an ear on every copy.
//!
//! gossipsub reports the first copy of a message only. Paths need all of them, so a thin wrapper
//! notes whose bytes are being handled, and gossipsub's `DataTransform`, which is called for each
//! copy before the duplicate check, writes down who sent what. Copies come out after the messages
//! they belong to.
//!
//! ```text
//!   settings.rs  gossipsub's settings, and why
//!   ear.rs       who sent each copy
//!   turns.rs     which of two connections to a peer is spoken on; turn.rs is their end of it
//! ```

mod ear;
mod settings;
#[cfg(test)]
mod tests;
mod turn;
mod turns;

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{
    self, ConfigBuilder, IdentTopic, MaxCountSubscriptionFilter, MessageAuthenticity, PublishError,
    TopicHash, WhitelistSubscriptionFilter,
};
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use tokio::time::Sleep;

pub use ear::Copy;
use ear::Ear;
use settings::settings;
use turn::{FromTurn, ToTurn, Turn};
use turns::Turns;

use super::clock::Clock;
use crate::base::key::SecretKey;
use crate::config::Config;
use crate::protocol::topic::{Bucket, Carried};

/// What the carrier reports.
#[derive(Debug)]
pub enum CarrierEvent {
    /// What gossipsub says itself.
    Gossip(gossipsub::Event),
    /// Any copy of a message.
    Copy(Copy),
}

/// What the carrier moved since the start: frames, without what gossipsub adds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct CarrierStats {
    /// Bytes this node gave it to broadcast, each frame counted once however many neighbours get
    /// it.
    pub published_bytes: u64,
    /// Bytes that came from neighbours, every copy counted.
    pub received_bytes: u64,
}

type Filter = MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>;
type Inner = gossipsub::Behaviour<Ear, Filter>;

/// gossipsub among members.
pub struct Carrier {
    inner: Inner,
    ear: Ear,
    topics: Vec<IdentTopic>,
    clock: Clock,
    turns: Turns,
    published_bytes: u64,
    /// Wakes when a connection has waited long enough for its turn.
    timer: Pin<Box<Sleep>>,
}

impl Carrier {
    /// The carrier of a node with these settings.
    pub fn new(key: &SecretKey, config: &Config, clock: Clock) -> Result<Self, String> {
        Self::with(key, config, clock, &settings(config))
    }

    fn with(
        key: &SecretKey,
        config: &Config,
        clock: Clock,
        settings: &ConfigBuilder,
    ) -> Result<Self, String> {
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
            settings.build().map_err(|error| error.to_string())?,
            filter,
            ear.clone(),
        )?;
        let turns = Turns::new(PeerId::from(key.id()));
        let timer = Box::pin(tokio::time::sleep_until(clock.instant(clock.now()).into()));
        Ok(Self { inner, ear, topics, clock, turns, published_bytes: 0, timer })
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
            Ok(_) | Err(PublishError::Duplicate) => {
                self.published_bytes = self.published_bytes.saturating_add(frame.len() as u64);
                Carried::Out
            }
            Err(PublishError::NoPeersSubscribedToTopic) => Carried::NoPeers,
            Err(PublishError::AllQueuesFull(_)) => Carried::QueuesFull,
            Err(error) => {
                tracing::warn!(%error, "gossipsub refused a frame");
                Carried::Refused
            }
        }
    }

    /// What it moved since the start.
    pub fn stats(&self) -> CarrierStats {
        let Self { published_bytes, ref ear, .. } = *self;
        CarrierStats { published_bytes, received_bytes: ear.bytes() }
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

impl NetworkBehaviour for Carrier {
    type ConnectionHandler = Turn<<Inner as NetworkBehaviour>::ConnectionHandler>;
    type ToSwarm = CarrierEvent;

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.turns.dialling(connection, peer);
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_inbound_connection(connection, peer, local, remote)
            .map(Turn::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(connection, peer, address, role, port_use)
            .map(Turn::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(opened) => self.turns.opened(
                self.clock.now(),
                opened.peer_id,
                opened.connection_id,
                opened.endpoint.is_dialer(),
            ),
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.turns.closed(peer_id, connection_id);
            }
            FromSwarm::DialFailure(failed) => self.turns.not_dialled(failed.connection_id),
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            FromTurn::Heard => self.turns.heard(peer, connection),
            FromTurn::Inner(event) => {
                self.ear.listen_to(Some(peer));
                self.inner.on_connection_handler_event(peer, connection, event);
                self.ear.listen_to(None);
            }
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        while let Poll::Ready(event) = self.inner.poll(cx) {
            // gossipsub dials explicit peers by itself; here discovery alone dials.
            if !matches!(event, ToSwarm::Dial { .. }) {
                return Poll::Ready(event.map_out(CarrierEvent::Gossip).map_in(ToTurn::Inner));
            }
        }
        if let Some(event) = self.poll_turns(cx) {
            return Poll::Ready(event);
        }
        match self.ear.next_copy() {
            Some(copy) => Poll::Ready(ToSwarm::GenerateEvent(CarrierEvent::Copy(copy))),
            // Copies come with what connections tell, and after that the swarm polls again.
            None => Poll::Pending,
        }
    }
}

impl Carrier {
    fn poll_turns(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<ToSwarm<CarrierEvent, THandlerInEvent<Self>>> {
        loop {
            if let Some((peer_id, connection)) = self.turns.next(self.clock.now()) {
                let handler = NotifyHandler::One(connection);
                return Some(ToSwarm::NotifyHandler { peer_id, handler, event: ToTurn::Speak });
            }
            let deadline = self.clock.instant(self.turns.deadline()?).into();
            if self.timer.deadline() != deadline {
                self.timer.as_mut().reset(deadline);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return None;
            }
        }
    }
}
