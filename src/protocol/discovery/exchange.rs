//! How cards travel: pushed on a change, compared at a new link and now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::seq::IteratorRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::book::Book;
use super::output::Output;
use super::own::GATHER;
use super::wire::{Held, Message};
use crate::base::id::NodeId;
use crate::base::machine::{Outbox, earliest};
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

/// Pushes what is new and asks for what is missing. One comparison per peer at a time.
#[derive(Debug)]
pub(super) struct Exchange {
    rng: ChaCha8Rng,
    interval: Duration,
    next: Time,
    questions: BTreeMap<Token, Question>,
    /// Cards to push, and who has them already.
    fresh: BTreeMap<NodeId, BTreeSet<NodeId>>,
    push_due: Option<Time>,
    /// Until when what is new waits, because cards were pushed a moment ago.
    rest: Time,
}

/// A question under way.
#[derive(Debug)]
pub(super) struct Question {
    pub peer: NodeId,
    pub step: Step,
    /// Pages of the comparison left to ask for: a bound on what a peer can make us do.
    pages: usize,
    until: Time,
}

/// How far a comparison is.
#[derive(Debug)]
pub(super) enum Step {
    /// Asked what the peer holds after this id.
    Compare { after: Option<NodeId> },
    /// Asked for these cards; `then` comes the page after that id.
    Fetch { wanted: BTreeSet<NodeId>, then: Option<NodeId> },
}

impl Exchange {
    pub fn new(interval: Duration, seed: u64) -> Self {
        let interval = interval.max(MIN_INTERVAL);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let next = Time::ZERO + jittered(interval, &mut rng);
        let (questions, fresh) = (BTreeMap::new(), BTreeMap::new());
        Self { rng, interval, next, questions, fresh, push_due: None, rest: Time::ZERO }
    }

    /// A card is to be pushed to all but who told it.
    pub fn push(&mut self, now: Time, node: NodeId, from: Option<NodeId>) {
        self.fresh.entry(node).or_default().extend(from);
        self.push_due.get_or_insert(self.rest.max(now + GATHER));
    }

    /// Pushes what is due and begins the comparison that is due.
    pub fn run(
        &mut self,
        now: Time,
        links: &[NodeId],
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        self.questions.retain(|_, question| question.until > now);
        if self.push_due.is_some_and(|due| due <= now) {
            self.push_due = None;
            self.rest = now + rest(book.len());
            let fresh = std::mem::take(&mut self.fresh);
            for to in links {
                let nodes = fresh.iter().filter(|(_, have)| !have.contains(to));
                tell(now, *to, nodes.map(|(node, _)| *node), book, tokens, out);
            }
        }
        if self.next <= now {
            self.next = now + jittered(self.interval, &mut self.rng);
            if let Some(peer) = links.iter().choose(&mut self.rng) {
                self.compare(now, *peer, book, tokens, out);
            }
        }
    }

    /// Begins a comparison with a peer, unless one is under way.
    pub fn compare(
        &mut self,
        now: Time,
        peer: NodeId,
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        if self.questions.values().all(|question| question.peer != peer) {
            let step = Step::Compare { after: None };
            let pages = book.len() / PAGE + SPARE_PAGES;
            self.ask(Question { peer, step, pages, until: now + PATIENCE }, book, tokens, out);
        }
    }

    fn ask(
        &mut self,
        question: Question,
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        let message = match &question.step {
            Step::Compare { after } => Message::Compare { digest: book.digest(), after: *after },
            Step::Fetch { wanted, .. } => {
                Message::Fetch { nodes: wanted.iter().take(FETCH).copied().collect() }
            }
        };
        let token = tokens.next();
        out.push(Output::Ask { to: question.peer, token, message });
        self.questions.insert(token, question);
    }

    /// The question this answers, which is over with that.
    pub fn close(&mut self, token: Token) -> Option<Question> {
        self.questions.remove(&token)
    }

    /// The peer's link is gone, and with it every question.
    pub fn unlinked(&mut self, peer: NodeId) {
        self.questions.retain(|_, question| question.peer != peer);
    }

    /// A peer said what it holds after an id: tell what it lacks, ask for what we lack.
    pub fn held(
        &mut self,
        now: Time,
        question: Question,
        (held, more): (Vec<Held>, bool),
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        let Step::Compare { after } = question.step else { return };
        let theirs: BTreeMap<NodeId, Held> = held.iter().map(|h| (h.node, *h)).collect();
        // A page that does not lead on is the last one, whatever it says.
        let last = theirs.keys().next_back().copied().filter(|last| more && Some(*last) > after);
        let lacking = book.after(after).take_while(|ours| last.is_none_or(|l| ours.node <= l));
        let lacking = lacking.filter(|ours| {
            let rank = |h: &Held| (h.life, h.version);
            theirs.get(&ours.node).is_none_or(|theirs| rank(theirs) < rank(ours))
        });
        tell(now, question.peer, lacking.map(|ours| ours.node), book, tokens, out);
        // The card of the peer itself finds room, for it is linked.
        let has_room = |node| node == question.peer || book.has_room_for(node);
        let wanted = theirs
            .values()
            .filter(|h| book.is_news(h.node, (h.life, h.version)) && has_room(h.node));
        let wanted = wanted.map(|h| h.node).collect();
        let step = Step::Fetch { wanted, then: last };
        self.go_on(now, Question { step, ..question }, book, tokens, out);
    }

    /// A peer sent the cards of these nodes: ask for the rest, then for the next page.
    pub fn fetched(
        &mut self,
        now: Time,
        mut question: Question,
        nodes: &BTreeSet<NodeId>,
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        if let Step::Fetch { wanted, .. } = &mut question.step {
            let before = wanted.len();
            wanted.retain(|node| !nodes.contains(node));
            if wanted.len() == before {
                wanted.clear();
            }
        }
        self.go_on(now, question, book, tokens, out);
    }

    fn go_on(
        &mut self,
        now: Time,
        mut question: Question,
        book: &Book,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        question.until = now + PATIENCE;
        match &question.step {
            Step::Fetch { wanted, then } if wanted.is_empty() => {
                let (Some(after), Some(pages)) = (*then, question.pages.checked_sub(1)) else {
                    return;
                };
                question.step = Step::Compare { after: Some(after) };
                question.pages = pages;
            }
            _ => {}
        }
        self.ask(question, book, tokens, out);
    }

    pub fn deadline(&self) -> Option<Time> {
        let answer = self.questions.values().map(|question| question.until).min();
        earliest(earliest(answer, self.push_due), Some(self.next))
    }
}

/// The answer to a peer's question.
pub(super) fn answer(now: Time, message: Message, book: &Book) -> Message {
    match message {
        Message::Compare { digest, .. } if digest == book.digest() => Message::Same,
        Message::Compare { after, .. } => {
            let mut held = book.page(after, PAGE + 1);
            let more = held.len() > PAGE;
            held.truncate(PAGE);
            Message::Holds { held, more }
        }
        Message::Fetch { nodes } => {
            let mut batches = book.batches(now, nodes.into_iter().take(FETCH), BATCH);
            Message::Cards { cards: batches.drain(..).next().unwrap_or_default() }
        }
        // No question of the exchange.
        _ => Message::Same,
    }
}

/// Tells a peer the cards of these nodes.
fn tell(
    now: Time,
    to: NodeId,
    nodes: impl IntoIterator<Item = NodeId>,
    book: &Book,
    tokens: &mut Tokens,
    out: &mut Outbox<Output>,
) {
    for cards in book.batches(now, nodes, BATCH) {
        out.push(Output::Tell { to, token: tokens.next(), message: Message::Cards { cards } });
    }
}

/// How long after cards were pushed the next ones are gathered: the more nodes there are, the more
/// of them change at once, and each push goes over every link.
fn rest(cards: usize) -> Duration {
    const EACH: Duration = Duration::from_micros(500);
    const LONGEST: Duration = Duration::from_millis(100);
    EACH.saturating_mul(u32::try_from(cards).unwrap_or(u32::MAX)).min(LONGEST)
}

/// Nodes that began together do not compare together.
fn jittered(interval: Duration, rng: &mut ChaCha8Rng) -> Duration {
    interval.mul_f64(rng.random_range(0.75..=1.25))
}

/// Ids in one `Holds`: about 320 KiB.
const PAGE: usize = 4096;

/// Ids in one `Fetch`; each may bring a card of 32 KiB, and a batch holds 512 KiB.
const FETCH: usize = 1024;

/// Cards in one message, in bytes.
const BATCH: usize = 512 * 1024;

/// Pages a peer may have more than we would need for our own book.
const SPARE_PAGES: usize = 8;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

const MIN_INTERVAL: Duration = Duration::from_millis(10);
