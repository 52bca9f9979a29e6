//! What was learnt in a hello, kept until the driver hears of the connection.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use hashlink::LinkedHashMap;
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::base::id::{Incarnation, NodeId};

/// Most connections between their hello and the driver. They stay for milliseconds; what is left
/// behind by connections that ended on the way leaves when newer ones come.
pub(super) const MAX_WAITING: usize = 1024;

/// A peer that passed the hello, and what it said of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Introduced {
    /// Who it is; proved by the transport.
    pub peer: NodeId,
    /// Which start of the peer, and how often it refuted its death since.
    pub incarnation: Incarnation,
    /// What it can do beyond the format version. At most 32 of at most 64 bytes.
    pub features: BTreeSet<String>,
    /// Program and version, for people. At most 256 bytes, no control characters.
    pub agent: String,
}

/// A connection as both the transport and the swarm name it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Connection {
    peer: PeerId,
    dialed: bool,
    remote: Multiaddr,
}

impl Connection {
    fn new(peer: &PeerId, point: &ConnectedPoint) -> Self {
        let mut remote = point.get_remote_address().clone();
        // The swarm adds the id to what it dials, others leave it out.
        if matches!(remote.iter().last(), Some(Protocol::P2p(_))) {
            remote.pop();
        }
        Self { peer: *peer, dialed: point.is_dialer(), remote }
    }
}

/// Who passed the hello and waits for the driver. Bounded: the oldest leaves.
#[derive(Debug, Default)]
pub(super) struct Acquaintances(Mutex<LinkedHashMap<Connection, Waiting>>);

/// Two dials to one address at once cannot be told apart, so they share the newer introduction.
#[derive(Debug)]
struct Waiting {
    introduced: Introduced,
    connections: u32,
}

impl Acquaintances {
    /// Remembers what was learnt on a connection.
    pub fn note(&self, peer: &PeerId, point: &ConnectedPoint, introduced: Introduced) {
        let connection = Connection::new(peer, point);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = waiting.remove(&connection).map_or(0, |waiting| waiting.connections);
        let connections = earlier.saturating_add(1);
        waiting.insert(connection, Waiting { introduced, connections });
        if waiting.len() > MAX_WAITING {
            waiting.pop_front();
        }
    }

    /// Hands over what was learnt on a connection. Once per connection.
    pub fn take(&self, peer: &PeerId, point: &ConnectedPoint) -> Option<Introduced> {
        let connection = Connection::new(peer, point);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = waiting.get_mut(&connection)?;
        entry.connections = entry.connections.saturating_sub(1);
        if entry.connections > 0 {
            return Some(entry.introduced.clone());
        }
        waiting.remove(&connection).map(|waiting| waiting.introduced)
    }
}
