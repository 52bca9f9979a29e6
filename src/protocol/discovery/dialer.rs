//! Whom to dial, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hashlink::LinkedHashSet;
use multiaddr::Multiaddr;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::config::DiscoveryConfig;
use super::fixed::Fixed;
use super::mend::Mend;
use super::output::Output;
use super::pace::Pace;
use super::target::{Key, Target, backoff};
use crate::base::id::{Life, NodeId};
use crate::base::machine::{Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

/// Knows who is linked, keeps every target in the queue it belongs to, and begins dials.
///
/// Two queues by time: `must` holds what is dialled whatever happens (addresses of the operator,
/// neighbours), `pool` whoever else is known, dialled while links are wanting. Anybody can fill the
/// pool with made-up nodes, so it has a pace, leaves dials free, and comes after what is due of
/// `must`.
///
/// `queues.rs` says in which queue a target stands, `remember.rs` which targets there are,
/// `outcome.rs` what becomes of dials and links, `wish.rs` what users want.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) own: NodeId,
    pub(super) config: DiscoveryConfig,
    pub(super) rng: ChaCha8Rng,
    pub(super) links: BTreeMap<NodeId, Link>,
    pub(super) targets: BTreeMap<Key, Target>,
    pub(super) must: BTreeSet<(Time, Key)>,
    pub(super) pool: BTreeSet<(Time, Key)>,
    pace: Pace,
    pub(super) dials: BTreeMap<Token, Dial>,
    /// Targets nobody but a sighting vouches for, the oldest first.
    pub(super) sighted: LinkedHashSet<Key>,
    /// Who refused us or was refused, and until when it is left alone.
    pub(super) refused: BTreeMap<Key, Time>,
    /// With whom another room needs a link: dialled once, at once.
    pub(super) wanted: BTreeSet<NodeId>,
    /// Whom the user told us not to dial.
    pub(super) held_off: BTreeSet<NodeId>,
    /// Where we reached ourselves, the newest last.
    pub(super) reached_ourselves: LinkedHashSet<Multiaddr>,
    pub(super) listening: BTreeSet<Multiaddr>,
    /// `None` in the open topology.
    pub(super) fixed: Option<Fixed>,
    /// In a topology that mends itself.
    pub(super) mend: Option<Mend>,
    /// Who is asked to become a neighbour, and has to be linked for that.
    pub(super) candidate: Option<NodeId>,
    pub(super) begun: u64,
    pub(super) failed: u64,
}

/// A live link.
#[derive(Debug)]
pub(super) struct Link {
    pub life: Life,
    pub since: Time,
}

/// A dial under way.
#[derive(Debug)]
pub(super) struct Dial {
    pub key: Key,
    /// Who lived there last, as far as known.
    pub peer: Option<NodeId>,
    /// Who has to be there; nobody else will do.
    pub asked: Option<NodeId>,
    pub places: Vec<Multiaddr>,
    pub begun: Time,
    /// Why it was begun.
    want: Want,
}

/// Why a target stands in a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Want {
    Must,
    Pool,
}

impl Dialer {
    pub fn new(own: NodeId, config: DiscoveryConfig, seed: u64) -> Self {
        Self {
            own,
            config,
            rng: ChaCha8Rng::seed_from_u64(seed),
            links: BTreeMap::new(),
            targets: BTreeMap::new(),
            must: BTreeSet::new(),
            pool: BTreeSet::new(),
            pace: Pace::default(),
            dials: BTreeMap::new(),
            sighted: LinkedHashSet::new(),
            refused: BTreeMap::new(),
            wanted: BTreeSet::new(),
            held_off: BTreeSet::new(),
            reached_ourselves: LinkedHashSet::new(),
            listening: BTreeSet::new(),
            fixed: None,
            mend: None,
            candidate: None,
            begun: 0,
            failed: 0,
        }
    }

    /// Begins as many dials as are due, wanted and allowed.
    pub fn dial(&mut self, now: Time, tokens: &mut Tokens, out: &mut Outbox<Output>) {
        while let Some((key, want)) = self.next_due(now) {
            self.begin(now, (&key, want), tokens, out);
        }
    }

    fn next_due(&self, now: Time) -> Option<(Key, Want)> {
        let due = |next: Option<(Time, &Key)>, want| {
            next.filter(|(due, _)| *due <= now).map(|(_, key)| (key.clone(), want))
        };
        due(self.next_must(), Want::Must).or_else(|| due(self.next_pool(), Want::Pool))
    }

    /// Whom that must be dialled to dial next and when, as far as the limits allow any dial.
    fn next_must(&self) -> Option<(Time, &Key)> {
        let first = self.must.first().filter(|_| self.dials.len() < self.max_dials());
        first.map(|(due, key)| (*due, key))
    }

    /// Whom of the pool to dial next and when, as far as the limits allow and links are wanting.
    fn next_pool(&self) -> Option<(Time, &Key)> {
        let of_pool = self.dials.values().filter(|dial| dial.want == Want::Pool).count();
        let free = self.dials.len() < self.max_dials()
            && of_pool < self.max_dials().saturating_sub(KEPT_FREE).max(1);
        let wanting = self.links.len() + self.dials.len() < self.config.target_links;
        let first = self.pool.first().filter(|_| free && wanting);
        first.map(|(due, key)| (self.pace.ready().max(*due), key))
    }

    fn max_dials(&self) -> usize {
        self.config.max_dials.max(1)
    }

    fn begin(
        &mut self,
        now: Time,
        (key, want): (&Key, Want),
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        let Some(target) = self.targets.get(key) else {
            self.must.retain(|(_, queued)| queued != key);
            self.pool.retain(|(_, queued)| queued != key);
            return;
        };
        let peer = target.peer;
        let places = match key {
            Key::Peer(_) => target.places(|place| self.is_ours(place)),
            Key::Address(place) if self.is_ours(place) => Vec::new(),
            Key::Address(place) => vec![place.clone()],
        };
        let under_way = |dial: &Dial| dial.peer.is_some() && dial.peer == peer;
        if self.dials.values().any(under_way) {
            let pause = backoff(&self.config, 0, &mut self.rng);
            return self.postpone(key, now + pause);
        }
        if places.is_empty() {
            self.not_reached(peer, out);
            let pause = self.config.backoff_max.max(self.config.backoff_first);
            return self.postpone(key, now + pause.max(NOWHERE));
        }
        let token = tokens.next();
        // Whoever lives at an address now will do, unless the address came with an id.
        let asked = peer.filter(|_| matches!(key, Key::Peer(_)) || self.is_pinned(key));
        let dial = Dial { key: key.clone(), peer, asked, places: places.clone(), begun: now, want };
        if want == Want::Pool {
            self.pace.take(now);
        }
        self.begun += 1;
        self.dials.insert(token, dial);
        self.settle(key);
        out.push(Output::Dial { token, peer: asked, addresses: places });
    }

    fn is_pinned(&self, key: &Key) -> bool {
        self.targets.get(key).is_some_and(|target| target.pinned)
    }

    pub(super) fn is_dialling(&self, key: &Key) -> bool {
        self.dials.values().any(|dial| dial.key == *key)
    }

    pub fn is_linked(&self, peer: NodeId) -> bool {
        self.links.contains_key(&peer)
    }

    pub(super) fn is_neighbour(&self, peer: NodeId) -> bool {
        self.fixed.as_ref().is_some_and(|fixed| fixed.has(peer))
    }

    /// The dials nobody told the end of in time.
    pub fn overdue(&self, now: Time) -> Vec<Token> {
        let late = self.dials.iter().filter(|(_, dial)| dial.begun + DIAL_DEADLINE <= now);
        late.map(|(token, _)| *token).collect()
    }

    pub fn deadline(&self) -> Option<Time> {
        let dial = self.dials.values().map(|dial| dial.begun + DIAL_DEADLINE).min();
        let must = self.next_must().map(|(due, _)| due);
        earliest(earliest(dial, must), self.next_pool().map(|(due, _)| due))
    }

    pub(super) fn link(&mut self, now: Time, peer: NodeId, life: Life) {
        self.links.insert(peer, Link { life, since: now });
    }
}

/// After this the driver is taken to have lost a dial. Its own limits are shorter.
const DIAL_DEADLINE: Duration = Duration::from_secs(20);

/// Dials the pool leaves free for who must be dialled. (Guess: a dead address holds one for long.)
const KEPT_FREE: usize = 4;

/// The least wait of a target without an address.
const NOWHERE: Duration = Duration::from_secs(1);
