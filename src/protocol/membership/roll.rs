//! The roll: what is recorded of every node, who lives (the active view A), and whose votes count
//! (the agreed membership D).
//!
//! A record is the highest of `Alive(i) < Down(i) < Left < Alive(i + 1)`, so that neither order nor
//! repetition of news matters. D becomes A when more than half of D are known to have had the same
//! A, so D moves along one chain; see `holders`.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::holders::Holders;
use super::wire::{Alive, Certificate, Left, News, Resigned};
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::time::Time;

/// What was last proved of a node.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum State {
    /// It said that it lives.
    Alive(Arc<Alive>),
    /// A quorum put it out.
    Down(Arc<Certificate>),
    /// It put itself out.
    Resigned(Arc<Resigned>),
    /// It said good-bye.
    Left(Arc<Left>),
}

/// What is recorded of a node.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    pub state: State,
    /// Since when, by this node's clock.
    pub since: Time,
    /// Its vote counts: it is in D.
    pub agreed: bool,
    /// A number drawn from its id, for choices that all nodes make alike.
    pub lot: u64,
}

impl Record {
    pub fn incarnation(&self) -> Incarnation {
        self.state.incarnation()
    }

    pub const fn is_alive(&self) -> bool {
        matches!(self.state, State::Alive(_))
    }

    /// The next incarnation of a life is a contradiction.
    pub fn is_refuted_by(&self, incarnation: Incarnation) -> bool {
        self.is_alive() && self.incarnation().life == incarnation.life
    }

    pub const fn is_left(&self) -> bool {
        matches!(self.state, State::Left(_))
    }

    /// What others need to record the same.
    pub fn news(&self) -> News {
        match &self.state {
            State::Alive(alive) => News::Alive((**alive).clone()),
            State::Down(certificate) => News::Down((**certificate).clone()),
            State::Resigned(resigned) => News::Resigned((**resigned).clone()),
            State::Left(left) => News::Left((**left).clone()),
        }
    }
}

impl State {
    pub fn incarnation(&self) -> Incarnation {
        match self {
            Self::Alive(alive) => alive.incarnation,
            Self::Down(certificate) => certificate.incarnation,
            Self::Resigned(resigned) => resigned.incarnation,
            // A good-bye ends every incarnation of its life.
            Self::Left(left) => last_of(left.life),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Alive(_) => 0,
            Self::Down(_) | Self::Resigned(_) => 1,
            Self::Left(_) => 2,
        }
    }

    fn beats(&self, other: &Self) -> bool {
        (self.incarnation(), self.rank()) > (other.incarnation(), other.rank())
    }
}

/// The highest incarnation of a life.
pub const fn last_of(life: Life) -> Incarnation {
    Incarnation { life, refutations: u32::MAX }
}

/// A number drawn from an id: the same everywhere, in no relation to others'.
pub fn lot(node: NodeId) -> u64 {
    let hash = blake3::hash(&node.to_bytes());
    let mut first = [0; 8];
    first.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(first)
}

/// Mixes numbers into one, well enough for choices and digests (the finaliser of SplitMix64).
pub const fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.rotate_left(32) ^ b.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// All records of this node.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Roll {
    /// Equal parts are shared between clones, so thousands of pretended nodes in one process
    /// cost the differences only.
    records: OrdMap<NodeId, Record>,
    active: u32,
    agreed: u32,
    active_digest: u64,
    agreed_digest: u64,
    /// What `agreed_digest` would be if D were A.
    settled_digest: u64,
    /// Where A and D differ.
    apart: BTreeSet<NodeId>,
    /// The largest A since D last changed.
    peak: u32,
    holders: Holders,
}

impl Default for Roll {
    fn default() -> Self {
        Self {
            records: OrdMap::new(),
            active: 0,
            agreed: 0,
            active_digest: 0,
            agreed_digest: 0,
            settled_digest: 0,
            apart: BTreeSet::new(),
            peak: 0,
            holders: Holders::default(),
        }
    }
}

impl Roll {
    /// A mesh of these, all living and agreed on.
    #[cfg(feature = "sim")]
    pub fn formed(members: impl IntoIterator<Item = Alive>) -> Self {
        let mut roll = Self::default();
        for alive in members {
            roll.apply(Time::ZERO, alive.node, State::Alive(Arc::new(alive)));
        }
        roll.settle();
        roll
    }

    pub fn record(&self, node: NodeId) -> Option<&Record> {
        self.records.get(&node)
    }

    pub fn records(&self) -> impl Iterator<Item = (NodeId, &Record)> + '_ {
        self.records.iter().map(|(node, record)| (*node, record))
    }

    /// Records in the order of their nodes, after `after`.
    pub fn records_after(
        &self,
        after: Option<NodeId>,
    ) -> impl Iterator<Item = (NodeId, &Record)> + '_ {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.records.range((from, std::ops::Bound::Unbounded)).map(|(node, record)| (*node, record))
    }

    pub fn is_alive(&self, node: NodeId) -> bool {
        self.record(node).is_some_and(Record::is_alive)
    }

    /// Its vote counts.
    pub fn is_agreed(&self, node: NodeId) -> bool {
        self.record(node).is_some_and(|record| record.agreed)
    }

    /// A: those that live, in the order of their ids.
    pub fn alive(&self) -> impl Iterator<Item = (NodeId, &Record)> + '_ {
        self.records().filter(|(_, record)| record.is_alive())
    }

    /// D: those whose votes count, in the order of their ids.
    pub fn agreed(&self) -> impl Iterator<Item = (NodeId, &Record)> + '_ {
        self.records().filter(|(_, record)| record.agreed)
    }

    /// The sizes of A and D.
    pub const fn sizes(&self) -> (u32, u32) {
        (self.active, self.agreed)
    }

    /// The number of members a majority is taken of: the larger of D and every A since D was last
    /// agreed on. So a majority of the members before a change and one of those after it cannot
    /// decide apart from each other.
    pub fn electorate_size(&self) -> u32 {
        self.agreed.max(self.peak)
    }

    /// Digests of A and D.
    pub const fn digests(&self) -> (u64, u64) {
        (self.active_digest, self.agreed_digest)
    }

    /// The digest of D when it has become this A.
    pub const fn settled_digest(&self) -> u64 {
        self.settled_digest
    }

    pub fn is_settled(&self) -> bool {
        self.apart.is_empty()
    }

    /// Records `state` when it is higher than what is recorded. True when it was.
    pub fn apply(&mut self, now: Time, node: NodeId, state: State) -> bool {
        let old = self.records.get(&node);
        if old.is_some_and(|old| !state.beats(&old.state)) {
            return false;
        }
        let agreed = old.is_some_and(|old| old.agreed);
        let lot = old.map_or_else(|| lot(node), |old| old.lot);
        self.uncount(node);
        self.records.insert(node, Record { state, since: now, agreed, lot });
        self.count(node);
        true
    }

    /// Drops the record of a node that is neither in A nor in D.
    pub fn drop_history(&mut self, node: NodeId) {
        if self.record(node).is_some_and(|record| !record.is_alive() && !record.agreed) {
            self.records.remove(&node);
        }
    }

    /// Drops the record of a node that was never heard of in this life.
    pub fn forget(&mut self, node: NodeId) {
        self.set_agreed(node, false);
        self.uncount(node);
        self.records.remove(&node);
        self.apart.remove(&node);
        self.holders.clear();
    }

    fn uncount(&mut self, node: NodeId) {
        if let Some(record) = self.records.get(&node).filter(|record| record.is_alive()) {
            self.active -= 1;
            self.active_digest =
                self.active_digest.wrapping_sub(mark(record.lot, record.incarnation()));
            self.settled_digest = self.settled_digest.wrapping_sub(mix(record.lot, 1));
        }
    }

    fn count(&mut self, node: NodeId) {
        let Some(record) = self.records.get(&node) else { return };
        if record.is_alive() {
            self.active += 1;
            self.active_digest =
                self.active_digest.wrapping_add(mark(record.lot, record.incarnation()));
            self.settled_digest = self.settled_digest.wrapping_add(mix(record.lot, 1));
        }
        if record.is_alive() == record.agreed {
            self.apart.remove(&node);
        } else {
            self.apart.insert(node);
        }
        self.peak = self.peak.max(self.active);
        self.holders.clear();
    }

    /// D becomes exactly these, which others agreed on before.
    pub fn agree_on(&mut self, nodes: &BTreeSet<NodeId>) {
        let apart: Vec<NodeId> = self
            .records()
            .filter(|(node, record)| record.agreed != nodes.contains(node))
            .map(|(node, _)| node)
            .collect();
        for node in apart {
            self.set_agreed(node, nodes.contains(&node));
        }
        self.begin_anew();
    }

    /// D becomes A.
    pub fn settle(&mut self) {
        for node in std::mem::take(&mut self.apart) {
            let alive = self.is_alive(node);
            self.set_agreed(node, alive);
        }
        self.begin_anew();
    }

    fn set_agreed(&mut self, node: NodeId, agreed: bool) {
        let Some(record) = self.records.get_mut(&node) else { return };
        if record.agreed == agreed {
            return;
        }
        record.agreed = agreed;
        let lot = record.lot;
        let alive = record.is_alive();
        if agreed {
            self.agreed += 1;
            self.agreed_digest = self.agreed_digest.wrapping_add(mix(lot, 1));
        } else {
            self.agreed -= 1;
            self.agreed_digest = self.agreed_digest.wrapping_sub(mix(lot, 1));
        }
        if alive == agreed {
            self.apart.remove(&node);
        } else {
            self.apart.insert(node);
        }
    }

    fn begin_anew(&mut self) {
        self.peak = self.active;
        self.holders.clear();
    }

    /// While A and D differ: which members of D are known to have had this A, for a pulse of `me`.
    pub fn holders(&mut self, me: NodeId) -> Option<&[u8]> {
        if self.is_settled() {
            return None;
        }
        if self.holders.is_empty() {
            let index = self.agreed().position(|(node, _)| node == me);
            self.holders.begin(self.agreed as usize, index);
        }
        Some(self.holders.bits())
    }

    /// A peer has the same A. With the same D its own list of holders counts too. True when more
    /// are known than before.
    pub fn learn_holders(&mut self, me: NodeId, peer: NodeId, bits: Option<&[u8]>) -> bool {
        if self.holders(me).is_none() {
            return false;
        }
        match bits {
            Some(bits) => self.holders.merge(bits),
            None => {
                let index = self.agreed().position(|(node, _)| node == peer);
                index.is_some_and(|index| self.holders.add(index))
            }
        }
    }

    /// More than half of D are known to have had this A.
    pub fn is_held_by_majority(&mut self, me: NodeId) -> bool {
        let majority = super::threshold::majority(self.agreed);
        self.holders(me).is_some() && self.holders.count() >= majority
    }
}

/// The digest of the A of one who tells these records.
pub fn view_of(records: &[News]) -> u64 {
    let alive = records.iter().filter_map(|news| match news {
        News::Alive(alive) => Some(mark(lot(alive.node), alive.incarnation)),
        _ => None,
    });
    alive.fold(0, u64::wrapping_add)
}

/// The digest of a D.
pub fn agreement(nodes: &BTreeSet<NodeId>) -> u64 {
    nodes.iter().fold(0, |sum: u64, node| sum.wrapping_add(mix(lot(*node), 1)))
}

fn mark(lot: u64, incarnation: Incarnation) -> u64 {
    mix(mix(lot, incarnation.life.0), u64::from(incarnation.refutations))
}
