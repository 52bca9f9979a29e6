//! The rules of a node, and the streams they hold for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::task::AtomicWaker;

use super::fault::{Fault, FaultDirection, FaultEffect, FaultError, FaultPeer, MAX_PEERS};
use super::weather::{BothWays, Weather};
use crate::base::id::NodeId;
use crate::net::clock::Clock;

/// The faults of a node. Clones share one state.
#[derive(Clone)]
pub struct Shaper(Arc<Shared>);

struct Shared {
    seed: u64,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rules: BTreeMap<FaultPeer, BothWays>,
    /// Of all streams that live: as many as there are connections, and those under way.
    seats: BTreeMap<u64, Seated>,
    opened: u64,
}

struct Seated {
    /// With whom, once that is known.
    peer: Option<NodeId>,
    seat: Arc<Seat>,
}

/// Where the shaper leaves word for a stream.
#[derive(Default)]
pub(super) struct Seat {
    /// Raised, under the lock, with every change of the weather.
    version: AtomicU64,
    weather: Mutex<BothWays>,
    /// Who waits in each direction for bytes that a change of the weather may set free.
    pub reader: AtomicWaker,
    pub writer: AtomicWaker,
}

/// A stream's place with the shaper; given up when dropped.
pub(super) struct Place {
    pub seat: Arc<Seat>,
    pub clock: Clock,
    /// For what happens to this stream by chance.
    pub seed: u64,
    number: u64,
    shaper: Shaper,
}

/// The right to say who is at the other end of a stream.
pub(in crate::net) struct Tag {
    number: u64,
    shaper: Shaper,
}

impl Shaper {
    /// Nothing is wrong yet. The same seed loses the same segments of the same connections.
    pub fn new(seed: u64, clock: Clock) -> Self {
        Self(Arc::new(Shared { seed, clock, state: Mutex::default() }))
    }

    /// Sets all of these, in this order, or none.
    ///
    /// # Errors
    /// One that cannot be, or too many peers.
    pub fn set(&self, faults: &[Fault]) -> Result<(), FaultError> {
        faults.iter().try_for_each(Fault::check)?;
        let mut state = self.lock();
        let mut rules = state.rules.clone();
        for fault in faults {
            apply(&mut rules, fault);
        }
        rules.retain(|_, rule| *rule != BothWays::default());
        if rules.len() > MAX_PEERS {
            return Err(FaultError::TooMany);
        }
        state.rules = rules;
        let (rules, seats) = (&state.rules, state.seats.values());
        let changed = seats.filter(|seated| seated.seat.put(weather(rules, seated.peer)));
        let changed: Vec<Arc<Seat>> = changed.map(|seated| seated.seat.clone()).collect();
        drop(state);
        changed.iter().for_each(|seat| seat.wake());
        Ok(())
    }

    /// What is in force.
    pub fn faults(&self) -> Vec<Fault> {
        let state = self.lock();
        state.rules.iter().flat_map(|(peer, rule)| listed(*peer, *rule)).collect()
    }

    /// Gives a new stream its place; nobody knows yet with whom it is.
    pub(super) fn seat(&self) -> Place {
        let mut state = self.lock();
        state.opened += 1;
        let number = state.opened;
        let seat = Arc::new(Seat::default());
        seat.put(weather(&state.rules, None));
        state.seats.insert(number, Seated { peer: None, seat: seat.clone() });
        // Multiplied by a large odd number, neighbours become far apart.
        let seed = self.0.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Place { seat, clock: self.0.clock, seed, number, shaper: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub fn tag(&self) -> Tag {
        Tag { number: self.number, shaper: self.shaper.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shaper.lock().seats.remove(&self.number);
    }
}

impl Tag {
    /// This is who is at the other end: from now on the rules for it hold.
    pub fn bind(&self, peer: NodeId) {
        let mut state = self.shaper.lock();
        let weather = weather(&state.rules, Some(peer));
        let Some(seated) = state.seats.get_mut(&self.number) else { return };
        seated.peer = Some(peer);
        seated.seat.put(weather);
        let seat = seated.seat.clone();
        drop(state);
        seat.wake();
    }
}

impl Seat {
    /// The number of the last change.
    pub fn version(&self) -> u64 {
        // What a reader sees of a change it sees under the lock.
        self.version.load(Ordering::Relaxed)
    }

    /// The weather, and the number of its last change.
    pub fn weather(&self) -> (u64, BothWays) {
        let weather = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        (self.version(), *weather)
    }

    /// Leaves word; true when it is news. To be called under the lock of the rules, so that the
    /// last word is the newest one.
    fn put(&self, news: BothWays) -> bool {
        let mut weather = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        if *weather == news {
            return false;
        }
        *weather = news;
        self.version.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Has the stream look. To be called without the lock: a stream that ends takes it.
    fn wake(&self) {
        self.reader.wake();
        self.writer.wake();
    }
}

fn apply(rules: &mut BTreeMap<FaultPeer, BothWays>, fault: &Fault) {
    let change = |rule: &mut BothWays| {
        if fault.direction != FaultDirection::In {
            rule.out.apply(fault.effect);
        }
        if fault.direction != FaultDirection::Out {
            rule.inbound.apply(fault.effect);
        }
    };
    if (fault.peer, fault.effect) == (FaultPeer::All, FaultEffect::Clear) {
        rules.values_mut().for_each(change);
    } else {
        change(rules.entry(fault.peer).or_default());
    }
}

fn weather(rules: &BTreeMap<FaultPeer, BothWays>, peer: Option<NodeId>) -> BothWays {
    let rule = |peer: FaultPeer| rules.get(&peer).copied().unwrap_or_default();
    let own = peer.map(|peer| rule(FaultPeer::One(peer))).unwrap_or_default();
    own.over(rule(FaultPeer::All))
}

fn listed(peer: FaultPeer, rule: BothWays) -> impl Iterator<Item = Fault> {
    let one_way = move |weather: Weather, other: Weather, direction| {
        weather.effects().filter_map(move |effect| {
            let both = other.effects().any(|there| there == effect);
            let direction = match (both, direction) {
                (true, FaultDirection::Out) => FaultDirection::Both,
                (true, _) => return None,
                (false, direction) => direction,
            };
            Some(Fault { peer, direction, effect })
        })
    };
    let out = one_way(rule.out, rule.inbound, FaultDirection::Out);
    out.chain(one_way(rule.inbound, rule.out, FaultDirection::In))
}
