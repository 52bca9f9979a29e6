//! What the room counts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::id::NodeId;

/// Counters of links since the start. A link is there while any connection with the peer is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct LinkStats {
    /// Links that came to be.
    pub opened: u64,
    /// Of these, links with a peer that had been linked before: reconnects.
    pub reopened: u64,
    /// Links that ended, for whatever reason.
    pub closed: u64,
}

/// Peers remembered after their link ended. Should more part, the return of some of them is
/// counted as a first link.
const MAX_PARTED: usize = 4_096;

/// Where it is counted.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    stats: LinkStats,
    parted: BTreeSet<NodeId>,
}

impl Ledger {
    pub fn stats(&self) -> LinkStats {
        self.stats
    }

    pub fn opened(&mut self, peer: NodeId) {
        self.stats.opened += 1;
        self.stats.reopened += u64::from(self.parted.remove(&peer));
    }

    pub fn closed(&mut self, peer: NodeId) {
        self.stats.closed += 1;
        if self.parted.len() < MAX_PARTED {
            self.parted.insert(peer);
        }
    }
}
