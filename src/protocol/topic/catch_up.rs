//! Subscriptions that want what was said before they began, until they have it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::command::Earlier;
use super::config::TopicConfig;
use super::received::Received;
use super::wire::Feed;
use crate::base::batch::Batch;
use crate::base::id::NodeId;
use crate::base::machine::earliest;
use crate::base::pattern::{is_pattern, matches};
use crate::base::time::Time;
use crate::base::token::Token;

/// Most nodes whose histories are put together: what one of them missed another has.
pub(super) const MAX_GIVERS: usize = 3;

/// Most nodes asked for one subscription, those with nothing to give counted. (Guess: more than
/// the links of a node with default settings.)
pub(super) const MAX_ASKED: usize = 32;

/// How long an answer is waited for before another is asked in its place.
const ANSWER: Duration = Duration::from_secs(1);

/// How long a node that has just got its first link, or asks for a link with a reader, waits for
/// further links and cards.
const ARRIVE: Duration = Duration::from_secs(1);

/// How long what is published meanwhile waits, at most.
const LIMIT: Duration = Duration::from_secs(3);

/// How long a node that is linked with nobody may take for its first link. (Guess: above a slow
/// dial; later it is the others who are late.)
const ALONE: Duration = Duration::from_secs(10);

/// Most pages taken from one node: more than a history has with default limits.
const MAX_PAGES: usize = 32;

/// All subscriptions that catch up, and what waits for them.
#[derive(Debug)]
pub(super) struct CatchUps {
    pub(super) open: BTreeMap<Token, CatchUp>,
    questions: BTreeMap<Token, Question>,
    /// Batches of topics that are read here only since the catching up began: in the order they
    /// came, with who brought them.
    stash: Vec<(NodeId, Arc<Batch>)>,
    stashed: usize,
    /// When this node got the first of its links.
    linked_since: Option<Time>,
    /// More waits than may.
    is_full: bool,
    max_stashed: usize,
    max_held: usize,
    max_held_bytes: usize,
}

/// One subscription.
#[derive(Debug)]
pub(super) struct CatchUp {
    /// A topic or a pattern.
    pub(super) name: String,
    pub(super) wish: Earlier,
    pub(super) own: bool,
    /// Nobody here had been reading any of it.
    pub(super) fresh: bool,
    pub(super) began: Time,
    /// Since when others are asked; `None` while this node is linked with nobody.
    asks_since: Option<Time>,
    pub(super) asked: BTreeSet<NodeId>,
    pub(super) givers: usize,
    /// A link with a reader was asked for.
    pub(super) reaches: bool,
    /// It began alone: what was in this node's history up to here it has got, and what is
    /// published here.
    pub(super) had: Option<u64>,
    held: Vec<Arc<Received>>,
    held_bytes: usize,
}

/// A question under way.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) subscription: Token,
    pub(super) to: NodeId,
    /// How many messages are still wanted of this node.
    pub(super) left: Option<u64>,
    /// How many pages came.
    pub(super) pages: usize,
    pub(super) asked_at: Time,
}

impl CatchUps {
    pub(super) fn new(config: &TopicConfig) -> Self {
        Self {
            open: BTreeMap::new(),
            questions: BTreeMap::new(),
            stash: Vec::new(),
            stashed: 0,
            linked_since: None,
            is_full: false,
            max_stashed: config.max_early_bytes,
            max_held: config.max_undelivered,
            max_held_bytes: config.max_undelivered_bytes,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many links there are now.
    pub(super) fn links(&mut self, now: Time, count: usize) {
        self.linked_since = match count {
            0 => None,
            _ => Some(self.linked_since.unwrap_or(now)),
        };
        if count > 0 {
            for catch_up in self.open.values_mut() {
                catch_up.asks_since.get_or_insert(now);
            }
        }
    }

    /// A subscription begins to catch up.
    pub(super) fn begin(
        &mut self,
        now: Time,
        subscription: Token,
        (name, own): (&str, bool),
        wish: Earlier,
        fresh: bool,
    ) {
        let catch_up = CatchUp {
            name: name.to_owned(),
            wish,
            own,
            fresh,
            began: now,
            asks_since: self.linked_since.map(|_| now),
            asked: BTreeSet::new(),
            givers: 0,
            reaches: false,
            had: None,
            held: Vec::new(),
            held_bytes: 0,
        };
        self.open.insert(subscription, catch_up);
    }

    /// Takes one out, with what waited for it.
    pub(super) fn end(&mut self, subscription: Token) -> Option<(CatchUp, Vec<Arc<Received>>)> {
        let mut catch_up = self.open.remove(&subscription)?;
        self.questions.retain(|_, question| question.subscription != subscription);
        if self.open.is_empty() {
            self.is_full = false;
        }
        let held = std::mem::take(&mut catch_up.held);
        Some((catch_up, held))
    }

    /// Keeps messages for a subscription that catches up. Gives them back when it does not.
    pub(super) fn hold(&mut self, subscription: Token, messages: &[Arc<Received>]) -> bool {
        let catch_up = self.open.get_mut(&subscription).filter(|c| c.asks_since.is_some());
        let Some(catch_up) = catch_up else { return false };
        catch_up.held_bytes += messages.iter().map(|message| message.payload.len()).sum::<usize>();
        catch_up.held.extend_from_slice(messages);
        self.is_full |= catch_up.held.len() > self.max_held / 2
            || catch_up.held_bytes > self.max_held_bytes / 2;
        true
    }

    /// The first number of each feed that waits for a subscription.
    pub(super) fn first_held(&self, subscription: Token) -> BTreeMap<Feed, u64> {
        let mut first = BTreeMap::new();
        for message in self.open.get(&subscription).into_iter().flat_map(|c| &c.held) {
            let id = &message.id;
            let feed = Feed { author: id.author, life: id.life, topic: id.topic.clone() };
            let number = first.entry(feed).or_insert(id.number);
            *number = id.number.min(*number);
        }
        first
    }

    /// Whether what comes of a topic waits until it is known what was before.
    pub(super) fn waits(&self, topic: &str) -> bool {
        self.open.values().any(|c| c.fresh && c.asks_since.is_some() && c.is_about(topic))
    }

    /// Keeps a batch until then.
    pub(super) fn stash(&mut self, from: NodeId, batch: Arc<Batch>) {
        self.stashed += batch.wire().len();
        self.is_full |= self.stashed > self.max_stashed;
        self.stash.push((from, batch));
    }

    /// What waits no more, in the order it came.
    pub(super) fn released(&mut self) -> Vec<(NodeId, Arc<Batch>)> {
        let stash = std::mem::take(&mut self.stash);
        let waits = |(_, batch): &(NodeId, Arc<Batch>)| self.waits(&batch.head().topic);
        let (waiting, released): (Vec<_>, Vec<_>) = stash.into_iter().partition(waits);
        self.stashed = waiting.iter().map(|(_, batch)| batch.wire().len()).sum();
        self.stash = waiting;
        released
    }

    /// `question` is asked under this token.
    pub(super) fn asks(&mut self, now: Time, token: Token, question: Question) {
        self.questions.insert(token, Question { asked_at: now, ..question });
    }

    /// Takes out the question that was answered.
    pub(super) fn answered(&mut self, token: Token) -> Option<Question> {
        self.questions.remove(&token)
    }

    /// Passes over those who do not answer.
    pub(super) fn pass_over(&mut self, now: Time) {
        self.questions.retain(|_, question| question.due() > now);
    }

    /// How many questions are under way for a subscription.
    pub(super) fn under_way(&self, subscription: Token) -> usize {
        self.questions.values().filter(|q| q.subscription == subscription).count()
    }

    /// Whether a subscription has waited for long enough, when nobody is left to be asked.
    pub(super) fn is_over(&self, now: Time, subscription: Token, is_enough: bool) -> bool {
        let Some(catch_up) = self.open.get(&subscription) else { return false };
        let due = self.ends_at(catch_up).is_some_and(|at| at <= now);
        let settled = is_enough || self.arrives_until(catch_up).is_none_or(|at| at <= now);
        due || self.is_full || settled && self.under_way(subscription) == 0
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        if self.is_full {
            return Some(Time::ZERO);
        }
        let ends = self.open.iter().map(|(subscription, catch_up)| {
            let settled =
                self.arrives_until(catch_up).filter(|_| self.under_way(*subscription) == 0);
            earliest(self.ends_at(catch_up), settled)
        });
        let due = self.questions.values().map(|question| Some(question.due()));
        ends.chain(due).fold(None, earliest)
    }

    /// When it is over, whoever may still be about to answer.
    fn ends_at(&self, catch_up: &CatchUp) -> Option<Time> {
        Some(catch_up.asks_since.map_or(catch_up.began + ALONE, |since| since + LIMIT))
    }

    /// Until when somebody may turn up who has something to give.
    fn arrives_until(&self, catch_up: &CatchUp) -> Option<Time> {
        let Some(since) = catch_up.asks_since else { return Some(catch_up.began + ALONE) };
        let first = self.linked_since.map(|linked| linked + ARRIVE);
        let reached = catch_up.reaches.then(|| since + ARRIVE);
        first.max(reached)
    }
}

impl CatchUp {
    /// Whether others can be asked.
    pub(super) fn asks(&self) -> bool {
        self.asks_since.is_some()
    }

    fn is_about(&self, topic: &str) -> bool {
        if is_pattern(&self.name) { matches(&self.name, topic) } else { self.name == topic }
    }
}

impl Question {
    /// The first question to a node.
    pub(super) fn new(subscription: Token, to: NodeId, left: Option<u64>) -> Self {
        Self { subscription, to, left, pages: 0, asked_at: Time::ZERO }
    }

    /// The question for the next page, after so many messages came.
    pub(super) fn next(self, came: u64) -> Self {
        let left = self.left.map(|left| left.saturating_sub(came));
        Self { left, pages: self.pages + 1, ..self }
    }

    fn due(&self) -> Time {
        self.asked_at + ANSWER
    }

    /// Whether the next page is wanted.
    pub(super) fn goes_on(&self) -> bool {
        self.left != Some(0) && self.pages < MAX_PAGES
    }
}
