//! Whom to dial, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hashlink::LinkedHashSet;
use multiaddr::Multiaddr;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::address;
use super::config::DiscoveryConfig;
use super::fixed::Fixed;
use super::mend::Mend;
use super::output::Output;
use super::pace::Pace;
use super::target::{Key, Stays, Target, backoff};
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
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) own: NodeId,
    pub(super) config: DiscoveryConfig,
    pub(super) rng: ChaCha8Rng,
    pub(super) links: BTreeMap<NodeId, Link>,
    pub(super) targets: BTreeMap<Key, Target>,
    must: BTreeSet<(Time, Key)>,
    pool: BTreeSet<(Time, Key)>,
    pace: Pace,
    pub(super) dials: BTreeMap<Token, Dial>,
    /// Targets nobody but a sighting vouches for, the oldest first.
    sighted: LinkedHashSet<Key>,
    /// Who refused us or was refused, and until when it is left alone.
    pub(super) refused: BTreeMap<Key, Time>,
    /// With whom another room needs a link: dialled once, at once.
    wanted: BTreeSet<NodeId>,
    /// Whom the user told us not to dial.
    held_off: BTreeSet<NodeId>,
    /// Where we reached ourselves, the newest last.
    reached_ourselves: LinkedHashSet<Multiaddr>,
    listening: BTreeSet<Multiaddr>,
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
enum Want {
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

    pub(super) fn postpone(&mut self, key: &Key, due: Time) {
        if let Some(target) = self.targets.get_mut(key) {
            target.due = due;
        }
        self.settle(key);
    }

    /// Puts a target into the queue it belongs to now. Called after every change around it.
    pub(super) fn settle(&mut self, key: &Key) {
        let want = self.want(key);
        let refused = self.refused.get(key).copied().unwrap_or_default();
        let Some(target) = self.targets.get_mut(key) else { return };
        if let Some(queued) = target.queued.take() {
            let place = (queued, key.clone());
            self.must.remove(&place);
            self.pool.remove(&place);
        }
        let Some(want) = want else { return };
        let due = target.due.max(refused);
        target.queued = Some(due);
        match want {
            Want::Must => self.must.insert((due, key.clone())),
            Want::Pool => self.pool.insert((due, key.clone())),
        };
    }

    pub(super) fn settle_all(&mut self) {
        let keys: Vec<Key> = self.targets.keys().cloned().collect();
        keys.iter().for_each(|key| self.settle(key));
    }

    /// Settles whatever leads to this peer.
    pub(super) fn settle_peer(&mut self, peer: NodeId) {
        self.settle(&Key::Peer(peer));
        self.entries_of(peer).iter().for_each(|key| self.settle(key));
    }

    /// The addresses behind which this peer lives, as far as known.
    pub(super) fn entries_of(&self, peer: NodeId) -> Vec<Key> {
        // `Key` orders all addresses before all peers.
        let entries = self.targets.iter().take_while(|(key, _)| matches!(key, Key::Address(_)));
        let theirs = entries.filter(|(_, target)| target.peer == Some(peer));
        theirs.map(|(key, _)| key.clone()).collect()
    }

    fn want(&self, key: &Key) -> Option<Want> {
        let target = self.targets.get(key)?;
        let out_of_question = |peer| self.is_linked(peer) || self.held_off.contains(&peer);
        if target.peer.is_some_and(out_of_question) || self.is_dialling(key) {
            return None;
        }
        match (&self.fixed, key) {
            _ if target.stays.is_some() => Some(Want::Must),
            (_, Key::Peer(peer)) if self.wanted.contains(peer) => Some(Want::Must),
            (Some(fixed), Key::Peer(peer)) => {
                let wanted = fixed.has(*peer) || self.candidate == Some(*peer);
                wanted.then_some(Want::Must)
            }
            (Some(_), Key::Address(_)) => None,
            (None, _) => Some(Want::Pool),
        }
    }

    /// Another room needs a link with this peer: it is dialled now, whatever its backoff says.
    pub(super) fn want_now(&mut self, now: Time, peer: NodeId, out: &mut Outbox<Output>) {
        let key = Key::Peer(peer);
        if self.is_linked(peer) || peer == self.own {
            return;
        }
        let refused = self.refused.get(&key).is_some_and(|until| *until > now);
        let place_known = self
            .targets
            .get(&key)
            .is_some_and(|target| !target.places(|place| self.is_ours(place)).is_empty());
        if !place_known || refused || self.held_off.contains(&peer) {
            return out.push(Output::Unreached { peer });
        }
        self.wanted.insert(peer);
        if let Some(target) = self.targets.get_mut(&key) {
            target.due = target.due.min(now);
        }
        self.settle(&key);
    }

    /// It is linked, or will not be now.
    pub(super) fn not_wanted(&mut self, peer: NodeId) -> bool {
        self.wanted.remove(&peer)
    }

    pub(super) fn not_reached(&mut self, peer: Option<NodeId>, out: &mut Outbox<Output>) {
        if let Some(peer) = peer.filter(|peer| self.wanted.remove(peer)) {
            out.push(Output::Unreached { peer });
        }
    }

    fn is_dialling(&self, key: &Key) -> bool {
        self.dials.values().any(|dial| dial.key == *key)
    }

    pub fn is_linked(&self, peer: NodeId) -> bool {
        self.links.contains_key(&peer)
    }

    pub(super) fn is_neighbour(&self, peer: NodeId) -> bool {
        self.fixed.as_ref().is_some_and(|fixed| fixed.has(peer))
    }

    pub(super) fn is_ours(&self, place: &Multiaddr) -> bool {
        self.listening.contains(place) || self.reached_ourselves.contains(place)
    }

    pub(super) fn reached_ourselves(&mut self, place: Multiaddr) {
        self.reached_ourselves.insert(place);
        if self.reached_ourselves.len() > MAX_OURS {
            self.reached_ourselves.pop_front();
        }
    }

    pub fn listening(&mut self, addresses: &[Multiaddr]) {
        let own = self.own;
        self.listening =
            addresses.iter().map(|place| address::of_peer(own, place.clone())).collect();
    }

    pub(super) fn is_held_off(&self, peer: NodeId) -> bool {
        self.held_off.contains(&peer)
    }

    pub(super) fn hold_off(&mut self, peer: NodeId, off: bool) {
        if off {
            self.held_off.insert(peer);
        } else {
            self.held_off.remove(&peer);
        }
        self.settle_peer(peer);
    }

    /// How long to wait before a first dial, so that two nodes do not dial each other at once. In
    /// a crowd that is rare, and chance spreads the links instead.
    pub(super) fn courtesy(&mut self, peer: NodeId) -> Duration {
        let crowd = self.targets.len() > self.config.target_links.saturating_mul(2);
        if self.fixed.is_none() && crowd {
            COURTESY.mul_f64(self.rng.random_range(0.0..=1.0))
        } else if self.own < peer {
            Duration::ZERO
        } else {
            COURTESY
        }
    }

    /// Only a sighting vouches for this target. The oldest such leaves when there are too many.
    pub(super) fn only_sighted(&mut self, key: &Key) {
        if self.sighted.contains(key) {
            return;
        }
        self.sighted.insert(key.clone());
        if self.sighted.len() > self.config.max_sightings
            && let Some(oldest) = self.sighted.pop_front()
        {
            self.remove(&oldest);
        }
    }

    pub(super) fn vouched(&mut self, key: &Key) {
        self.sighted.remove(key);
    }

    pub(super) fn peer_target(&mut self, now: Time, peer: NodeId) -> &mut Target {
        let key = Key::Peer(peer);
        let due = now + self.courtesy(peer);
        self.targets.entry(key).or_insert_with(|| Target::new(Some(peer), due))
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Target> {
        self.sighted.remove(key);
        let target = self.targets.remove(key)?;
        if let Some(queued) = target.queued {
            let place = (queued, key.clone());
            self.must.remove(&place);
            self.pool.remove(&place);
        }
        Some(target)
    }

    /// Leaves a target alone for a while, whoever speaks for it.
    pub(super) fn refuse(&mut self, now: Time, key: &Key) {
        self.refused.retain(|_, until| *until > now);
        if self.refused.len() >= self.config.max_sightings.max(1) {
            let first = self.refused.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                self.refused.remove(&first);
            }
        }
        self.refused.insert(key.clone(), now + self.config.refused_for);
        self.settle(key);
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

    /// Addresses a user or an operator may name at most.
    pub(super) fn may_stay(&self, key: &Key) -> bool {
        let stays = |target: &Target| target.stays.is_some();
        self.targets.get(key).is_some_and(stays)
            || self.targets.values().filter(|target| stays(target)).count() < MAX_STAYING
    }

    pub(super) fn stay(&mut self, key: &Key, stays: Stays, peer: Option<NodeId>, now: Time) {
        self.vouched(key);
        self.refused.remove(key);
        let target = self.targets.entry(key.clone()).or_insert_with(|| Target::new(None, now));
        target.stays = Some(target.stays.map_or(stays, |before| match (before, stays) {
            (Stays::Connect, Stays::Connect) => Stays::Connect,
            _ => Stays::Bootstrap,
        }));
        if peer.is_some() {
            (target.peer, target.pinned) = (peer, true);
        }
        (target.due, target.failures) = (now, 0);
        self.settle(key);
    }
}

/// After this the driver is taken to have lost a dial. Its own limits are shorter.
const DIAL_DEADLINE: Duration = Duration::from_secs(20);

/// Dials the pool leaves free for who must be dialled. (Guess: a dead address holds one for long.)
const KEPT_FREE: usize = 4;

/// What the node with the larger id waits before it dials one it was told of.
const COURTESY: Duration = Duration::from_millis(300);

/// Addresses remembered at which we met ourselves.
const MAX_OURS: usize = 64;

/// Addresses of the operator and of `Connect` held at once.
const MAX_STAYING: usize = 1024;

/// The least wait of a target without an address.
const NOWHERE: Duration = Duration::from_secs(1);
