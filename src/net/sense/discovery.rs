//! Those who know addresses: identify, Kademlia, mDNS.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId, identify, mdns};

use crate::engine::Input;
use crate::net::kademlia::{Finder, FinderEvent, learn};
use crate::net::network::Network;
use crate::protocol::discovery::Source;

/// Kademlia hears of no address by itself; identify brings them.
pub fn identify(network: &mut Network, event: identify::Event) {
    let identify::Event::Received { peer_id, info, .. } = event else { return };
    if let Some(Finder(book)) = network.swarm.behaviour_mut().kademlia.as_mut() {
        learn(book, &peer_id, info);
    }
}

pub fn kademlia(network: &mut Network, event: FinderEvent) {
    if let FinderEvent::Found(peer, addresses) = event {
        sighting(network, Source::Kademlia, peer, addresses);
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
