//! Questions and answers, of both lanes.

use libp2p::request_response::{Event, Message, OutboundFailure};

use crate::base::id::NodeId;
use crate::engine::Input;
use crate::engine::frame::{Lane, Request, Response};
use crate::net::network::{Asked, Network, Open};

pub fn sense(network: &mut Network, lane: Lane, event: Event<Request, Response>) {
    match event {
        Event::Message { peer, message, .. } => match message {
            Message::Request { request_id, request, channel } => {
                asked(network, peer.into(), Asked { lane, id: request_id, channel }, request);
            }
            Message::Response { request_id, response } => {
                if let Some(Open { ticket, .. }) = network.settled(lane, request_id) {
                    let from = peer.into();
                    network.inbox.push_back(match response {
                        Response(Some(message)) => Input::Answer { from, ticket, message },
                        Response(None) => Input::Arrived { from, ticket },
                    });
                }
            }
        },
        Event::OutboundFailure { peer, request_id, error, .. } => {
            tracing::debug!(%peer, %error, "a question got no answer");
            let Some(Open { ticket, again }) = network.settled(lane, request_id) else { return };
            match (error, again) {
                // It broke on the way. Is there another?
                (OutboundFailure::ConnectionClosed | OutboundFailure::Io(_), Some(request)) => {
                    network.put(peer, lane, request, Open { ticket, again: None });
                }
                _ => network.inbox.push_back(Input::NoAnswer { ticket }),
            }
        }
        Event::InboundFailure { peer, request_id, error, .. } => {
            tracing::debug!(%peer, %error, "an answer did not get out");
            network.asked.retain(|_, asked| (asked.lane, asked.id) != (lane, request_id));
        }
        Event::ResponseSent { .. } => {}
    }
}

fn asked(network: &mut Network, from: NodeId, asked: Asked, request: Request) {
    let token = network.tokens.next();
    network.asked.insert(token, asked);
    match request {
        Request::Ask(message) => network.inbox.push_back(Input::Asked { from, token, message }),
        Request::Tell(message) => {
            network.respond(token, None);
            network.inbox.push_back(Input::Told { from, message });
        }
    }
}
