//! What was said of late on each topic, for those who join later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hashlink::LinkedHashMap;

use super::command::Earlier;
use super::config::TopicConfig;
use super::wire::Point;
use crate::base::batch::{Batch, Head};
use crate::base::id::{Life, NodeId};
use crate::base::pattern::{is_pattern, matches};
use crate::base::time::{Time, WallTime};

/// Most topics with a history here; the one that is silent for longest is forgotten first. (Guess.)
const MAX_TOPICS: usize = 1_024;

/// What a batch costs beside its bytes: so a history of tiny messages has a bound as well.
/// (Estimate: its head, the table of its messages, and its places in two maps.)
const COST: usize = 512;

/// Most bytes of batches in one page; the frame has room for its own parts beside them.
const MAX_PAGE_BYTES: usize = 768 * 1024;

/// Most batches in one page: whoever gets them checks as many signatures at once, some 25 ms.
pub(crate) const MAX_PAGE: usize = 512;

/// Signed batches by topic, each topic with its newest messages. Bounded by messages in each
/// topic, and by bytes and age in all: the largest topic loses its oldest first, so that a busy
/// topic does not push out a quiet one.
///
/// Batches, because only these can be given to others, who check who signed them. They lie in the
/// same memory as the messages of the shelf and the batches kept for repair.
#[derive(Debug)]
pub(crate) struct History {
    topics: LinkedHashMap<String, Log>,
    bytes: usize,
    /// How many batches were ever kept.
    count: u64,
    sweep_at: Option<Time>,
    max: usize,
    max_bytes: usize,
    keep_for: Duration,
}

/// The history of one topic.
#[derive(Debug, Default)]
struct Log {
    batches: BTreeMap<Point, Arc<Batch>>,
    names: BTreeMap<Name, WallTime>,
    messages: usize,
    bytes: usize,
}

/// A batch within its topic.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Name(NodeId, Life, u64);

/// What of a history is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excerpt<'a> {
    /// A topic or a pattern.
    pub(crate) name: &'a str,
    pub(crate) wish: Earlier,
    /// Nothing of this author.
    pub(crate) except: Option<NodeId>,
    /// Only what is before this.
    pub(crate) before: Option<Point>,
}

/// A part of an excerpt, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) batches: Vec<(Duration, Arc<Batch>)>,
    /// There is more before this.
    pub(crate) older: Option<Point>,
}

impl History {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        Self {
            topics: LinkedHashMap::new(),
            bytes: 0,
            count: 0,
            sweep_at: None,
            max: config.max_history,
            max_bytes: config.max_history_bytes,
            keep_for: config.keep_for,
        }
    }

    /// Keeps a batch that came to the first who has it at `at`, unless it is here.
    pub(crate) fn keep(&mut self, now: Time, at: WallTime, batch: &Arc<Batch>) {
        let (topic, cost) = (&batch.head().topic, cost(batch));
        if self.max == 0 || cost > self.max_bytes {
            return;
        }
        if self.topics.to_back(topic).is_none() {
            self.topics.insert(topic.clone(), Log::default());
        }
        let Some(log) = self.topics.get_mut(topic) else { return };
        let name = Name::of(batch.head());
        if log.names.contains_key(&name) {
            return;
        }
        let at = log.before_next(name, at);
        log.names.insert(name, at);
        self.count += 1;
        log.batches.insert(Point { at, nth: self.count }, Arc::clone(batch));
        log.messages += batch.count();
        log.bytes += cost;
        self.bytes += cost;
        while log.is_long(self.max) {
            self.bytes = self.bytes.saturating_sub(log.drop_oldest());
        }
        self.sweep_at.get_or_insert(now + self.keep_for / 4);
        self.make_room();
    }

    /// When this batch came to the first who has it, when it is here.
    pub(crate) fn at(&self, head: &Head) -> Option<WallTime> {
        self.topics.get(&head.topic)?.names.get(&Name::of(head)).copied()
    }

    /// How many batches were ever kept: what comes later has a higher number.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// What is asked for, the newest first, as far as it fits on a page.
    pub(crate) fn page(&self, wall: WallTime, excerpt: &Excerpt<'_>) -> Page {
        let mut newest = self.since(wall, excerpt.name, excerpt.wish.since);
        newest.reverse();
        let wanted = |(point, batch): &(Point, Arc<Batch>)| {
            excerpt.before.is_none_or(|before| *point < before)
                && excerpt.except.is_none_or(|author| batch.author() != author)
        };
        let (mut page, mut bytes) = (Page::default(), 0_usize);
        let mut left = excerpt.wish.last.unwrap_or(u64::MAX);
        let mut last = None;
        for (point, batch) in newest.into_iter().filter(wanted) {
            bytes = bytes.saturating_add(batch.wire().len());
            let is_full = page.batches.len() >= MAX_PAGE || bytes > MAX_PAGE_BYTES || left == 0;
            if is_full && (last.is_some() || left == 0) {
                page.older = last;
                break;
            }
            left = left.saturating_sub(told(batch.head()));
            last = Some(point);
            page.batches.push((age(wall, point.at), batch));
        }
        page
    }

    /// The batches of a topic, or of all topics of a pattern, so old at most, the oldest first.
    pub(crate) fn since(
        &self,
        wall: WallTime,
        name: &str,
        since: Option<Duration>,
    ) -> Vec<(Point, Arc<Batch>)> {
        let oldest = before(wall, since.map_or(self.keep_for, |since| since.min(self.keep_for)));
        let fresh = |log: &Log| -> Vec<(Point, Arc<Batch>)> {
            let batches = log.batches.range(Point { at: oldest, nth: 0 }..);
            batches.map(|(point, batch)| (*point, Arc::clone(batch))).collect()
        };
        if !is_pattern(name) {
            return self.topics.get(name).map(fresh).unwrap_or_default();
        }
        let logs = self.topics.iter().filter(|(topic, _)| matches(name, topic));
        let mut all: Vec<_> = logs.flat_map(|(_, log)| fresh(log)).collect();
        all.sort_unstable_by_key(|(point, _)| *point);
        all
    }

    /// Forgets what others than `me` said on topics that are not followed any more: what is said
    /// there from now on is missing here, and half a history would lead others astray.
    pub(crate) fn unfollow(&mut self, me: NodeId, is_unread: impl Fn(&str) -> bool) {
        for (_, log) in self.topics.iter_mut().filter(|(topic, _)| is_unread(topic)) {
            self.bytes = self.bytes.saturating_sub(log.drop_if(|_, batch| batch.author() != me));
        }
        self.topics.retain(|_, log| !log.batches.is_empty());
    }

    /// Drops what is too old. It may stay for a quarter longer than it is given away.
    pub(crate) fn expire(&mut self, now: Time, wall: WallTime) {
        if self.sweep_at.is_none_or(|at| at > now) {
            return;
        }
        let oldest = before(wall, self.keep_for);
        for log in self.topics.values_mut() {
            self.bytes = self.bytes.saturating_sub(log.drop_if(|point, _| point.at < oldest));
        }
        self.topics.retain(|_, log| !log.batches.is_empty());
        self.sweep_at = (!self.topics.is_empty()).then(|| now + self.keep_for / 4);
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.sweep_at
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn make_room(&mut self) {
        while self.bytes > self.max_bytes {
            let Some(largest) = self.topics.values_mut().max_by_key(|log| log.bytes) else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(largest.drop_oldest());
        }
        if self.topics.len() > MAX_TOPICS
            && let Some((_, log)) = self.topics.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(log.bytes);
        }
    }
}

impl Log {
    /// When a batch counts as said that came at `at`: before the next one of its feed that is here,
    /// however late it was repaired. Else it would be taken for newer than what was said after it.
    fn before_next(&self, name: Name, at: WallTime) -> WallTime {
        let Name(author, life, first) = name;
        let later = Name(author, life, first.saturating_add(1))..=Name(author, life, u64::MAX);
        match self.names.range(later).next() {
            Some((_, next)) => at.min(WallTime(next.0.saturating_sub(1))),
            None => at,
        }
    }

    /// Whether it has its messages without the oldest batch, too.
    fn is_long(&self, max: usize) -> bool {
        let oldest = self.batches.first_key_value();
        oldest.is_some_and(|(_, batch)| self.messages.saturating_sub(batch.count()) >= max)
    }

    /// The bytes that this frees.
    fn drop_oldest(&mut self) -> usize {
        self.batches.pop_first().map_or(0, |(_, batch)| self.dropped(&batch))
    }

    fn drop_if(&mut self, wanted: impl Fn(&Point, &Batch) -> bool) -> usize {
        let wanted = |(point, batch): &(&Point, &Arc<Batch>)| wanted(point, batch);
        let points: Vec<Point> = self.batches.iter().filter(wanted).map(|(p, _)| *p).collect();
        let dropped: Vec<_> = points.iter().filter_map(|p| self.batches.remove(p)).collect();
        dropped.iter().map(|batch| self.dropped(batch)).sum()
    }

    fn dropped(&mut self, batch: &Batch) -> usize {
        self.names.remove(&Name::of(batch.head()));
        self.messages = self.messages.saturating_sub(batch.count());
        self.bytes = self.bytes.saturating_sub(cost(batch));
        cost(batch)
    }
}

impl Name {
    fn of(head: &Head) -> Self {
        Self(head.author, head.life, head.first)
    }
}

/// How many messages for all readers begin in a batch: none in one that was sent again for a
/// group alone, and of a message in pieces one in the first.
pub(crate) fn told(head: &Head) -> u64 {
    let continues = head.piece.is_some_and(|piece| piece.index > 0);
    if is_again(head) || continues { 0 } else { head.count.into() }
}

/// Whether it stands for an earlier message, for a member of a group that has yet to have it.
pub(crate) fn is_again(head: &Head) -> bool {
    head.chosen.as_ref().is_some_and(|chosen| chosen.again.is_some())
}

/// The moment so long before another.
pub(crate) fn before(at: WallTime, age: Duration) -> WallTime {
    WallTime(at.0.saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX)))
}

fn age(wall: WallTime, at: WallTime) -> Duration {
    Duration::from_micros(wall.0.saturating_sub(at.0))
}

fn cost(batch: &Batch) -> usize {
    batch.wire().len() + COST
}
