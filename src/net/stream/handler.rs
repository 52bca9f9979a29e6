//! The streams of one connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::StreamProtocol;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, Stream, SubstreamProtocol};
use tokio::time::{Sleep, sleep};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/gossip-mesh/tree/1");

/// Open a stream, after this time.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub after: Duration,
}

/// What became of it, and what the peer opened.
#[derive(Debug)]
pub enum Happened {
    Opened(Stream),
    Failed(String),
    Accepted(Stream),
}

/// Opens a stream when it is told to, and accepts those of the peer. Of what nobody has taken yet
/// only the newest is kept.
#[derive(Default)]
pub struct Handler {
    wait: Option<Pin<Box<Sleep>>>,
    opened: Option<Happened>,
    accepted: Option<Happened>,
}

type Protocol = ReadyUpgrade<StreamProtocol>;

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Happened;
    type InboundProtocol = Protocol;
    type OutboundProtocol = Protocol;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Protocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn on_behaviour_event(&mut self, Open { after }: Open) {
        self.wait = Some(Box::pin(sleep(after)));
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Protocol, Protocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => self.accepted = Some(Happened::Accepted(protocol)),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol, ..
            }) => self.opened = Some(Happened::Opened(protocol)),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.opened = Some(Happened::Failed(error.to_string()));
            }
            _ => {}
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Protocol, (), Happened>> {
        if let Some(happened) = self.opened.take().or_else(|| self.accepted.take()) {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(happened));
        }
        if self.wait.as_mut().is_some_and(|wait| wait.as_mut().poll(cx).is_ready()) {
            self.wait = None;
            // It has ten seconds to be agreed on.
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }
}
