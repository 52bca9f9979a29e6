//! Targets: whom or what the node may dial, and when next.

use std::time::Duration;

use multiaddr::Multiaddr;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::address;
use super::config::DiscoveryConfig;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::token::Token;

/// What names a target.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Key {
    /// Whoever lives at this address (kept without the `/p2p/…` at its end).
    Address(Multiaddr),
    /// A node whose id is known.
    Peer(NodeId),
}

/// Somebody who may be dialled.
#[derive(Debug)]
pub(super) struct Target {
    /// Who it is: always known for `Key::Peer`, pinned or learned by a link for `Key::Address`.
    pub peer: Option<NodeId>,
    /// The id was given along with the address: nobody else will do.
    pub pinned: bool,
    /// Never given up and dialled in any topology.
    pub stays: Option<Stays>,
    /// `Connect` commands that wait for a reply.
    pub waiting: Vec<Token>,
    /// Where the operator says it is.
    pub given: Vec<Multiaddr>,
    /// Where its card says it is.
    pub card: Vec<Multiaddr>,
    /// Where it was last reached, then where others saw it, the newest first.
    pub seen: Vec<Multiaddr>,
    /// Where another node lives.
    pub wrong: Vec<Multiaddr>,
    /// A dial of several addresses met another node at one of them: find out which.
    pub one_by_one: bool,
    /// Dials and short links in a row that came to nothing.
    pub failures: u32,
    /// No dial before this.
    pub due: Time,
    /// Where it stands in the dialer's queues.
    pub queued: Option<Time>,
}

/// Why an address is never given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stays {
    /// The operator's list names it.
    Bootstrap,
    /// `Connect` named it.
    Connect,
}

impl Target {
    pub fn new(peer: Option<NodeId>, due: Time) -> Self {
        Self {
            peer,
            pinned: false,
            stays: None,
            waiting: Vec::new(),
            given: Vec::new(),
            card: Vec::new(),
            seen: Vec::new(),
            wrong: Vec::new(),
            one_by_one: false,
            failures: 0,
            due,
            queued: None,
        }
    }

    /// Remembers an address, the newest first; true when it is a new one. Of more than 8 the one
    /// seen longest ago leaves.
    pub fn see(&mut self, place: Multiaddr) -> bool {
        let lists = [&self.seen, &self.given, &self.card, &self.wrong];
        let known = lists.iter().any(|list| list.contains(&place));
        self.seen.retain(|seen| *seen != place);
        self.seen.insert(0, place);
        self.seen.truncate(MAX_PLACES);
        !known
    }

    /// Another node lives there.
    pub fn is_not_at(&mut self, place: Multiaddr) {
        self.seen.retain(|seen| *seen != place);
        self.wrong.retain(|wrong| *wrong != place);
        self.wrong.insert(0, place);
        self.wrong.truncate(MAX_WRONG);
    }

    /// Where to try next: where it was reached last, then the nearest, at most 8. When there are
    /// more, every failure moves on to the next 8.
    pub fn places(&self, is_ours: impl Fn(&Multiaddr) -> bool) -> Vec<Multiaddr> {
        let mut places: Vec<Multiaddr> = Vec::new();
        for place in self.seen.iter().chain(&self.given).chain(&self.card) {
            if !places.contains(place) && !self.wrong.contains(place) && !is_ours(place) {
                places.push(place.clone());
            }
        }
        if let Some((_, rest)) = places.split_first_mut() {
            rest.sort_by_key(address::distance);
        }
        let most = if self.one_by_one { 1 } else { MAX_PLACES };
        if places.len() > most {
            let turn = usize::try_from(self.failures).unwrap_or(0).wrapping_mul(most);
            let len = places.len();
            places.rotate_left(turn % len);
            places.truncate(most);
        }
        places
    }
}

/// The wait after so many failures: it doubles up to the longest, and of that between half and
/// the whole, so that nodes which fail together do not come back together.
pub(super) fn backoff(config: &DiscoveryConfig, failures: u32, rng: &mut ChaCha8Rng) -> Duration {
    let doubled = config.backoff_first.saturating_mul(2_u32.saturating_pow(failures));
    let whole = doubled.min(config.backoff_max).max(MIN_BACKOFF);
    whole.mul_f64(rng.random_range(0.5..=1.0))
}

/// Addresses of one dial, and addresses remembered of one peer beside its card.
const MAX_PLACES: usize = 8;

/// Addresses remembered at which a peer is not.
const MAX_WRONG: usize = 32;

/// Keeps a setting of zero from turning the machine in circles.
const MIN_BACKOFF: Duration = Duration::from_millis(2);
