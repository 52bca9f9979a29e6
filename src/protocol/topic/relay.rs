//! Receipts on their way back to the author: from each node to the neighbour that brought it the
//! message, gathered where ways meet, and around neighbours that are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bounded::Bounded;
use super::record::Key;
use super::told::Told;
use super::wire::MessageId;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::token::Token;

/// How long a relay gathers receipts of a message before it passes them on: until its next tick,
/// which a driver gives when it has taken what lay ready. So a busy relay gathers many and an idle
/// one waits for nothing. (Measured, 16 processes on 2 cores: all confirmed after 7.5 ms, with
/// 1 ms of waiting after 14.5 ms; 64 processes: 60 ms either way.)
pub(crate) const GATHER: Duration = Duration::ZERO;

/// Most neighbours that one bundle of receipts is tried with. (Guess: in a mesh of degree 3 to 6
/// the rest is gone as well, or the author is.)
pub(crate) const MAX_TRIES: usize = 4;

/// Most readers in one bundle, and so in one message: about 170 kB. What a neighbour tells beyond
/// is dropped.
pub(crate) const MAX_READERS: usize = 4_096;

/// How often one reader's receipt may pass here, each time to another neighbour. It ends receipts
/// that run in circles.
const MAX_PASSES: u8 = 3;

/// Most bundles gathered at once; above, receipts pass on at once. (Guess.)
const MAX_GATHERING: usize = 1_024;

/// Most readers in all gathered bundles together (about 4 MB); above, receipts pass on at once.
pub(crate) const MAX_GATHERED_READERS: usize = 65_536;

/// Most receipts remembered to end circles (about 3 MB).
const MAX_PASSED: usize = 32_768;

/// How long they are remembered. (Guess: far above the time a failed `Tell` needs to come back.)
const REMEMBER: Duration = Duration::from_secs(30);

/// Receipts of one message, bound for its author.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) id: MessageId,
    pub(crate) readers: BTreeSet<NodeId>,
    /// Neighbours that told it: it goes back to them only when there is nobody else, and they then
    /// try another way.
    pub(crate) from: BTreeSet<NodeId>,
    /// Neighbours it was told to from here, and did not reach.
    pub(crate) tried: BTreeSet<NodeId>,
    /// How many of the best neighbours to leave out: receipts came back that went there.
    pub(crate) passes: u8,
}

/// Bundles on their way.
#[derive(Debug)]
pub(crate) struct Returns {
    gathering: BTreeMap<Key, Bundle>,
    due: BTreeSet<(Time, Key)>,
    /// How many readers are in all gathered bundles.
    gathered: usize,
    told: Told,
    passed: Bounded<Key, Passed>,
}

/// A receipt that passed here.
#[derive(Debug)]
struct Passed {
    times: u8,
    /// Who brought it last. From the same neighbour again it is no circle: the neighbour did not
    /// learn that it had arrived, and it is on its way already.
    from: NodeId,
}

impl Returns {
    pub(crate) fn new() -> Self {
        Self {
            gathering: BTreeMap::new(),
            due: BTreeSet::new(),
            gathered: 0,
            told: Told::default(),
            passed: Bounded::new(MAX_PASSED, REMEMBER),
        }
    }

    /// Takes receipts of a neighbour, at most `MAX_READERS`. Returns a bundle that has to go on at
    /// once, if any.
    pub(crate) fn gather(
        &mut self,
        now: Time,
        from: NodeId,
        id: MessageId,
        readers: Vec<NodeId>,
    ) -> Option<Bundle> {
        let key = Key::of(&id);
        let mut bundle = Bundle::of(id, from);
        for reader in readers {
            if let Some(passes) = self.pass(now, from, key.of_receipt(&reader)) {
                bundle.readers.insert(reader);
                bundle.passes = bundle.passes.max(passes);
            }
        }
        if bundle.readers.is_empty() {
            return None;
        }
        let more = bundle.readers.len();
        if self.gathered + more > MAX_GATHERED_READERS {
            return Some(bundle);
        }
        if let Some(gathered) = self.gathering.get_mut(&key) {
            let before = gathered.readers.len();
            if before + more > MAX_READERS {
                return Some(bundle);
            }
            gathered.add(bundle);
            self.gathered += gathered.readers.len() - before;
            return None;
        }
        if self.gathering.len() >= MAX_GATHERING {
            return Some(bundle);
        }
        self.gathered += more;
        self.gathering.insert(key, bundle);
        self.due.insert((now + GATHER, key));
        None
    }

    /// A bundle that was gathered for long enough.
    pub(crate) fn next_due(&mut self, now: Time) -> Option<Bundle> {
        let due = self.due.first().filter(|(at, _)| *at <= now).copied()?;
        self.due.remove(&due);
        let bundle = self.gathering.remove(&due.1)?;
        self.gathered = self.gathered.saturating_sub(bundle.readers.len());
        Some(bundle)
    }

    /// Remembers a bundle in case it does not arrive. Returns how many other receipts are given
    /// up for it.
    pub(crate) fn told(&mut self, now: Time, token: Token, bundle: Bundle) -> usize {
        self.told.insert(now, token, bundle)
    }

    /// The bundle arrived, or did not.
    pub(crate) fn settled(&mut self, token: Token) -> Option<Bundle> {
        self.told.remove(token)
    }

    /// How many receipts are gathered, and how many are under way.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 2] {
        [self.gathered, self.told.readers()]
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How often it had passed here before; `None` when that was often enough, or when it is only
    /// told again.
    fn pass(&mut self, now: Time, from: NodeId, receipt: Key) -> Option<u8> {
        match self.passed.get_mut(&receipt) {
            Some(passed) if passed.from == from || passed.times >= MAX_PASSES => None,
            Some(passed) => {
                passed.times += 1;
                passed.from = from;
                Some(passed.times - 1)
            }
            None => {
                self.passed.insert(now, receipt, Passed { times: 1, from });
                Some(0)
            }
        }
    }
}

impl Bundle {
    /// An empty one that came from `from`.
    fn of(id: MessageId, from: NodeId) -> Self {
        let (readers, tried) = (BTreeSet::new(), BTreeSet::new());
        Self { id, readers, from: BTreeSet::from([from]), tried, passes: 0 }
    }

    /// This node's own receipt.
    pub(crate) fn own(id: MessageId, me: NodeId) -> Self {
        Self { readers: BTreeSet::from([me]), ..Self::of(id, me) }
    }

    /// Ways that meet.
    fn add(&mut self, other: Self) {
        self.readers.extend(other.readers);
        self.from.extend(other.from);
        self.passes = self.passes.max(other.passes);
    }
}
