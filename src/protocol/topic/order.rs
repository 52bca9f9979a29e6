//! Order: what came too early waits for what is missing before it.
//!
//! A feed is what one author writes on one topic in one of its lives. Its messages are numbered
//! from 1 without gaps, so a node knows what it lacks: from the next number it wants, and from the
//! end of the feed as others tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hashlink::LinkedHashMap;

use super::config::TopicConfig;
use super::wire::Feed;
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::machine::earliest;
use crate::base::time::Time;

/// How long a missing message may be on its way before it is asked for. (On the tree carrier it
/// comes again by itself within some round trips; over gossipsub messages overtake one another by
/// milliseconds.)
pub(crate) const PATIENCE: Duration = Duration::from_millis(60);

/// How long nobody is asked after all were asked in vain.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// How long an answer is waited for before the next one is asked. (Guess: far above a round trip
/// and the sending of 768 KiB; a request itself times out after 5 s.)
const ANSWER: Duration = Duration::from_secs(1);

/// How long a gap may still be asked for that was known while the one before it was given up.
/// (Guess: two silent nodes, and the others that answer.)
const CHANCE: Duration = Duration::from_secs(2);

/// How long a new reader waits for what was written since it began to read.
const SETTLE: Duration = Duration::from_secs(1);

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

/// One feed.
#[derive(Debug)]
struct Line {
    /// The next number to deliver. `None` until it is known where this reader begins.
    next: Option<u64>,
    ahead: BTreeMap<u64, Early>,
    /// One above the highest number that is known to exist.
    end: u64,
    lack: Option<Lack>,
}

/// What waits for something before it.
#[derive(Debug)]
struct Early {
    came: Time,
    batch: Arc<Batch>,
}

/// Something is missing.
#[derive(Debug)]
struct Lack {
    since: Time,
    /// Until then it is not given up, unless all were asked in vain.
    chance: Time,
    /// All were asked in vain.
    vain: bool,
    /// When somebody is to be asked.
    ask_at: Option<Time>,
    /// Who was asked, since all were asked the last time.
    asked: BTreeSet<NodeId>,
    /// Who probably has it.
    likely: Vec<NodeId>,
    /// How long ago this reader began, when it does not know what it may miss.
    beginning: Option<Duration>,
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

/// What to ask another node for.
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
        line.end = line.end.max(batch.end());
        if line.next.is_some_and(|next| batch.end() <= next)
            || line.ahead.contains_key(&batch.first())
        {
            return false;
        }
        let bytes = batch.wire().len();
        line.ahead.insert(batch.first(), Early { came: now, batch });
        let too_many = line.ahead.len() > MAX_AHEAD;
        self.bytes = self.bytes.saturating_add(bytes);
        self.go_on(now, feed, Some(from), age, ready);
        if (too_many || self.bytes > self.max_bytes) && self.lacking.contains(feed) {
            self.give_up(now, feed, ready);
        }
        true
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
            line.lack = None;
            self.lacking.remove(feed);
            self.go_on(now, feed, None, Duration::ZERO, ready);
        }
    }

    fn forget(&mut self, feed: &Feed) {
        if let Some(line) = self.feeds.remove(feed) {
            self.bytes = self.bytes.saturating_sub(size(&line));
        }
        self.lacking.remove(feed);
    }

    /// Forgets the feeds of topics that are not read any more.
    pub(crate) fn unread(&mut self, is_unread: impl Fn(&str) -> bool) {
        let unread = |feed: &&Feed| is_unread(&feed.topic);
        let feeds: Vec<Feed> = self.feeds.keys().filter(unread).cloned().collect();
        for feed in feeds {
            self.forget(&feed);
        }
    }

    /// The feeds for which somebody is to be asked now.
    pub(crate) fn due_to_ask(&mut self, now: Time) -> Vec<Wanted> {
        let due: Vec<Feed> = self
            .lacking
            .iter()
            .filter(|feed| self.ask_at(feed).is_some_and(|at| at <= now))
            .cloned()
            .collect();
        due.into_iter().filter_map(|feed| self.wanted(feed)).collect()
    }

    fn ask_at(&self, feed: &Feed) -> Option<Time> {
        self.feeds.get(feed)?.lack.as_ref()?.ask_at
    }

    fn wanted(&mut self, feed: Feed) -> Option<Wanted> {
        let line = self.feeds.get_mut(&feed)?;
        let (from, to) = (line.next.unwrap_or(1), line.missing_to());
        let lack = line.lack.as_mut()?;
        // Until it is told who is asked now, nobody else is.
        lack.ask_at = None;
        let (asked, likely, within) = (lack.asked.clone(), lack.likely.clone(), lack.beginning);
        Some(Wanted { feed, from, to, within, asked, likely })
    }

    /// `peer` was asked for what a feed lacks; `None` when nobody is left to ask.
    pub(crate) fn asks(&mut self, now: Time, feed: &Feed, peer: Option<NodeId>) {
        let Some(lack) = self.feeds.get_mut(feed).and_then(|line| line.lack.as_mut()) else {
            return;
        };
        match peer {
            Some(peer) => {
                lack.asked.insert(peer);
                lack.ask_at = Some(now + ANSWER);
            }
            None => {
                lack.vain = true;
                lack.asked.clear();
                lack.ask_at = Some(now + PAUSE);
            }
        }
    }

    /// The answer of `peer` was taken, or none came. With `more` it may be asked again.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        feed: &Feed,
        peer: NodeId,
        more: bool,
        ready: &mut Vec<Ready>,
    ) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        let Some(lack) = &mut line.lack else { return };
        lack.ask_at = Some(now);
        if lack.beginning.is_some() && line.next.is_none() {
            // What it did not have it did not get while this node was reading: it begins here.
            self.settle(now, feed, ready);
        } else if more {
            lack.asked.remove(&peer);
            lack.likely.retain(|known| *known != peer);
            lack.likely.insert(0, peer);
        }
    }

    /// Gives up what could not be repaired in time.
    pub(crate) fn tick(&mut self, now: Time) -> Vec<(Feed, Vec<Ready>)> {
        let late: Vec<Feed> = self
            .lacking
            .iter()
            .filter(|feed| self.ends_at(feed).is_some_and(|at| at <= now))
            .cloned()
            .collect();
        let give_up = |feed: Feed| {
            let mut ready = Vec::new();
            self.give_up(now, &feed, &mut ready);
            (feed, ready)
        };
        late.into_iter().map(give_up).collect()
    }

    fn ends_at(&self, feed: &Feed) -> Option<Time> {
        let line = self.feeds.get(feed)?;
        let lack = line.lack.as_ref()?;
        if line.next.is_none() {
            return Some(lack.since + SETTLE);
        }
        let end = lack.since + self.repair_for;
        Some(if lack.vain { end } else { end.max(lack.chance) })
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
            self.bytes = self.bytes.saturating_sub(size(&line));
            self.lacking.remove(&old);
        }
        // The first of all has nothing before it.
        let next = (first == 1).then_some(1);
        let new = || Line { next, ahead: BTreeMap::new(), end: 0, lack: None };
        let line = self.feeds.entry(feed.clone()).or_insert_with(new);
        if line.next.is_none() {
            line.next = next;
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
            line.lack = None;
            self.lacking.remove(feed);
            return;
        }
        let unknown = line.next.is_none();
        let lack = line.lack.get_or_insert_with(|| Lack {
            since: now,
            chance: now,
            vain: false,
            // What is only told of may be on its way.
            ask_at: Some(if unknown && !line.ahead.is_empty() { now } else { now + PATIENCE }),
            asked: BTreeSet::new(),
            likely: Vec::new(),
            beginning: unknown.then_some(age),
        });
        if freed > 0 {
            // It goes on: what is missing now has its own time.
            lack.since = now;
            lack.vain = false;
        }
        if !unknown {
            // It came after all: nothing of what follows on it may be left out without a word.
            lack.beginning = None;
        }
        lack.likely.extend(from.filter(|from| !lack.likely.contains(from)));
        lack.likely.truncate(8);
        self.lacking.insert(feed.clone());
    }

    /// This reader begins with what it has.
    pub(crate) fn settle(&mut self, now: Time, feed: &Feed, ready: &mut Vec<Ready>) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        if line.ahead.is_empty() {
            // Others only said that there is something.
            return self.forget(feed);
        }
        line.next = Some(line.missing_to());
        line.lack = None;
        self.lacking.remove(feed);
        self.go_on(now, feed, None, Duration::ZERO, ready);
    }

    /// What is missing first will not come. What is missing behind it is known since the first of
    /// what waits for it came, and was not asked for yet: it has its chance, not all its time, or
    /// a reader with many gaps would wait for each of them in turn.
    fn give_up(&mut self, now: Time, feed: &Feed, ready: &mut Vec<Ready>) {
        let Some(line) = self.feeds.get_mut(feed) else { return };
        let Some(next) = line.next else { return self.settle(now, feed, ready) };
        if line.ahead.is_empty() {
            // An end that others told is no proof: what comes next shows whether there is a gap.
            line.end = next;
        }
        let to = line.missing_to();
        if to > next {
            ready.push(Ready::Gap { from: next, to });
        }
        line.next = Some(to);
        line.lack = None;
        self.lacking.remove(feed);
        self.go_on(now, feed, None, Duration::ZERO, ready);
        let Some(line) = self.feeds.get_mut(feed) else { return };
        let known = line.ahead.values().map(|early| early.came).min();
        if let (Some(lack), Some(known)) = (&mut line.lack, known) {
            (lack.since, lack.chance) = (known, now + CHANCE);
            lack.ask_at = Some(now.max(known + PATIENCE));
        }
    }
}

impl Line {
    /// One above the last number that is missing first.
    fn missing_to(&self) -> u64 {
        self.ahead.keys().next().copied().unwrap_or(self.end)
    }

    fn is_whole(&self) -> bool {
        self.next.is_some_and(|next| self.ahead.is_empty() && next >= self.end)
    }

    /// Takes out what is in order. The bytes that do not wait any more.
    fn drain(&mut self, ready: &mut Vec<Ready>) -> usize {
        let Some(mut next) = self.next else { return 0 };
        let mut freed = 0;
        while let Some(entry) = self.ahead.first_entry()
            && *entry.key() <= next
        {
            let Early { batch, .. } = entry.remove();
            freed += batch.wire().len();
            if batch.end() > next {
                let from = next;
                next = batch.end();
                ready.push(Ready::Batch(batch, from));
            }
        }
        self.next = Some(next);
        freed
    }
}

fn size(line: &Line) -> usize {
    line.ahead.values().map(|early| early.batch.wire().len()).sum()
}
