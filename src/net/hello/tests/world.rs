//! Real nodes, small: a swarm whose only behaviour notes whom it hears of.

use std::collections::BTreeSet;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    self, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, SwarmEvent, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId, Swarm};

use crate::base::id::Life;
use crate::base::key::{NetworkKey, SecretKey};
use crate::net::hello::acquaintances::Introduced;
use crate::net::hello::{Hello, HelloSettings};
use crate::net::refusal::HelloFailure;
use crate::net::transport::{self, Transports};

/// No test waits longer. Far above what any of them needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The patience of nodes that meet the silent.
pub const SHORT: Duration = Duration::from_millis(200);

pub const ALL: Transports = Transports {
    tcp: true,
    quic: true,
    websocket: true,
    memory: true,
    dns: false,
    handshake_timeout: Duration::from_secs(5),
    quic_idle: Duration::from_secs(4),
};

pub const KINDS: [&str; 4] = [
    "/ip4/127.0.0.1/tcp/0",
    "/ip4/127.0.0.1/udp/0/quic-v1",
    "/ip4/127.0.0.1/tcp/0/ws",
    "/memory/0",
];

/// Notes every peer the swarm tells its behaviours of.
#[derive(Default)]
pub struct Witness {
    pub met: Vec<PeerId>,
}

pub struct Node {
    pub swarm: Swarm<Witness>,
    pub hello: Hello,
}

/// How a connection began at one side.
#[derive(Debug)]
pub enum Begin {
    Met(Introduced),
    Failed(Option<HelloFailure>),
}

/// Ends a test that waits for what does not come.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it happens within ten seconds")
}

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub fn settings(seed: u8) -> HelloSettings {
    HelloSettings {
        me: key(seed).id(),
        network: "orchard".into(),
        key: Some(NetworkKey::new([7; 32])),
        life: Life(u64::from(seed)),
        max_message_bytes: 1_000_000,
        buckets: 32,
        features: BTreeSet::from([format!("feature-{seed}")]),
        agent: format!("test/{seed}"),
        timeout: Duration::from_secs(5),
        max_under_way: 8,
    }
}

pub fn node(seed: u8) -> Node {
    node_with(seed, ALL, |_| {})
}

pub fn node_with(seed: u8, on: Transports, change: impl FnOnce(&mut HelloSettings)) -> Node {
    let mut settings = settings(seed);
    change(&mut settings);
    let hello = Hello::new(settings);
    let transport = transport::build(&key(seed), on, &hello, None).expect("transports");
    let config =
        swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(60));
    let swarm = Swarm::new(transport, Witness::default(), key(seed).id().into(), config);
    Node { swarm, hello }
}

impl Node {
    pub async fn listen(&mut self, address: &str) -> Multiaddr {
        self.swarm.listen_on(address.parse().expect("an address")).expect("a listener");
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = self.swarm.select_next_some().await {
                return address;
            }
        }
    }

    /// How the next connection of this node begins. Checks on the way that the hello is known for
    /// what the swarm reports, once.
    pub async fn begin(&mut self) -> Begin {
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                    let introduced = self.hello.take(&peer_id, &endpoint).expect("it said hello");
                    assert_eq!(self.hello.take(&peer_id, &endpoint), None, "taken once");
                    return Begin::Met(introduced);
                }
                SwarmEvent::OutgoingConnectionError { error, .. } => {
                    return Begin::Failed(HelloFailure::of_dial(&error));
                }
                SwarmEvent::IncomingConnectionError { error, .. } => {
                    return Begin::Failed(HelloFailure::of_listen(&error));
                }
                _ => {}
            }
        }
    }

    /// How the next connection fails. No behaviour has heard of the peer.
    pub async fn failure(&mut self) -> Option<HelloFailure> {
        match self.begin().await {
            Begin::Met(introduced) => panic!("nobody should have been met: {introduced:?}"),
            Begin::Failed(failure) => {
                assert_eq!(self.swarm.behaviour().met, [], "no behaviour hears of a stranger");
                assert_eq!(self.swarm.connected_peers().count(), 0);
                failure
            }
        }
    }

    /// How the next connection's hello fails.
    pub async fn hello_failure(&mut self) -> HelloFailure {
        self.failure().await.expect("the hello was what failed")
    }
}

/// Lets the second node dial the first, at a fresh address of this kind.
pub async fn meet(kind: &str, listener: &mut Node, dialer: &mut Node) -> (Begin, Begin) {
    soon(async {
        let address = listener.listen(kind).await;
        dialer.swarm.dial(address).expect("a dial");
        futures::join!(listener.begin(), dialer.begin())
    })
    .await
}

impl NetworkBehaviour for Witness {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        self.met.push(peer);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        self.met.push(peer);
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
