//! Addresses: whom they name, and how near they are.

use std::net::{Ipv4Addr, Ipv6Addr};

use multiaddr::{Multiaddr, Protocol};

use crate::base::id::NodeId;

/// Takes the `/p2p/…` off the end: where, and who should be there.
pub(super) fn split(mut address: Multiaddr) -> (Multiaddr, Option<NodeId>) {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            (address, Some(NodeId::from(peer)))
        }
        _ => (address, None),
    }
}

/// The address without the peer's own id at its end. Another id at the end stays: then the address
/// is that node's, and a dial of it would say so.
pub(super) fn of_peer(peer: NodeId, address: Multiaddr) -> Multiaddr {
    match split(address.clone()) {
        (place, Some(named)) if named == peer => place,
        _ => address,
    }
}

/// Smaller is nearer: this machine, the local network, the rest of the world.
pub(super) fn distance(address: &Multiaddr) -> u8 {
    match address.iter().next() {
        Some(Protocol::Memory(_)) => 0,
        Some(Protocol::Ip4(ip)) if ip.is_loopback() => 0,
        Some(Protocol::Ip6(ip)) if ip.is_loopback() => 0,
        Some(Protocol::Ip4(ip)) if is_local4(ip) => 1,
        Some(Protocol::Ip6(ip)) if is_local6(ip) => 1,
        _ => 2,
    }
}

fn is_local4(ip: Ipv4Addr) -> bool {
    ip.is_private() || ip.is_link_local()
}

fn is_local6(ip: Ipv6Addr) -> bool {
    ip.is_unique_local() || ip.is_unicast_link_local()
}
