//! The behaviour that opens and accepts streams. Which, and when, `Streams` says.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::handler::{Handler, Happened, Open};

/// Something happened to a stream of a connection.
#[derive(Debug)]
pub struct StreamEvent {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub happened: Happened,
}

/// Opens streams, one at a time on a connection. Holds what the swarm has not taken yet.
#[derive(Default)]
pub struct Opener(VecDeque<ToSwarm<StreamEvent, Open>>);

impl Opener {
    /// Opens a stream on this connection after some time; the last word counts. Nothing comes of
    /// it when the connection ends.
    pub fn open(&mut self, peer_id: PeerId, connection: ConnectionId, after: Duration) {
        let handler = NotifyHandler::One(connection);
        self.0.push_back(ToSwarm::NotifyHandler { peer_id, handler, event: Open { after } });
    }
}

impl NetworkBehaviour for Opener {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        happened: THandlerOutEvent<Self>,
    ) {
        self.0.push_back(ToSwarm::GenerateEvent(StreamEvent { peer, connection, happened }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<StreamEvent, THandlerInEvent<Self>>> {
        self.0.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
