//! The gate: how many connections one address may open in a second, checked before any handshake.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use hashlink::LinkedHashMap;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::clock::Clock;
use crate::base::time::Time;

/// Addresses remembered; the one that was quiet longest is forgotten first.
const MAX_ADDRESSES: usize = 4_096;

/// Too many connections from one address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} opens more connections in a second than `link.max_inbound_per_ip` allows")]
pub struct TooFast(pub IpAddr);

/// Refuses inbound connections above the rate.
pub struct Gate {
    clock: Clock,
    per_second: usize,
    recent: LinkedHashMap<IpAddr, VecDeque<Time>>,
}

impl Gate {
    /// `per_second` connections per address; 0 is no limit.
    pub fn new(clock: Clock, per_second: u32) -> Self {
        Self { clock, per_second: per_second as usize, recent: LinkedHashMap::new() }
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

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        match ip(remote) {
            Some(ip) if self.per_second > 0 && !self.admits(ip) => {
                Err(ConnectionDenied::new(TooFast(ip)))
            }
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

    fn on_swarm_event(&mut self, _: FromSwarm) {}

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
