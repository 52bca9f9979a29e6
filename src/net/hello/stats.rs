//! How the hellos went, counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::net::refusal::HelloError;

/// How the hellos of this node went since its start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct HelloStats {
    /// Incoming hellos that have not ended yet.
    pub under_way: usize,
    /// Ended well, in either direction.
    pub welcomed: u64,
    /// Refused by this node, by the name of the reason.
    pub refused_by_us: BTreeMap<&'static str, u64>,
    /// Refused by peers, by the name of the reason.
    pub refused_by_peer: BTreeMap<&'static str, u64>,
    /// Not finished in time.
    pub silent: u64,
    /// Cut short.
    pub broken: u64,
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    under_way: AtomicUsize,
    ended: Mutex<HelloStats>,
}

/// One incoming hello under way; ends with its value, however the hello ends.
pub(super) struct Slot<'a> {
    counters: &'a Counters,
    /// How many were under way with this one.
    pub taken: usize,
}

impl Counters {
    /// Begins an incoming hello.
    pub fn enter(&self) -> Slot<'_> {
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        Slot { counters: self, taken: before.saturating_add(1) }
    }

    /// Counts how a hello ended.
    pub fn count<T>(&self, end: &Result<T, HelloError>) {
        let mut ended = self.ended();
        let counter = match end {
            Ok(_) => &mut ended.welcomed,
            Err(HelloError::RefusedByUs(why)) => ended.refused_by_us.entry(why.name()).or_default(),
            Err(HelloError::RefusedByPeer(why)) => {
                ended.refused_by_peer.entry(why.name()).or_default()
            }
            Err(HelloError::Silence) => &mut ended.silent,
            Err(HelloError::Broken(_)) => &mut ended.broken,
        };
        *counter = counter.saturating_add(1);
    }

    /// A copy of all counters.
    pub fn snapshot(&self) -> HelloStats {
        HelloStats { under_way: self.under_way.load(Ordering::Relaxed), ..self.ended().clone() }
    }

    fn ended(&self) -> MutexGuard<'_, HelloStats> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.counters.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
