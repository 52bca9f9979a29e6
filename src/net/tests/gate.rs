//! The gate, knocked at as the swarm does.

use libp2p::Multiaddr;
use libp2p::core::ConnectedPoint;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::ConnectionEstablished;
use libp2p::swarm::{ConnectionId, FromSwarm, NetworkBehaviour};

use crate::base::key::SecretKey;
use crate::config::LinkConfig;
use crate::net::clock::Clock;
use crate::net::gate::Gate;

fn gate(max_inbound_per_ip: u32, max_pending: u32) -> Gate {
    let config = LinkConfig { max_inbound_per_ip, max_pending, ..LinkConfig::default() };
    Gate::new(Clock::start(), &config)
}

fn address(text: &str) -> Multiaddr {
    text.parse().expect("an address")
}

fn knock(gate: &mut Gate, number: usize, from: &str) -> bool {
    let here = address("/ip4/127.0.0.1/tcp/1");
    let connection = ConnectionId::new_unchecked(number);
    gate.handle_pending_inbound_connection(connection, &here, &address(from)).is_ok()
}

#[test]
fn an_address_is_refused_above_its_rate_and_others_are_not() {
    let mut gate = gate(2, 400);
    let one = "/ip4/10.0.0.1/tcp/9";
    let admitted = (0..5).filter(|number| knock(&mut gate, *number, one)).count();
    assert_eq!(admitted, 2);
    assert!(knock(&mut gate, 9, "/ip4/10.0.0.2/tcp/9"));
}

#[test]
fn one_address_holds_a_quarter_of_the_slots_until_they_are_through() {
    let mut gate = gate(1_000, 16);
    let one = "/ip4/10.0.0.1/tcp/9";
    let admitted = (0..9).filter(|number| knock(&mut gate, *number, one)).count();
    assert_eq!(admitted, 4);
    let send_back_addr = address(one);
    let endpoint = ConnectedPoint::Listener { local_addr: send_back_addr.clone(), send_back_addr };
    gate.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
        peer_id: SecretKey::generate().id().into(),
        connection_id: ConnectionId::new_unchecked(0),
        endpoint: &endpoint,
        failed_addresses: &[],
        other_established: 0,
    }));
    assert!(knock(&mut gate, 10, one), "one is through");
    assert!(!knock(&mut gate, 11, one));
}

#[test]
fn the_addresses_of_one_ipv6_customer_count_as_one() {
    let mut gate = gate(1, 400);
    assert!(knock(&mut gate, 0, "/ip6/2001:db8::1/tcp/9"));
    assert!(!knock(&mut gate, 1, "/ip6/2001:db8::2/tcp/9"));
    assert!(knock(&mut gate, 2, "/ip6/2001:db8:0:1::1/tcp/9"));
}

#[test]
fn our_own_dials_do_not_count() {
    let mut gate = gate(1, 4);
    for number in 0..9 {
        let connection = ConnectionId::new_unchecked(number);
        let there = [address("/ip4/10.0.0.1/tcp/9")];
        gate.handle_pending_outbound_connection(connection, None, &there, Endpoint::Dialer)
            .expect("ours");
        let peer = SecretKey::generate().id().into();
        gate.handle_established_outbound_connection(
            connection,
            peer,
            &there[0],
            Endpoint::Dialer,
            PortUse::New,
        )
        .expect("ours");
    }
}
