//! Connections: begun, ended, refused; and our own addresses.

use bytes::Bytes;
use libp2p::PeerId;
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};

use crate::base::id::NodeId;
use crate::engine::Input;
use crate::net::behaviour::BehaviourEvent;
use crate::net::network::{Dial, Network};
use crate::net::perform::dial_failure;
use crate::net::refusal::{HelloError, HelloFailure, Refusal};
use crate::net::stream::FEATURE;
use crate::protocol::discovery::DialFailure;
use crate::protocol::link::{Link, LinkId};

pub fn swarm(network: &mut Network, event: SwarmEvent<BehaviourEvent>) {
    match event {
        SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
            opened(network, peer_id, connection_id, &endpoint);
        }
        SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
            if let Some(link) = network.links.remove(&connection_id) {
                network.connections.remove(&link);
                network.missing.remove(&link);
                let (streams, mut effects) = network.streams();
                streams.unlinked(peer_id, connection_id, &mut effects);
                network.inbox.push_back(Input::Closed { peer: peer_id.into(), link });
            }
        }
        SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
            not_dialled(network, connection_id, &error);
        }
        SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
            not_received(network, &error, &send_back_addr);
        }
        SwarmEvent::NewListenAddr { listener_id, address } => {
            network.starting.remove(&listener_id);
            network.listening.insert(address);
            network.tell_addresses();
        }
        SwarmEvent::ExpiredListenAddr { address, .. } => {
            network.listening.remove(&address);
            network.tell_addresses();
        }
        SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
            tracing::warn!(?addresses, ?reason, "a listener closed");
            network.starting.remove(&listener_id);
            for address in addresses {
                network.listening.remove(&address);
            }
            network.tell_addresses();
        }
        SwarmEvent::ListenerError { error, .. } => tracing::debug!(%error, "a listener failed"),
        _ => {}
    }
}

fn opened(
    network: &mut Network,
    peer: PeerId,
    connection: ConnectionId,
    endpoint: &ConnectedPoint,
) {
    let token = network.dials.remove(&connection).map(|dial| dial.token);
    let Some(introduced) = network.hello.take(&peer, endpoint) else {
        // The hello's word was lost among thousands of others: begin anew.
        tracing::debug!(%peer, "a connection without its hello");
        network.swarm.close_connection(connection);
        if let Some(token) = token {
            let failure = DialFailure::Unreachable("its hello was lost".to_owned());
            network.inbox.push_back(Input::DialFailed { token, failure });
        }
        return;
    };
    network.next_link += 1;
    let link = LinkId(network.next_link);
    network.connections.insert(link, connection);
    network.links.insert(connection, link);
    let (streams, mut effects) = network.streams();
    if introduced.features.contains(FEATURE) {
        streams.linked(peer, connection, &mut effects);
    }
    let peer = NodeId::from(peer);
    let dialled = match endpoint {
        ConnectedPoint::Dialer { address, .. } => Some(without_peer(address)),
        ConnectedPoint::Listener { .. } => None,
    };
    let life = introduced.incarnation.life;
    network.inbox.push_back(Input::Opened { peer, life, link: Link { id: link, dialled } });
    if let Some(token) = token {
        network.inbox.push_back(Input::Dialled { token, peer });
    }
}

fn not_dialled(network: &mut Network, connection: ConnectionId, error: &DialError) {
    let dial = network.dials.remove(&connection);
    let wanted = dial.and_then(|dial| dial.wanted).map(NodeId::from);
    let failure = match HelloFailure::of_dial(error) {
        // Whoever sent us there may have lied: it says nothing of the node we wanted.
        Some(other) if wanted.is_some_and(|wanted| wanted != other.peer) => {
            refusal(network, &other);
            DialFailure::WrongPeer(Some(other.peer))
        }
        Some(refused) => match refusal(network, &refused) {
            Some(reason) => DialFailure::Stranger(reason),
            None => DialFailure::Unreachable(refused.error.to_string()),
        },
        None => dial_failure(error),
    };
    tracing::debug!(?failure, "a dial led to no link");
    if let Some(Dial { token, .. }) = dial {
        network.inbox.push_back(Input::DialFailed { token, failure });
    }
}

fn not_received(network: &mut Network, error: &ListenError, from: &Multiaddr) {
    match HelloFailure::of_listen(error) {
        Some(refused) => {
            refusal(network, &refused);
        }
        None => {
            tracing::debug!(%error, %from, "an inbound connection led to no link");
            if let Some(end) = HelloFailure::before_hello(error) {
                network.hello.never_began(end);
            }
        }
    }
}

/// Tells a refusal by either side; `None` when the hello ended otherwise, or only for now.
fn refusal(network: &mut Network, failure: &HelloFailure) -> Option<String> {
    let (by_us, refusal) = match &failure.error {
        HelloError::RefusedByUs(refusal) => (true, refusal),
        HelloError::RefusedByPeer(refusal) => (false, refusal),
        HelloError::Silence | HelloError::Broken(_) => return None,
    };
    let reason = refusal.to_string();
    let peer = Some(failure.peer);
    network.inbox.push_back(Input::Refused { peer, by_us, reason: reason.clone() });
    if let HelloError::RefusedByPeer(Refusal::Down { certificate }) = &failure.error {
        let certificate = Bytes::copy_from_slice(certificate);
        network.inbox.push_back(Input::Barred { by: peer, certificate });
    }
    (!refusal.passes()).then_some(reason)
}

/// The address without `/p2p/…` at its end.
fn without_peer(address: &Multiaddr) -> Multiaddr {
    let mut address = address.clone();
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}
