//! One link per peer: which of several connections is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use multiaddr::Multiaddr;

use super::config::WatchConfig;
use crate::base::id::{Life, NodeId};
use crate::base::time::Time;

/// Names one connection of the transport.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub u64);

/// A connection whose hello is done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Names it.
    pub id: LinkId,
    /// Where we dialled it; `None` when the peer dialled us.
    pub dialled: Option<Multiaddr>,
}

/// What a new connection means.
#[derive(Debug, Eq, PartialEq)]
pub enum Opened {
    /// It is the link.
    First,
    /// There is a link already; one of the two will be closed in a moment.
    Second,
    /// The peer knows nothing of our old link, or started anew: close all, the new one too.
    CleanSlate {
        /// All connections to it.
        close: Vec<LinkId>,
    },
    /// It belongs to a life that is over.
    Leftover,
}

/// A connection, and what is to become of it.
#[derive(Debug)]
struct Open {
    link: Link,
    since: Time,
    /// It lost against another one and is closed then.
    close_at: Option<Time>,
}

/// All connections to one peer in its present life.
#[derive(Debug)]
struct Peer {
    life: Life,
    /// Oldest first.
    open: Vec<Open>,
    kept: LinkId,
    /// All of them are being closed; what still comes meets the same end.
    ending: bool,
    failed_pings: u32,
    slow: Vec<Time>,
}

/// The links of this node.
#[derive(Debug)]
pub struct Links {
    me: NodeId,
    peers: BTreeMap<NodeId, Peer>,
}

impl Links {
    pub fn new(me: NodeId) -> Self {
        Self { me, peers: BTreeMap::new() }
    }

    /// Who is linked.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.peers.keys().copied()
    }

    pub fn is_linked(&self, peer: NodeId) -> bool {
        self.peers.contains_key(&peer)
    }

    /// All connections to a peer.
    #[cfg(test)]
    pub fn all(&self, peer: NodeId) -> Vec<LinkId> {
        self.peers.get(&peer).map_or_else(Vec::new, Peer::ids)
    }

    /// Takes in a new connection.
    pub fn opened(
        &mut self,
        now: Time,
        id: NodeId,
        life: Life,
        link: Link,
        config: &WatchConfig,
    ) -> Opened {
        let me = self.me;
        let Some(peer) = self.peers.get_mut(&id) else {
            self.peers.insert(id, Peer::new(now, life, link));
            return Opened::First;
        };
        if life < peer.life {
            return Opened::Leftover;
        }
        let newest = peer.open.iter().map(|open| open.since).max().unwrap_or(now);
        if peer.ending || life > peer.life || now.since(newest) > config.tie_window {
            // It is counted too: only when all of them are gone is the slate clean.
            peer.open.push(Open { link, since: now, close_at: None });
            return Opened::CleanSlate { close: peer.end() };
        }
        peer.second(now, link, me < id, config);
        Opened::Second
    }

    /// A connection is gone. True when it was the peer's last.
    pub fn closed(&mut self, id: NodeId, link: LinkId) -> bool {
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        peer.open.retain(|open| open.link.id != link);
        let Some(last) = peer.open.last_mut() else {
            self.peers.remove(&id);
            return true;
        };
        if peer.kept == link {
            peer.kept = last.link.id;
            peer.failed_pings = 0;
            last.close_at = None;
        }
        false
    }

    /// Gives a peer up: all its connections, to be closed now.
    pub fn end(&mut self, id: NodeId) -> Vec<LinkId> {
        self.peers.get_mut(&id).map_or_else(Vec::new, Peer::end)
    }

    /// A ping on a connection came back, or did not. True when the link is to be given up.
    pub fn pinged(&mut self, id: NodeId, link: LinkId, answered: bool, misses: u32) -> bool {
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        if peer.kept != link {
            return false;
        }
        peer.failed_pings = if answered { 0 } else { peer.failed_pings.saturating_add(1) };
        peer.failed_pings >= misses
    }

    /// The carrier complains that a peer is slow. True when the link is to be given up.
    pub fn slow(&mut self, now: Time, id: NodeId, window: Duration, limit: u32) -> bool {
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        peer.slow.retain(|at| now.since(*at) <= window);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if peer.slow.len() < limit {
            peer.slow.push(now);
        }
        peer.slow.len() >= limit
    }

    /// When the first connection that lost has to be closed.
    pub fn deadline(&self) -> Option<Time> {
        self.peers.values().flat_map(|peer| &peer.open).filter_map(|open| open.close_at).min()
    }

    /// Connections that lost and whose time is over; each is named once.
    pub fn overdue(&mut self, now: Time) -> Vec<LinkId> {
        let opens = self.peers.values_mut().flat_map(|peer| &mut peer.open);
        opens
            .filter_map(|open| open.close_at.take_if(|at| *at <= now).map(|_| open.link.id))
            .collect()
    }
}

impl Peer {
    fn new(now: Time, life: Life, link: Link) -> Self {
        let kept = link.id;
        let open = vec![Open { link, since: now, close_at: None }];
        Self { life, open, kept, ending: false, failed_pings: 0, slow: Vec::new() }
    }

    /// Two connections at once: decides which one stands, as the other side will too.
    fn second(&mut self, now: Time, link: Link, i_am_smaller: bool, config: &WatchConfig) {
        let new_is_mine = link.dialled.is_some();
        let new = link.id;
        let old_is_mine = self
            .open
            .iter()
            .find(|open| open.link.id == self.kept)
            .is_none_or(|open| open.link.dialled.is_some());
        self.open.push(Open { link, since: now, close_at: None });
        let (stands, wait) = if new_is_mine == old_is_mine {
            // Both from one side, which may see them in another order than we: it cuts the tie.
            (new, if new_is_mine { config.tie_grace } else { config.tie_patience })
        } else {
            let new_stands = new_is_mine == i_am_smaller;
            (if new_stands { new } else { self.kept }, config.tie_grace)
        };
        if self.kept != stands {
            self.kept = stands;
            self.failed_pings = 0;
        }
        for open in &mut self.open {
            let loses = open.link.id != stands;
            open.close_at = loses.then(|| open.close_at.unwrap_or(now + wait));
        }
    }

    fn end(&mut self) -> Vec<LinkId> {
        self.ending = true;
        self.open.iter_mut().for_each(|open| open.close_at = None);
        self.ids()
    }

    fn ids(&self) -> Vec<LinkId> {
        self.open.iter().map(|open| open.link.id).collect()
    }
}
