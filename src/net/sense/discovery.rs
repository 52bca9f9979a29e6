//! Those who know addresses: identify, Kademlia, mDNS.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId, identify, kad, mdns};

use crate::engine::Input;
use crate::net::kademlia::learn;
use crate::net::network::Network;
use crate::protocol::discovery::Source;

/// Kademlia hears of no address by itself; identify brings them.
pub fn identify(network: &mut Network, event: identify::Event) {
    let identify::Event::Received { peer_id, info, .. } = event else { return };
    if let Some(book) = network.swarm.behaviour_mut().kademlia.as_mut() {
        learn(book, &peer_id, info);
    }
}

/// Kademlia dials whom its own queries lead to. Whoever is reached is then a link like any other,
/// and known to the room with its addresses.
pub fn kademlia(network: &mut Network, event: kad::Event) {
    match event {
        kad::Event::RoutablePeer { peer, address }
        | kad::Event::PendingRoutablePeer { peer, address } => {
            sighting(network, Source::Kademlia, peer, vec![address]);
        }
        kad::Event::RoutingUpdated { peer, addresses, .. } => {
            sighting(network, Source::Kademlia, peer, addresses.into_vec());
        }
        _ => {}
    }
}

pub fn mdns(network: &mut Network, event: mdns::Event) {
    let mdns::Event::Discovered(found) = event else { return };
    let mut peers: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
    for (peer, address) in found {
        peers.entry(peer).or_default().push(address);
    }
    for (peer, addresses) in peers {
        sighting(network, Source::Mdns, peer, addresses);
    }
}

fn sighting(network: &mut Network, source: Source, peer: PeerId, addresses: Vec<Multiaddr>) {
    if peer != *network.swarm.local_peer_id() {
        network.inbox.push_back(Input::Sighting { source, peer: Some(peer.into()), addresses });
    }
}
