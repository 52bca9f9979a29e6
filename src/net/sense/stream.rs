//! Streams of the tree carrier.

use crate::net::network::Network;
use crate::net::stream::StreamEvent;

pub fn sense(network: &mut Network, event: StreamEvent) {
    let (streams, mut effects) = network.streams();
    streams.happened(event, &mut effects);
}
