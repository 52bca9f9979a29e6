//! Order: what came too early waits for what is missing before it.
//!
//! A feed is what one author writes on one topic in one of its lives. Its messages are numbered
//! from 1 without gaps, so a node knows what it lacks: from the next number it wants, and from the
//! end of the feed as others tell it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hashlink::LinkedHashMap;

use super::beginning::Beginning;
use super::config::TopicConfig;
use super::gap::{Gap, PATIENCE};
use super::line::{Lack, Line};
use super::wire::Feed;
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::machine::earliest;
use crate::base::time::Time;

/// Most feeds remembered; the one that was silent for longest is forgotten first, and would be a
/// new one afterwards. (Guess: about 2 MB.)
const MAX_FEEDS: usize = 8_192;

/// Most batches of one feed that wait. (Guess: the bytes end it before.)
const MAX_AHEAD: usize = 4_096;

/// The feeds read here.
#[derive(Debug)]
pub(crate) struct Order {
    feeds: LinkedHashMap<Feed, Line>,
    /// Feeds that lack something.
    lacking: BTreeSet<Feed>,
    /// Payload of all that waits.
    bytes: usize,
    max_bytes: usize,
    repair_for: Duration,
}

/// What follows from an arrival, in order.
#[derive(Clone, Debug)]
pub(crate) enum Ready {
    /// The messages of a batch from this number on.
    Batch(Arc<Batch>, u64),
    /// These numbers will not come.
    Gap {
        /// The first of them.
        from: u64,
        /// One above the last.
        to: u64,
    },
}

/// What to ask other nodes for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) feed: Feed,
    /// The first number.
    pub(crate) from: u64,
    /// One above the last.
    pub(crate) to: u64,
    /// Only what the other got so long ago at most.
    pub(crate) within: Option<Duration>,
    /// Who was asked already.
    pub(crate) asked: BTreeSet<NodeId>,
    /// Whom to ask first.
    pub(crate) likely: Vec<NodeId>,
    /// How many to ask at once.
    pub(crate) at_once: usize,
    /// They may not know that there is anything.
    pub(crate) tells: bool,
}

impl Order {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self {
            feeds: LinkedHashMap::new(),
            lacking: BTreeSet::new(),
            bytes: 0,
            max_bytes: config.max_early_bytes,
            repair_for: config.repair_for,
        }
    }

    /// Takes a batch of a feed, brought by `from`, of which this node reads since `age`. What is
    /// ready now goes to `ready`. False when all of it was here before.
    pub(crate) fn arrive(
        &mut self,
        now: Time,
        feed: &Feed,
        from: NodeId,
        batch: Arc<Batch>,
        age: Duration,
        ready: &mut Vec<Ready>,
    ) -> bool {
        let line = self.line(feed, batch.first());
        if line.has(&batch) {
            line.end = line.end.max(batch.end());
            return false;
        }
        let bytes = batch.wire().len();
        line.put(now, batch);
        let too_many = line.waiting() > MAX_AHEAD;
        self.bytes = self.bytes.saturating_add(bytes);
        self.go_on(now, feed, Some(from), age, ready);
        if (too_many || self.bytes > self.max_bytes) && self.lacking.contains(feed) {
            self.give_up(now, feed, ready);
        }
        true
    }

    /// What a batch that comes too late shows to have been left out when its feed began here.
    pub(crate) fn left_out(&mut self, feed: &Feed, batch: &Batch) -> Option<Ready> {
        self.feeds.get_mut(feed)?.left_out(batch)
    }

    /// Somebody says that a feed goes up to `end`, exclusive.
    pub(crate) fn told(
        &mut self,
        now: Time,
        feed: &Feed,
        from: NodeId,
        end: u64,
        age: Duration,
        ready: &mut Vec<Ready>,
    ) {
        let line = self.line(feed, 0);
        if end > line.end || line.lack.is_some() {
            line.end = line.end.max(end);
            self.go_on(now, feed, Some(from), age, ready);
        }
    }

    /// The next number of a feed to be delivered, when it has begun here.
    pub(crate) fn next(&self, feed: &Feed) -> Option<u64> {
        self.feeds.get(feed)?.next
    }

    /// The feed goes on with this number, unless it has begun here already.
    pub(crate) fn begin(&mut self, now: Time, feed: &Feed, next: u64, ready: &mut Vec<Ready>) {
        let line = self.line(feed, 0);
        if line.next.is_none() {
            line.next = Some(next);
            line.end = line.end.max(next);
            self.well(feed);
            self.go_on(now, feed, None, Duration::ZERO, ready);
        }
    }

    /// Forgets the feeds of topics that are not read any more.
    pub(crate) fn unread(&mut self, is_unread: impl Fn(&str) -> bool) {
        let unread = |feed: &&Feed| is_unread(&feed.topic);
        let feeds: Vec<Feed> = self.feeds.keys().filter(unread).cloned().collect();
        for feed in feeds {
            self.forget(&feed);
        }
    }

    fn forget(&mut self, feed: &Feed) {
        if let Some(line) = self.feeds.remove(feed) {
            self.bytes = self.bytes.saturating_sub(line.bytes());
        }
        self.lacking.remove(feed);
    }

    /// The feeds for which somebody is to be asked now.
    pub(crate) fn due_to_ask(&mut self, now: Time) -> Vec<Wanted> {
        let is_due = |feed: &&Feed| self.ask_at(feed).is_some_and(|at| at <= now);
        let due: Vec<Feed> = self.lacking.iter().filter(is_due).cloned().collect();
        due.into_iter().filter_map(|feed| self.wanted(now, feed)).collect()
    }

    fn ask_at(&self, feed: &Feed) -> Option<Time> {
        self.feeds.get(feed)?.lack.as_ref()?.ask_at()
    }

    fn wanted(&mut self, now: Time, feed: Feed) -> Option<Wanted> {
        let line = self.feeds.get_mut(&feed)?;
        let (from, to) = (line.next.unwrap_or(1), line.missing_to());
        let mut likely = line.likely().to_vec();
        let (asked, within, at_once, tells) = match line.lack.as_mut()? {
            Lack::Beginning(beginning) => {
                likely.insert(0, feed.author);
                let within = beginning.within(now);
                let at_once = beginning.wanted(now);
                (beginning.asked.clone(), Some(within), at_once, beginning.tells())
            }
            Lack::Gap(gap) => {
                // Until it is told who is asked now, nobody else is.
                gap.ask_at = None;
                (gap.asked.clone(), None, 1, false)
            }
        };
        let wanted = Wanted { feed, from, to, within, asked, likely, at_once, tells };
        (at_once > 0).then_some(wanted)
    }

    /// These were asked for what a feed lacks; none, when nobody is left to ask.
    pub(crate) fn asks(
        &mut self,
        now: Time,
        feed: &Feed,
        peers: &[NodeId],
        ready: &mut Vec<Ready>,
    ) {
        match self.feeds.get_mut(feed).and_then(|line| line.lack.as_mut()) {
            Some(Lack::Gap(gap)) => gap.asks(now, peers.first().copied()),
            Some(Lack::Beginning(beginning)) => {
                let is_over = beginning.asks(now, peers);
                if is_over {
                    self.settle(now, feed, ready);
                }
            }
            None => {}
        }
    }

    /// The answer of `peer` was taken. With `more` it may be asked again.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        feed: &Feed,
        peer: NodeId,
        more: bool,
        ready: &mut Vec<Ready>,
    ) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        match &mut line.lack {
            Some(Lack::Gap(gap)) => {
                gap.answered(now, peer, more);
                if more {
                    line.may_have(peer, true);
                }
            }
            Some(Lack::Beginning(beginning)) => {
                let is_over = beginning.answered(now, peer, peer == feed.author);
                if is_over {
                    self.settle(now, feed, ready);
                }
            }
            None => {}
        }
    }

    /// No answer of `peer` will come.
    pub(crate) fn unanswered(&mut self, now: Time, feed: &Feed, peer: NodeId) {
        match self.feeds.get_mut(feed).and_then(|line| line.lack.as_mut()) {
            Some(Lack::Gap(gap)) => gap.answered(now, peer, false),
            Some(Lack::Beginning(beginning)) => beginning.refused(now, peer),
            None => {}
        }
    }

    /// Gives up what could not be repaired in time.
    pub(crate) fn tick(&mut self, now: Time) -> Vec<(Feed, Vec<Ready>)> {
        let is_late = |feed: &&Feed| self.ends_at(feed).is_some_and(|at| at <= now);
        let late: Vec<Feed> = self.lacking.iter().filter(is_late).cloned().collect();
        let give_up = |feed: Feed| {
            let mut ready = Vec::new();
            self.give_up(now, &feed, &mut ready);
            (feed, ready)
        };
        late.into_iter().map(give_up).collect()
    }

    fn ends_at(&self, feed: &Feed) -> Option<Time> {
        Some(match self.feeds.get(feed)?.lack.as_ref()? {
            Lack::Beginning(beginning) => beginning.ends_at(self.repair_for),
            Lack::Gap(gap) => gap.ends_at(self.repair_for),
        })
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let of = |feed: &Feed| earliest(self.ask_at(feed), self.ends_at(feed));
        self.lacking.iter().map(of).fold(None, earliest)
    }

    /// How many feeds lack something.
    pub(crate) fn lacking(&self) -> usize {
        self.lacking.len()
    }

    /// The bytes that wait for something before them.
    pub(crate) fn early_bytes(&self) -> usize {
        self.bytes
    }

    fn line(&mut self, feed: &Feed, first: u64) -> &mut Line {
        if self.feeds.len() >= MAX_FEEDS
            && !self.feeds.contains_key(feed)
            && let Some((old, line)) = self.feeds.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(line.bytes());
            self.lacking.remove(&old);
        }
        let line = self.feeds.entry(feed.clone()).or_insert_with(Line::default);
        if line.next.is_none() && first == 1 {
            // The first of all has nothing before it.
            line.next = Some(1);
        }
        line
    }

    /// Delivers what is in order now, and finds out whether something is missing.
    fn go_on(
        &mut self,
        now: Time,
        feed: &Feed,
        from: Option<NodeId>,
        age: Duration,
        ready: &mut Vec<Ready>,
    ) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        let freed = line.drain(ready);
        self.bytes = self.bytes.saturating_sub(freed);
        if line.is_whole() {
            return self.well(feed);
        }
        if let Some(from) = from {
            line.may_have(from, false);
        }
        let waits = line.waiting() > 0;
        if line.next.is_none() {
            let new = || {
                // What is only told of may be on its way.
                let ask_at = if waits { now } else { now + PATIENCE };
                Lack::Beginning(Beginning::new(now, age, ask_at))
            };
            if let Lack::Beginning(beginning) = line.lack.get_or_insert_with(new)
                && waits
            {
                beginning.waits(now);
            }
        } else if let Some(Lack::Gap(gap)) = &mut line.lack {
            if freed > 0 {
                gap.moved(now);
            }
        } else {
            line.lack = Some(Lack::Gap(Gap::new(now)));
        }
        self.lacking.insert(feed.clone());
    }

    /// The feed lacks nothing any more.
    fn well(&mut self, feed: &Feed) {
        if let Some(line) = self.feeds.get_mut(feed) {
            line.is_well();
        }
        self.lacking.remove(feed);
    }

    /// This reader begins with what it has.
    fn settle(&mut self, now: Time, feed: &Feed, ready: &mut Vec<Ready>) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        if line.waiting() == 0 {
            // Others only said that there is something.
            return self.forget(feed);
        }
        line.settle();
        self.lacking.remove(feed);
        self.go_on(now, feed, None, Duration::ZERO, ready);
    }

    /// What is missing first will not come.
    fn give_up(&mut self, now: Time, feed: &Feed, ready: &mut Vec<Ready>) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        let Some(next) = line.next else { return self.settle(now, feed, ready) };
        if line.waiting() == 0 {
            // An end that others told is no proof: what comes next shows whether there is a gap.
            line.end = next;
        }
        let to = line.missing_to();
        if to > next {
            ready.push(Ready::Gap { from: next, to });
        }
        line.next = Some(to);
        self.well(feed);
        self.go_on(now, feed, None, Duration::ZERO, ready);
        let Some(line) = self.feeds.get_mut(feed) else { return };
        if let (Some(known), Some(Lack::Gap(gap))) = (line.waits_since(), &mut line.lack) {
            gap.known_since(now, known);
        }
    }
}
