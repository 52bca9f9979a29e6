//! What the engine wants of the network, done.

use libp2p::PeerId;
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};

use super::network::{Asked, Dial, Network, Open};
use crate::base::id::NodeId;
use crate::base::token::Token;
use crate::engine::frame::{Lane, Message, Request, Response, Ticket};
use crate::engine::{Input, Output};
use crate::protocol::discovery::DialFailure;

/// Most questions under way in a lane, to all peers together. A peer that answers nothing holds
/// each for the request timeout; above this they are lost at once.
const MAX_ASKS: usize = 16_384;

impl Network {
    /// Does what is for the network, and gives back what is for somebody else.
    pub fn perform(&mut self, output: Output) -> Option<Output> {
        match output {
            Output::Dial { token, peer, addresses } => self.dial(token, peer, addresses),
            Output::Close(link) => {
                if let Some(connection) = self.connections.get(&link) {
                    self.swarm.close_connection(*connection);
                }
            }
            Output::Neighbour { peer, joined } => {
                self.swarm.behaviour_mut().carrier.neighbour(&PeerId::from(peer), joined);
            }
            Output::Join(bucket) => self.swarm.behaviour_mut().carrier.join(bucket),
            Output::Leave(bucket) => self.swarm.behaviour_mut().carrier.leave(bucket),
            Output::Broadcast { token, bucket, frame } => {
                let outcome = self.swarm.behaviour_mut().carrier.publish(bucket, &frame);
                self.inbox.push_back(Input::Carried { token, outcome });
            }
            Output::Door { topic, payload } => {
                if let Some(door) = &mut self.door {
                    door.publish(&topic, &payload);
                }
            }
            Output::Bar { node, incarnation, certificate } => {
                self.hello.bar(node, incarnation, certificate);
            }
            Output::Unbar { node } => self.hello.unbar(node),
            Output::Incarnation(incarnation) => self.hello.rise(incarnation),
            Output::Ask { to, ticket, message } => self.send(to, ticket, Request::Ask(message)),
            Output::Tell { to, ticket, message } => self.send(to, ticket, Request::Tell(message)),
            Output::Answer { token, message } => self.respond(token, Some(message)),
            Output::TreeSend { to, packet } => {
                let (streams, mut effects) = self.streams();
                streams.send(PeerId::from(to), &packet, &mut effects);
            }
            Output::TreeHold { peer, held } => self.streams.hold(PeerId::from(peer), held),
            other => return Some(other),
        }
        None
    }

    fn dial(&mut self, token: Token, peer: Option<NodeId>, addresses: Vec<Multiaddr>) {
        let Some(options) = dial_options(peer, addresses) else {
            let failure = DialFailure::Unreachable("no address is known".to_owned());
            return self.inbox.push_back(Input::DialFailed { token, failure });
        };
        let connection = options.connection_id();
        let wanted = options.get_peer_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, Dial { token, wanted });
            }
            Err(error) => {
                let failure = dial_failure(&error);
                self.inbox.push_back(Input::DialFailed { token, failure });
            }
        }
    }

    fn send(&mut self, to: NodeId, ticket: Ticket, request: Request) {
        let (lane, again) = (request.message().lane(), Some(request.clone()));
        self.put(PeerId::from(to), lane, request, Open { ticket, again });
    }

    /// Asks a linked peer; all our questions may be asked twice.
    pub(super) fn put(&mut self, peer: PeerId, lane: Lane, request: Request, open: Open) {
        let exchange = self.swarm.behaviour_mut().exchange(lane);
        let asks = self.asks.entry(lane).or_default();
        // Asked without a link, request-response would dial by itself.
        if exchange.is_connected(&peer) && asks.len() < MAX_ASKS {
            let id = exchange.send_request(&peer, request);
            asks.insert(id, open);
        } else {
            self.inbox.push_back(Input::NoAnswer { ticket: open.ticket });
        }
    }

    /// Takes a question out of those under way, because it is over.
    pub(super) fn settled(&mut self, lane: Lane, id: OutboundRequestId) -> Option<Open> {
        self.asks.get_mut(&lane)?.remove(&id)
    }

    pub(super) fn respond(&mut self, token: Token, message: Option<Message>) {
        if let Some(Asked { lane, channel, .. }) = self.asked.remove(&token) {
            let exchange = self.swarm.behaviour_mut().exchange(lane);
            // Fails when the asker is gone, and then nobody waits.
            let _ = exchange.send_response(channel, Response(message));
        }
    }
}

fn dial_options(peer: Option<NodeId>, addresses: Vec<Multiaddr>) -> Option<DialOpts> {
    let first = addresses.first()?;
    let pinned = peer.map(PeerId::from).or_else(|| {
        first.iter().find_map(|part| match part {
            Protocol::P2p(id) => Some(id),
            _ => None,
        })
    });
    Some(match pinned {
        Some(peer) => DialOpts::peer_id(peer)
            .addresses(addresses)
            // Another dial or link may be about to break: the tie is broken after the hello.
            .condition(PeerCondition::NotDialing)
            .build(),
        None => DialOpts::unknown_peer_id().address(first.clone()).build(),
    })
}

/// What a failed dial means, hellos aside.
pub(super) fn dial_failure(error: &DialError) -> DialFailure {
    match error {
        DialError::LocalPeerId { .. } => DialFailure::Ourselves,
        DialError::WrongPeerId { obtained, .. } => {
            DialFailure::WrongPeer(Some(NodeId::from(*obtained)))
        }
        DialError::Denied { cause } => DialFailure::Limited(reason(cause)),
        DialError::DialPeerConditionFalse(_) => {
            DialFailure::Limited("it is being dialled already".to_owned())
        }
        DialError::Transport(failures) => {
            let last = failures.last().map(|(_, error)| innermost(error));
            DialFailure::Unreachable(last.unwrap_or_else(|| "no transport fits".to_owned()))
        }
        other => DialFailure::Unreachable(other.to_string()),
    }
}

/// The sentence at the bottom of a chain of errors: the upper layers only repeat it.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn reason(cause: &libp2p::swarm::ConnectionDenied) -> String {
    innermost(cause)
}
