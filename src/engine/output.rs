//! Everything a node can want done.

use std::sync::Arc;

use bytes::Bytes;
use multiaddr::Multiaddr;

use super::event::Event;
use super::frame::{Message, Packet, Ticket};
use crate::base::id::{Incarnation, NodeId};
use crate::base::token::Token;
use crate::protocol::discovery::ConnectError;
use crate::protocol::link::LinkId;
use crate::protocol::topic::{Bucket, Kept, MessageId, Received, Report, TopicError};
use crate::store::op::Op;

/// Everything a node can want done. The driver obeys in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Dial; `Input::Opened` or `Input::DialFailed` tells how it went.
    Dial { token: Token, peer: Option<NodeId>, addresses: Vec<Multiaddr> },
    /// Close a connection.
    Close(LinkId),
    /// Topics travel directly to this peer from now on, or no more.
    Neighbour { peer: NodeId, joined: bool },

    /// Refuse this incarnation of a node and those before it at the hello, with the certificate
    /// against it. Takes the place of what was barred of the node before.
    Bar { node: NodeId, incarnation: Incarnation, certificate: Bytes },
    /// Refuse no incarnation of a node any more.
    Unbar { node: NodeId },
    /// The incarnation our own hellos say from now on. At the start: our life, no refutation.
    Incarnation(Incarnation),

    /// Take part in a bucket of the carrier.
    Join(Bucket),
    /// Take part no more.
    Leave(Bucket),
    /// Broadcast a frame; `Input::Carried` says what became of it.
    Broadcast { token: Token, bucket: Bucket, frame: Bytes },
    /// Publish the bare payload at the door.
    Door { topic: String, payload: Bytes },

    /// Send a packet by our stream to a peer; without one it is lost.
    TreeSend { to: NodeId, packet: Packet },
    /// While true, take no batches that come by this peer's streams: it has to wait. What waits
    /// here already still comes, 2 MiB over all peers. Ends with `Input::TreeDown`.
    TreeHold { peer: NodeId, held: bool },

    /// Ask a linked peer.
    Ask { to: NodeId, ticket: Ticket, message: Message },
    /// Tell a linked peer.
    Tell { to: NodeId, ticket: Ticket, message: Message },
    /// Answer an `Input::Asked`.
    Answer { token: Token, message: Message },

    /// Hand messages to a subscription, in order.
    Deliver { subscription: Token, messages: Vec<Arc<Received>> },
    /// Reply to a publish.
    Published { token: Token, result: Result<MessageId, TopicError> },
    /// Second reply to a publish with receipts.
    Confirmed { token: Token, report: Report },
    /// Reply to a subscribe.
    Subscribed { subscription: Token, result: Result<(), TopicError> },
    /// Reply to a reading of kept messages.
    Kept { token: Token, messages: Vec<Kept> },
    /// Reply to a connect.
    Connected { token: Token, result: Result<NodeId, ConnectError> },
    /// Remember this; nobody waits for it.
    Store(Vec<Op>),
    /// Something the node's user may want to know.
    Event(Event),
    /// What is known of nodes changed: who is there, or what somebody reads.
    Changed,
    /// The good-bye is said; the driver may stop.
    MayStop,
}
