//! What handles ask of the driver. Bounded: a full mailbox makes the asker wait.

use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;
use multiaddr::Multiaddr;
use tokio::sync::oneshot;

use super::members::{Member, Peer};
use super::overview::Overview;
use super::publisher::Outgoing;
use super::sinks::Deliveries;
use crate::base::group::Group;
use crate::base::id::NodeId;
use crate::base::token::Token;
use crate::engine::{Recording, Story};
use crate::net::{Fault, FaultError};
use crate::protocol::discovery::{ConnectError, Topology};
use crate::protocol::topic::{
    Earlier, Envelope, Kept, MessageId, Query, Report, Strategy, TopicError,
};

/// Commands that may wait for the driver.
pub const MAILBOX: usize = 1_024;

/// A message to be sent.
#[derive(Debug)]
pub struct Publication {
    pub topic: String,
    pub payload: Bytes,
    pub relays: NonZeroU8,
    pub foreign: bool,
    pub strategy: Strategy,
    pub if_read: bool,
    pub envelope: Envelope,
}

/// Everything a handle can ask.
#[derive(Debug)]
pub enum Command {
    Publish {
        publication: Publication,
        /// Whom to tell how far it came, and how long to wait for the last reader.
        confirm: Option<(Duration, oneshot::Sender<Report>)>,
        reply: oneshot::Sender<Result<MessageId, TopicError>>,
    },
    Subscribe {
        topic: String,
        own: bool,
        group: Option<Group>,
        earlier: Earlier,
        reply: oneshot::Sender<Result<(Token, Deliveries), TopicError>>,
    },
    /// Somebody will publish much.
    Publisher(Outgoing),
    Unsubscribe(Token),
    Read {
        query: Query,
        reply: oneshot::Sender<Vec<Kept>>,
    },
    Connect {
        address: Multiaddr,
        reply: oneshot::Sender<Result<NodeId, ConnectError>>,
    },
    Disconnect(NodeId),
    Forget(NodeId),
    Rewire(Topology),
    Disturb {
        faults: Vec<Fault>,
        reply: oneshot::Sender<Result<(), FaultError>>,
    },
    Faults(oneshot::Sender<Vec<Fault>>),
    Peers(oneshot::Sender<Vec<Peer>>),
    Members(oneshot::Sender<Vec<Member>>),
    Why {
        node: NodeId,
        reply: oneshot::Sender<Story>,
    },
    Readers {
        topic: String,
        reply: oneshot::Sender<Vec<NodeId>>,
    },
    /// `None` when nothing is recorded.
    Recording(oneshot::Sender<Option<Recording>>),
    Overview(oneshot::Sender<Overview>),
    /// Something a subscription noticed about its messages.
    Report(crate::engine::Event),
    Leave(oneshot::Sender<()>),
}
