//! Whom an event of the swarm is for.

use libp2p::swarm::SwarmEvent;

use super::{carrier, control, discovery, link, stream};
use crate::base::id::NodeId;
use crate::engine::Input;
use crate::engine::frame::Lane;
use crate::net::behaviour::BehaviourEvent;
use crate::net::network::Network;

/// Takes one event of the swarm.
pub fn swarm(network: &mut Network, event: SwarmEvent<BehaviourEvent>) {
    match event {
        SwarmEvent::Behaviour(event) => behaviour(network, event),
        other => link::swarm(network, other),
    }
}

fn behaviour(network: &mut Network, event: BehaviourEvent) {
    match event {
        BehaviourEvent::Carrier(event) => carrier::sense(network, event),
        BehaviourEvent::Control(event) => control::sense(network, Lane::Control, event),
        BehaviourEvent::Probe(event) => control::sense(network, Lane::Probe, event),
        BehaviourEvent::Opener(event) => stream::sense(network, event),
        BehaviourEvent::Ping(event) => ping(network, &event),
        BehaviourEvent::Identify(event) => discovery::identify(network, event),
        BehaviourEvent::Kademlia(event) => discovery::kademlia(network, event),
        BehaviourEvent::Mdns(event) => discovery::mdns(network, event),
    }
}

fn ping(network: &mut Network, event: &libp2p::ping::Event) {
    let Some(link) = network.links.get(&event.connection).copied() else { return };
    let peer = NodeId::from(event.peer);
    let answered = event.result.as_ref().ok().copied();
    if answered.is_some() {
        network.missing.remove(&link);
    } else if network.missing.insert(link) {
        // libp2p keeps the first of several misses in a row to itself.
        network.inbox.push_back(Input::Pinged { peer, link, answered });
    }
    network.inbox.push_back(Input::Pinged { peer, link, answered });
}
