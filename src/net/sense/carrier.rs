//! gossipsub: messages, copies, who takes part in what, who is slow.

use libp2p::gossipsub::Event;

use crate::base::id::NodeId;
use crate::engine::Input;
use crate::net::carrier::{CarrierEvent, Copy};
use crate::net::network::Network;

pub fn sense(network: &mut Network, event: CarrierEvent) {
    let input = match event {
        CarrierEvent::Copy(Copy { from, author, sequence }) => {
            Some(Input::Copy { from: from.into(), author: author.into(), sequence })
        }
        CarrierEvent::Gossip(event) => gossip(network, event),
    };
    network.inbox.extend(input);
}

fn gossip(network: &mut Network, event: Event) -> Option<Input> {
    match event {
        Event::Message { propagation_source, message, .. } => Some(Input::Heard {
            from: propagation_source.into(),
            // Strict validation lets nothing through without these two.
            author: NodeId::from(message.source?),
            sequence: message.sequence_number?,
            frame: message.data.into(),
        }),
        Event::Subscribed { peer_id, topic, .. } => {
            let bucket = network.swarm.behaviour().carrier.bucket(&topic)?;
            Some(Input::Joined { peer: peer_id.into(), bucket })
        }
        Event::Unsubscribed { peer_id, topic } => {
            let bucket = network.swarm.behaviour().carrier.bucket(&topic)?;
            Some(Input::Parted { peer: peer_id.into(), bucket })
        }
        Event::SlowPeer { peer_id, .. } => Some(Input::Slow { peer: peer_id.into() }),
        Event::GossipsubNotSupported { .. } => None,
    }
}
