//! Something is missing in a feed: who is asked for it, and when it is given up.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::id::NodeId;
use crate::base::time::Time;

/// How long a missing message may be on its way before it is asked for. (On the tree carrier it
/// comes again by itself within some round trips; over gossipsub messages overtake one another by
/// milliseconds.)
pub(super) const PATIENCE: Duration = Duration::from_millis(60);

/// How long nobody is asked after all were asked in vain.
const PAUSE: Duration = Duration::from_millis(500);

/// How long an answer is waited for before the next one is asked. (Guess: far above a round trip
/// and the sending of 768 KiB; a request itself times out after 5 s.)
const ANSWER: Duration = Duration::from_secs(1);

/// How long a gap may still be asked for that was known while the one before it was given up.
/// (Guess: two silent nodes, and the others that answer.)
const CHANCE: Duration = Duration::from_secs(2);

/// What is missing first.
#[derive(Debug)]
pub(super) struct Gap {
    since: Time,
    /// Until then it is not given up, unless all were asked in vain.
    chance: Time,
    /// All were asked in vain.
    vain: bool,
    /// When somebody is to be asked.
    pub(super) ask_at: Option<Time>,
    /// Who was asked, since all were asked the last time.
    pub(super) asked: BTreeSet<NodeId>,
}

impl Gap {
    pub(super) fn new(now: Time) -> Self {
        Self {
            since: now,
            chance: now,
            vain: false,
            ask_at: Some(now + PATIENCE),
            asked: BTreeSet::new(),
        }
    }

    /// What was missing first came: what is missing now has its own time.
    pub(super) fn moved(&mut self, now: Time) {
        self.since = now;
        self.vain = false;
    }

    /// What is missing has been known for a while, and was not asked for yet: it has its chance,
    /// not all its time, or a reader with many gaps would wait for each of them in turn.
    pub(super) fn known_since(&mut self, now: Time, known: Time) {
        (self.since, self.chance) = (known, now + CHANCE);
        self.ask_at = Some(now.max(known + PATIENCE));
    }

    /// This one was asked; `None` when nobody is left to ask.
    pub(super) fn asks(&mut self, now: Time, peer: Option<NodeId>) {
        match peer {
            Some(peer) => {
                self.asked.insert(peer);
                self.ask_at = Some(now + ANSWER);
            }
            None => {
                self.vain = true;
                self.asked.clear();
                self.ask_at = Some(now + PAUSE);
            }
        }
    }

    /// The answer of a node was taken, or none will come. With `more` it may be asked again.
    pub(super) fn answered(&mut self, now: Time, peer: NodeId, more: bool) {
        self.ask_at = Some(now);
        if more {
            self.asked.remove(&peer);
        }
    }

    /// When it is given up.
    pub(super) fn ends_at(&self, repair_for: Duration) -> Time {
        let end = self.since + repair_for;
        if self.vain { end } else { end.max(self.chance) }
    }
}
