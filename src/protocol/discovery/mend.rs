//! What a node of a mending topology knows of its neighbourhood: who of it lives, whether there are
//! too few or too many, and whom to ask.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::book::Book;
use super::map;
use super::topology::Degrees;
use crate::base::id::NodeId;
use crate::base::machine::earliest;
use crate::base::time::Time;
use crate::base::token::Token;

/// The state of mending.
#[derive(Debug)]
pub(super) struct Mend {
    degrees: Degrees,
    /// The neighbours it began with. They keep their place while they are away; those adopted
    /// since do not.
    drawn: BTreeSet<NodeId>,
    ties: BTreeMap<NodeId, Tie>,
    /// Who counted as living when last looked at.
    counted: BTreeSet<NodeId>,
    /// Who was found dead.
    down: BTreeSet<NodeId>,
    /// Who does not want us, and until when it is not asked again.
    refusals: BTreeMap<NodeId, Time>,
    /// Whom we are asking.
    pub asking: Option<Asking>,
    /// Attempts in a row that came to nothing.
    failures: u32,
    /// No attempt before this.
    next: Time,
    /// Until when to look for nodes that are cut off, though there are neighbours enough.
    alert_until: Time,
    /// No neighbour is given back before this.
    trim: Time,
    /// When there is something to do next; brought up to date after every input.
    pub due: Option<Time>,
}

/// A neighbour.
#[derive(Debug)]
struct Tie {
    linked: bool,
    /// Since when it is linked, or is not.
    since: Time,
    /// It was linked before, as a neighbour.
    met: bool,
}

/// A question to become neighbours.
#[derive(Debug)]
pub(super) struct Asking {
    pub peer: NodeId,
    pub cut_off: bool,
    /// Named once it was asked; before that it is being dialled.
    pub token: Option<Token>,
    /// There was no link with it before.
    pub dialled: bool,
    /// Failed dials of it before we began.
    pub failures: u32,
    pub until: Time,
}

impl Mend {
    pub fn new(
        degrees: Degrees,
        drawn: impl Iterator<Item = NodeId>,
        down: BTreeSet<NodeId>,
    ) -> Self {
        Self {
            degrees,
            drawn: drawn.collect(),
            ties: BTreeMap::new(),
            counted: BTreeSet::new(),
            down,
            refusals: BTreeMap::new(),
            asking: None,
            failures: 0,
            next: Time::ZERO,
            alert_until: Time::ZERO,
            trim: Time::ZERO,
            due: None,
        }
    }

    pub fn into_down(self) -> BTreeSet<NodeId> {
        self.down
    }

    pub fn found_down(&mut self, peer: NodeId) {
        self.down.insert(peer);
    }

    pub fn not_down(&mut self, peer: NodeId) {
        self.down.remove(&peer);
    }

    pub fn is_drawn(&self, peer: NodeId) -> bool {
        self.drawn.contains(&peer)
    }

    /// It is no neighbour any more, nor one that keeps its place.
    pub fn forget(&mut self, peer: NodeId) {
        self.drawn.remove(&peer);
        self.ties.remove(&peer);
    }

    /// A linked peer becomes a neighbour.
    pub fn adopt(&mut self, now: Time, peer: NodeId) {
        self.ties.insert(peer, Tie { linked: true, since: now, met: true });
    }

    /// Brings the ties up to date. When a neighbour was lost, others are asked `soon`.
    pub fn look(
        &mut self,
        now: Time,
        neighbours: &BTreeMap<NodeId, bool>,
        patience: Duration,
        soon: Duration,
    ) {
        self.ties.retain(|peer, _| neighbours.contains_key(peer));
        for (peer, linked) in neighbours {
            let linked = *linked;
            let new = Tie { linked, since: now, met: linked };
            let tie = self.ties.entry(*peer).or_insert(new);
            if tie.linked != linked {
                *tie = Tie { linked, since: now, met: true };
            }
            if linked {
                self.down.remove(peer);
            }
        }
        let living = self.living(now, patience);
        if self.counted.difference(&living).next().is_some() {
            self.failures = 0;
            self.next = now + soon;
            self.alert_until = now + ALERT;
        }
        self.counted = living;
    }

    /// The neighbours that are linked, or were a moment ago.
    pub fn living(&self, now: Time, patience: Duration) -> BTreeSet<NodeId> {
        let living = |(peer, tie): (&NodeId, &Tie)| {
            let waited_for = !self.down.contains(peer) && tie.since + tie.patience(patience) > now;
            (tie.linked || waited_for).then_some(*peer)
        };
        self.ties.iter().filter_map(living).collect()
    }

    /// Adopted neighbours that are lost: they keep no place.
    pub fn lost(&self) -> Vec<NodeId> {
        let lost = |peer: &&NodeId| !self.counted.contains(peer) && !self.is_drawn(**peer);
        self.ties.keys().filter(lost).copied().collect()
    }

    /// Neighbours that do not take us for theirs: an answer was lost, or they were told to forget
    /// us. Their newest card says so, long after the news of the link reached it.
    pub fn one_sided(
        &self,
        now: Time,
        own: NodeId,
        patience: Duration,
        book: &Book,
    ) -> Vec<NodeId> {
        let long = self.ties.iter().filter(|(_, tie)| tie.linked && tie.since + patience <= now);
        let denies = |peer: &NodeId| {
            let theirs = book.card(*peer).map(|card| &card.neighbours);
            theirs.is_some_and(|theirs| !theirs.is_empty() && !theirs.contains(&own))
        };
        long.map(|(peer, _)| *peer).filter(denies).collect()
    }

    /// An adopted neighbour that is one too many and whom other ways lead to. Looked for once a
    /// second, because other nodes give back theirs in the same moment.
    pub fn surplus(&mut self, now: Time, own: NodeId, book: &Book) -> Option<NodeId> {
        if self.counted.len() <= self.degrees.max || now < self.trim {
            return None;
        }
        self.trim = now + TRIM;
        let adopted = self.ties.iter().filter(|(peer, tie)| tie.linked && !self.is_drawn(**peer));
        let mut adopted: Vec<NodeId> = adopted.map(|(peer, _)| *peer).collect();
        adopted.sort_by_key(|peer| std::cmp::Reverse(degree(*peer, book)));
        adopted.into_iter().find(|peer| {
            let mut others = self.counted.clone();
            others.remove(peer);
            map::distances(own, &others, book).contains_key(peer)
        })
    }

    /// True when one more neighbour may ask to become one.
    pub fn has_room(&self, now: Time, from: NodeId, cut_off: bool, patience: Duration) -> bool {
        let under_way = self.asking.as_ref().is_some_and(|asking| asking.peer != from);
        let Degrees { min, max } = self.degrees;
        let limit = if cut_off { max } else { min.max(max.saturating_sub(1)).min(max) };
        self.living(now, patience).len() + usize::from(under_way) < limit
    }

    /// True when it is time to ask somebody.
    pub fn wants(&self, now: Time) -> bool {
        self.asking.is_none() && now >= self.next && self.seeks(now)
    }

    fn seeks(&self, now: Time) -> bool {
        self.is_short() || self.alert_until > now
    }

    fn is_short(&self) -> bool {
        self.counted.len() < self.degrees.min
    }

    /// Whom to ask, and whether it is cut off: who is, before who is not; then who has the fewest
    /// neighbours; then who is far. `chance` decides among equals.
    pub fn choose(
        &mut self,
        now: Time,
        own: NodeId,
        book: &Book,
        may_be_asked: impl Fn(NodeId) -> bool,
        mut chance: impl FnMut() -> u32,
    ) -> Option<(NodeId, bool)> {
        self.refusals.retain(|_, until| *until > now);
        let distances = map::distances(own, &self.counted, book);
        let mut able = Vec::new();
        for card in book.cards().filter(|card| card.node != own) {
            if self.down.contains(&card.node) || self.ties.contains_key(&card.node) {
                continue;
            }
            let distance = distances.get(&card.node);
            let cut_off = distance.is_none() && !card.neighbours.is_empty();
            if cut_off {
                self.alert_until = now + ALERT;
            }
            let fits =
                if cut_off { self.counted.len() < self.degrees.max } else { self.is_short() };
            if fits && !self.refusals.contains_key(&card.node) && may_be_asked(card.node) {
                let is_close = distance.is_some_and(|steps| *steps <= CLOSE);
                let rank = (!cut_off, card.neighbours.len(), is_close, chance());
                able.push((rank, card.node, cut_off));
            }
        }
        able.into_iter().min().map(|(_, node, cut_off)| (node, cut_off))
    }

    /// An attempt came to nothing: the next one waits longer.
    pub fn failed(&mut self, now: Time) {
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.next = now + doubled.min(LONGEST_PAUSE);
    }

    /// It does not want us.
    pub fn refused_by(&mut self, now: Time, peer: NodeId) {
        self.refusals.insert(peer, now + REFUSED);
        self.failed(now);
    }

    /// Nobody was met: the next may be asked at once.
    pub fn unmet(&mut self, now: Time) {
        self.next = now + FIRST_PAUSE;
    }

    /// It worked: the next waits until the news has gone round.
    pub fn succeeded(&mut self, now: Time) {
        self.failures = 0;
        self.next = now + SETTLE;
    }

    /// When there is something to do next, if nothing happens before.
    pub fn next_due(&self, now: Time, patience: Duration) -> Option<Time> {
        let ties = self.ties.values().map(|tie| tie.since + tie.patience(patience));
        let tie = ties.filter(|due| *due > now).min();
        let attempt = match &self.asking {
            Some(asking) => Some(asking.until),
            None => self.seeks(now).then_some(self.next),
        };
        let trim = (self.counted.len() > self.degrees.max).then_some(self.trim);
        earliest(earliest(tie, attempt), trim)
    }
}

impl Tie {
    /// One that was never linked may only just be starting.
    fn patience(&self, patience: Duration) -> Duration {
        if self.met { patience } else { patience.saturating_mul(UNMET) }
    }
}

/// How many neighbours a node has, as far as its card says.
fn degree(node: NodeId, book: &Book) -> usize {
    book.card(node).map_or(0, |card| card.neighbours.len())
}

/// How much longer a neighbour is waited for that was never linked. (30 s: a lab of a hundred
/// processes is up within that.)
const UNMET: u32 = 10;

/// How long after a loss a node looks for others that are cut off. By then all have noticed it.
const ALERT: Duration = Duration::from_secs(30);

/// The wait between two neighbours given back.
const TRIM: Duration = Duration::from_secs(1);

/// The wait after an attempt that came to nothing; doubled with each in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How long who does not want us is not asked again. (Guess: its own losses are over by then.)
const REFUSED: Duration = Duration::from_secs(2);

/// The wait after a success. Cards go round in a few milliseconds.
const SETTLE: Duration = Duration::from_millis(200);

/// Nodes this near are taken last: neighbours of neighbours make for cliques.
const CLOSE: usize = 2;
