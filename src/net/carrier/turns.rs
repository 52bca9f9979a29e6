//! Which of several connections to a peer the carrier speaks on: one at a time.
//!
//! gossipsub gives the messages for a peer to whichever connection takes them first. With two of
//! them the order is lost, and what the one that is closed had taken is lost as well. Two nodes
//! that dial each other at once have two connections until the tie is cut, and the one dialled by
//! the smaller id stands. So:
//!
//! - A connection dialled by the smaller id is spoken on at once.
//! - One dialled by the larger id may lose. The smaller side knows whether it is dialling as well
//!   and speaks only if not; the larger side speaks when it has heard the smaller one speak.
//! - Whatever the peer does, no connection waits longer than [`HOLD`].
//! - A connection spoken on is spoken on until it is closed.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use crate::base::time::Time;

/// Longest wait of a connection. (Guess: a dial around the world; what ends a tie later than this
/// may cost messages under way, as if there were no turns.)
pub const HOLD: Duration = Duration::from_millis(500);

struct Open {
    id: ConnectionId,
    by_smaller: bool,
    heard: bool,
    since: Time,
}

#[derive(Default)]
struct Peer {
    /// Oldest first.
    open: Vec<Open>,
    speaking: Option<ConnectionId>,
}

/// Whose turn it is, of all connections to all peers. Bounded by the limits on connections.
pub struct Turns {
    me: PeerId,
    peers: HashMap<PeerId, Peer>,
    /// Peers that are linked and not spoken to.
    silent: BTreeSet<PeerId>,
    /// Dials under way; nobody knows where one without a peer leads.
    dialling: HashMap<ConnectionId, Option<PeerId>>,
}

impl Turns {
    pub fn new(me: PeerId) -> Self {
        Self { me, peers: HashMap::new(), silent: BTreeSet::new(), dialling: HashMap::new() }
    }

    /// A dial begins.
    pub fn dialling(&mut self, id: ConnectionId, peer: Option<PeerId>) {
        self.dialling.insert(id, peer);
    }

    /// A dial failed.
    pub fn not_dialled(&mut self, id: ConnectionId) {
        self.dialling.remove(&id);
    }

    /// A connection is up.
    pub fn opened(&mut self, now: Time, peer: PeerId, id: ConnectionId, by_us: bool) {
        self.dialling.remove(&id);
        let by_smaller = by_us == (self.me < peer);
        let peers = self.peers.entry(peer).or_default();
        peers.open.push(Open { id, by_smaller, heard: false, since: now });
        if peers.speaking.is_none() {
            self.silent.insert(peer);
        }
    }

    /// The peer speaks on this connection.
    pub fn heard(&mut self, peer: PeerId, id: ConnectionId) {
        let peer = self.peers.get_mut(&peer);
        let open = peer.and_then(|peer| peer.open.iter_mut().find(|open| open.id == id));
        if let Some(open) = open {
            open.heard = true;
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, id: PeerId, connection: ConnectionId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.open.retain(|open| open.id != connection);
        peer.speaking.take_if(|speaking| *speaking == connection);
        if peer.open.is_empty() {
            self.peers.remove(&id);
            self.silent.remove(&id);
        } else if peer.speaking.is_none() {
            self.silent.insert(id);
        }
    }

    /// The next connection whose turn it is, if any.
    pub fn next(&mut self, now: Time) -> Option<(PeerId, ConnectionId)> {
        let (id, connection) =
            self.silent.iter().find_map(|peer| Some((*peer, self.choose(now, peer)?)))?;
        self.silent.remove(&id);
        self.peers.get_mut(&id)?.speaking = Some(connection);
        Some((id, connection))
    }

    fn choose(&self, now: Time, id: &PeerId) -> Option<ConnectionId> {
        let open = &self.peers.get(id)?.open;
        let ours = self.me < *id;
        let is_dialled = || self.dialling.values().any(|to| to.is_none_or(|to| to == *id));
        let stands = open.iter().find(|open| open.by_smaller);
        let may_stand = |open: &&Open| match ours {
            true => !is_dialled(),
            false => open.heard,
        };
        let late = |open: &&Open| now.since(open.since) >= HOLD;
        stands
            .or_else(|| open.iter().find(may_stand))
            .or_else(|| open.iter().find(late))
            .map(|open| open.id)
    }

    /// When a connection will have waited long enough.
    pub fn deadline(&self) -> Option<Time> {
        let waiting = self.silent.iter().filter_map(|peer| self.peers.get(peer));
        waiting.flat_map(|peer| &peer.open).map(|open| open.since + HOLD).min()
    }
}
