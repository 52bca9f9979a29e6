//! A machine of the pretend world: its process, if it runs, and what outlives it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use bytes::Bytes;

use super::adversary::Adversary;
use super::clock::Clock;
use super::disk::Disk;
use super::happening::Happening;
use crate::base::id::{Incarnation, Life};
use crate::base::time::Time;
use crate::protocol::topic::Bucket;

/// Where a process is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Power {
    /// It runs.
    On,
    /// It was stopped with SIGSTOP.
    Paused,
    /// There is none; the machine says so to whoever calls.
    Off,
    /// The machine is off, too, and says nothing.
    Dark,
}

/// One machine.
pub(crate) struct Host<D> {
    /// What runs on it.
    pub node: Option<D>,
    pub power: Power,
    /// Raised with every start and stop; what was meant for an earlier one is dropped.
    pub generation: u32,
    pub life: Life,
    /// What its hello says it is.
    pub incarnation: Incarnation,
    /// Whom it refuses at the hello, up to which incarnation, and why.
    pub bars: BTreeMap<u32, (Incarnation, Bytes)>,
    pub clock: Clock,
    pub skew: i32,
    pub disk: Disk,
    /// What came while it was paused.
    pub held: VecDeque<Happening>,
    /// The earliest wake-up in the queue.
    pub wake: Option<Time>,
    /// Its connections, as (peer, connection).
    pub links: BTreeSet<(u32, u64)>,
    /// Its open questions, as (connection, question).
    pub asked: BTreeSet<(u64, u64)>,
    pub joined: BTreeSet<Bucket>,
    /// Peers topics travel to, in a fixed graph.
    pub neighbours: BTreeSet<u32>,
    /// Broadcasts it has, by author and number.
    pub heard: HashSet<(u32, u64)>,
    pub adversary: Option<Box<dyn Adversary>>,
}

impl<D> Host<D> {
    pub fn new(skew: i32) -> Self {
        Self {
            node: None,
            power: Power::Off,
            generation: 0,
            life: Life(0),
            incarnation: Incarnation::default(),
            bars: BTreeMap::new(),
            clock: Clock::new(Time::ZERO, skew),
            skew,
            disk: Disk::default(),
            held: VecDeque::new(),
            wake: None,
            links: BTreeSet::new(),
            asked: BTreeSet::new(),
            joined: BTreeSet::new(),
            neighbours: BTreeSet::new(),
            heard: HashSet::new(),
            adversary: None,
        }
    }

    /// The oldest connection with a peer.
    pub fn link_to(&self, peer: u32) -> Option<u64> {
        self.links.range((peer, 0)..=(peer, u64::MAX)).next().map(|(_, link)| *link)
    }

    /// Who is connected, each once.
    pub fn peers(&self) -> Vec<u32> {
        let mut peers: Vec<u32> = self.links.iter().map(|(peer, _)| *peer).collect();
        peers.dedup();
        peers
    }
}
