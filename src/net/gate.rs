//! The gate: how many connections one address may open in a second, and how many of them may be
//! under way at once, checked before any handshake.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use hashlink::LinkedHashMap;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::{ConnectionEstablished, ListenFailure};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::clock::Clock;
use crate::base::time::Time;
use crate::config::LinkConfig;

/// Addresses remembered; the one that was quiet longest is forgotten first.
const MAX_ADDRESSES: usize = 4_096;

/// Too many connections from one address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} opens more connections in a second than `link.max_inbound_per_ip` allows")]
pub struct TooFast(pub IpAddr);

/// Too many connections of one address have not come through the handshake.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} has as many connections under way as one address may")]
pub struct TooMany(pub IpAddr);

/// Refuses inbound connections above the rate.
pub struct Gate {
    clock: Clock,
    per_second: usize,
    /// Of the connections that may be under way in all, one address may hold so many: who opens
    /// connections and says nothing does not shut out others.
    max_under_way: usize,
    recent: LinkedHashMap<IpAddr, VecDeque<Time>>,
    under_way: HashMap<ConnectionId, IpAddr>,
}

impl Gate {
    /// The gate of these settings; without a rate there is no limit at all.
    pub fn new(clock: Clock, config: &LinkConfig) -> Self {
        Self {
            clock,
            per_second: config.max_inbound_per_ip as usize,
            max_under_way: (config.max_pending as usize / 4).max(1),
            recent: LinkedHashMap::new(),
            under_way: HashMap::new(),
        }
    }

    fn check(&mut self, connection: ConnectionId, ip: IpAddr) -> Result<(), ConnectionDenied> {
        let under_way = self.under_way.values().filter(|other| **other == ip).count();
        if under_way >= self.max_under_way {
            return Err(ConnectionDenied::new(TooMany(ip)));
        }
        if !self.admits(ip) {
            return Err(ConnectionDenied::new(TooFast(ip)));
        }
        self.under_way.insert(connection, ip);
        Ok(())
    }

    fn admits(&mut self, ip: IpAddr) -> bool {
        let now = self.clock.now();
        let mut times = self.recent.remove(&ip).unwrap_or_default();
        times.retain(|at| now.since(*at).as_secs() < 1);
        let admitted = times.len() < self.per_second;
        if admitted {
            times.push_back(now);
        }
        self.recent.insert(ip, times);
        if self.recent.len() > MAX_ADDRESSES {
            self.recent.pop_front();
        }
        admitted
    }
}

/// Who counts as one: an IPv4 address, or the 2^64 IPv6 addresses that one customer has.
fn ip(address: &Multiaddr) -> Option<IpAddr> {
    const CUSTOMER: u128 = !0 << 64;
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6((u128::from(ip) & CUSTOMER).into())),
        _ => None,
    })
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        match ip(remote) {
            Some(ip) if self.per_second > 0 => self.check(connection, ip),
            _ => Ok(()),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.under_way.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
