//! Where a feed begins for a reader that got it from the middle on.
//!
//! What was said before this node read the topic is not for it, and what was said since is. The
//! author knows which is which. Others may lack the same messages, as what they lost was lost here
//! too: so several are asked, and asked again when they had the time to repair it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::id::NodeId;
use crate::base::time::Time;

/// So many others together say where a feed begins, and so many are asked at once. (Guess: what
/// three neighbours did not get hardly anybody got.)
const ENOUGH: usize = 3;

/// How often they are asked: what the neighbours of the author lacked they have in the second
/// round, and their neighbours in the third.
const ROUNDS: u32 = 3;

/// How long others have to repair what they lack until they are asked again. (Guess: the patience
/// of a repair and some round trips; a late reader does not notice three of these.)
const AGAIN: Duration = Duration::from_millis(150);

/// How long an answer is waited for before another node is asked in its place. (Guess: above a
/// round trip, and short enough that others still answer in time.)
const ANSWER: Duration = Duration::from_millis(400);

/// How long what came waits for what may be before it.
const SETTLE: Duration = Duration::from_secs(1);

/// The search for what came before the first batch that is here.
#[derive(Debug)]
pub(super) struct Beginning {
    since: Time,
    /// How long this node had been reading the topic then.
    age: Duration,
    /// Since when something waits for it: others may only have said that there is something.
    waits_since: Option<Time>,
    /// When others are to be asked.
    pub(super) ask_at: Option<Time>,
    pub(super) asked: BTreeSet<NodeId>,
    /// Those who may still answer, and until when each is waited for.
    open: BTreeMap<NodeId, Time>,
    /// How many have answered.
    answers: usize,
    /// Rounds in which enough have answered, or all.
    rounds: u32,
    /// The next round has yet to begin.
    rests: bool,
}

impl Beginning {
    /// A feed of a topic that this node has been reading for `age`. Asks at once, or at `ask_at`.
    pub(super) fn new(now: Time, age: Duration, ask_at: Time) -> Self {
        Self {
            since: now,
            age,
            waits_since: None,
            ask_at: Some(ask_at),
            asked: BTreeSet::new(),
            open: BTreeMap::new(),
            answers: 0,
            rounds: 0,
            rests: false,
        }
    }

    /// A batch waits from now on.
    pub(super) fn waits(&mut self, now: Time) {
        self.waits_since.get_or_insert(now);
    }

    /// How long ago this node began to read.
    pub(super) fn within(&self, now: Time) -> Duration {
        self.age.saturating_add(now.since(self.since))
    }

    /// How many are to be asked now. Who was waited for long enough is not counted any more; its
    /// answer still is.
    pub(super) fn wanted(&mut self, now: Time) -> usize {
        if self.rests {
            (self.rests, self.answers) = (false, 0);
            self.asked.clear();
            self.open.clear();
        }
        self.open.retain(|_, until| *until > now);
        self.ask_at = self.open.values().min().copied();
        ENOUGH.saturating_sub(self.answers + self.open.len())
    }

    /// Whether those who are asked are told what is here: they may have got nothing at all of the
    /// feed. What is only told of is not told on, or a lie would go round.
    pub(super) const fn tells(&self) -> bool {
        self.rounds > 0 && self.waits_since.is_some()
    }

    /// These were asked. True when nobody is left who could say more.
    pub(super) fn asks(&mut self, now: Time, peers: &[NodeId]) -> bool {
        self.asked.extend(peers);
        self.open.extend(peers.iter().map(|peer| (*peer, now + ANSWER)));
        self.ask_at = self.open.values().min().copied();
        self.open.is_empty() && self.is_over(now)
    }

    /// The answer of a node was taken: its earliest batch since this node reads is here. True when
    /// that is where the feed begins.
    pub(super) fn answered(&mut self, now: Time, peer: NodeId, is_author: bool) -> bool {
        self.open.remove(&peer);
        self.answers += 1;
        self.goes_on(now);
        is_author || self.answers >= ENOUGH && self.is_over(now)
    }

    /// All is said for now. True when nobody need be asked again. What is only told of may be a
    /// lie, and is not worth more than one round.
    fn is_over(&mut self, now: Time) -> bool {
        if !self.rests {
            self.rounds += 1;
        }
        if self.rounds >= ROUNDS || self.asked.is_empty() || self.waits_since.is_none() {
            return true;
        }
        (self.rests, self.ask_at) = (true, Some(now + AGAIN));
        false
    }

    /// A node did not answer, and will not: that says nothing.
    pub(super) fn refused(&mut self, now: Time, peer: NodeId) {
        self.open.remove(&peer);
        self.goes_on(now);
    }

    fn goes_on(&mut self, now: Time) {
        if !self.rests {
            self.ask_at = Some(now);
        }
    }

    /// When the feed begins with what is here, whatever others could say. As long as nothing waits
    /// there is time to ask one after the other.
    pub(super) fn ends_at(&self, repair_for: Duration) -> Time {
        self.waits_since.map_or(self.since + repair_for, |since| since + SETTLE)
    }
}
