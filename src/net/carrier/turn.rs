//! A connection that listens at once and speaks when it is its turn.

use std::task::{Context, Poll};

use libp2p::swarm::handler::{ConnectionEvent, ConnectionHandlerEvent};
use libp2p::swarm::{ConnectionHandler, SubstreamProtocol};

/// What the carrier tells a connection.
#[derive(Debug)]
pub enum ToTurn<T> {
    /// It is this connection's turn.
    Speak,
    /// For gossipsub's part.
    Inner(T),
}

/// What a connection tells the carrier.
#[derive(Debug)]
pub enum FromTurn<T> {
    /// The peer speaks on this connection.
    Heard,
    /// Of gossipsub's part.
    Inner(T),
}

type Wanted<H> = SubstreamProtocol<
    <H as ConnectionHandler>::OutboundProtocol,
    <H as ConnectionHandler>::OutboundOpenInfo,
>;

/// gossipsub's part of a connection, whose wish for a stream to speak on is kept back until the
/// carrier says that it is its turn. Without a stream it takes nothing from the queue to the peer.
pub struct Turn<H: ConnectionHandler> {
    inner: H,
    may_speak: bool,
    /// Kept back.
    wanted: Option<Wanted<H>>,
    heard: bool,
    heard_told: bool,
}

impl<H: ConnectionHandler> Turn<H> {
    /// A connection that has to wait.
    pub fn new(inner: H) -> Self {
        Self { inner, may_speak: false, wanted: None, heard: false, heard_told: false }
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Turn<H> {
    type FromBehaviour = ToTurn<H::FromBehaviour>;
    type ToBehaviour = FromTurn<H::ToBehaviour>;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = H::OutboundProtocol;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<H::InboundProtocol, H::InboundOpenInfo> {
        self.inner.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.inner.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<H::OutboundProtocol, H::OutboundOpenInfo, Self::ToBehaviour>>
    {
        if self.heard && !self.heard_told {
            self.heard_told = true;
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(FromTurn::Heard));
        }
        if let Some(protocol) = self.wanted.take_if(|_| self.may_speak) {
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        while let Poll::Ready(event) = self.inner.poll(cx) {
            match event {
                ConnectionHandlerEvent::OutboundSubstreamRequest { protocol }
                    if !self.may_speak =>
                {
                    self.wanted = Some(protocol);
                }
                other => return Poll::Ready(other.map_custom(FromTurn::Inner)),
            }
        }
        Poll::Pending
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.inner.poll_close(cx).map(|event| event.map(FromTurn::Inner))
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {
            ToTurn::Speak => self.may_speak = true,
            ToTurn::Inner(event) => self.inner.on_behaviour_event(event),
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            H::InboundProtocol,
            H::OutboundProtocol,
            H::InboundOpenInfo,
            H::OutboundOpenInfo,
        >,
    ) {
        self.heard |= matches!(event, ConnectionEvent::FullyNegotiatedInbound(_));
        self.inner.on_connection_event(event);
    }
}
