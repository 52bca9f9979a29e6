//! Finding out the ways of messages: each node knows who brought it a copy, and asks that node for
//! its own way, which asks on, back to the author.
//!
//! A question's budget bounds how far it travels, and with it how long each node on the way waits:
//! always a bit less than the one before, so that an inner answer is there before the outer node
//! gives up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::kept::Selected;
use super::output::Output;
use super::received::{Kept, Way};
use super::record::Key;
use super::ways::{KnownWays, in_order, is_in, is_way_of, is_whole};
use super::wire::{Hop, Message, MessageId};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::{Token, Tokens};

/// How many nodes a question may travel on to.
pub(crate) const BUDGET: u16 = 64;

/// Most messages in one question.
pub(crate) const MAX_IDS: usize = 256;

/// Most questions of peers, and most queries of the user, that are worked on at once; one more is
/// answered from what is known. (Guess.)
pub(crate) const MAX_JOBS: usize = 256;

/// Most hops in one answer: at about 58 bytes each it stays below `MAX_FRAME`. Ways beyond are
/// told as unknown.
const MAX_ANSWERED_HOPS: usize = 16_000;

/// How one copy came here.
#[derive(Clone, Debug)]
pub(crate) enum Lead {
    /// The whole way is known: from the author itself, or this node is the author.
    Known(Vec<Hop>),
    /// The neighbour that passed it on has to say how it got it.
    From { id: Arc<MessageId>, key: Key, neighbour: NodeId, here: Hop },
    /// It was forgotten who brought it.
    Forgotten(Hop),
}

/// Who wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// The user: the ways of all copies of these messages.
    Query(Token, Vec<Selected>),
    /// A peer: the way of the first copy of each.
    Peer(Token),
}

/// The questions being worked on.
#[derive(Debug)]
pub(crate) struct Traces {
    me: NodeId,
    timeout: Duration,
    known: KnownWays,
    jobs: BTreeMap<u64, Job>,
    last_job: u64,
    asks: BTreeMap<Token, Ask>,
    /// The open question about a message to a peer; several jobs wait for one answer.
    open: BTreeMap<(Key, NodeId), Token>,
}

#[derive(Debug)]
struct Job {
    asker: Asker,
    /// For each message asked for, the copies that count.
    leads: Vec<Vec<Lead>>,
    waits_for: BTreeSet<Token>,
    found: BTreeMap<(Key, NodeId), Arc<[Hop]>>,
    deadline: Time,
}

#[derive(Debug)]
struct Ask {
    to: NodeId,
    messages: Vec<(Key, NodeId)>,
    jobs: BTreeSet<u64>,
}

impl Traces {
    pub(crate) fn new(me: NodeId, timeout: Duration) -> Self {
        Self {
            me,
            timeout,
            known: KnownWays::new(),
            jobs: BTreeMap::new(),
            last_job: 0,
            asks: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// Begins to find out; the answer comes at once when nobody has to be asked. `reach` says which
    /// neighbours can be asked.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing the room lends")]
    pub(crate) fn begin(
        &mut self,
        now: Time,
        asker: Asker,
        leads: Vec<Vec<Lead>>,
        budget: u16,
        reach: &BTreeSet<NodeId>,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        let budget = budget.min(BUDGET);
        let mut job = Job {
            asker,
            leads,
            waits_for: BTreeSet::new(),
            found: BTreeMap::new(),
            deadline: now + self.patience(budget),
        };
        let missing = self.look_up(&mut job);
        if budget == 0 || !self.has_room(&job.asker) {
            return self.finish(job, out);
        }
        self.last_job += 1;
        for (neighbour, ids) in missing {
            if reach.contains(&neighbour) {
                self.ask(neighbour, ids, budget - 1, &mut job, tokens, out);
            }
        }
        if job.waits_for.is_empty() {
            self.finish(job, out);
        } else {
            self.jobs.insert(self.last_job, job);
        }
    }

    /// Takes an answer. Ways that cannot be are not believed.
    pub(crate) fn answer(&mut self, token: Token, ways: Vec<Vec<Hop>>, out: &mut Outbox<Output>) {
        let Some(ask) = self.close(token) else { return };
        for ((key, author), hops) in ask.messages.iter().zip(ways) {
            if !is_way_of(ask.to, &hops) {
                continue;
            }
            let way: Arc<[Hop]> = hops.into();
            if is_whole(*author, &way) {
                self.known.insert(*key, ask.to, Arc::clone(&way));
            }
            for job in &ask.jobs {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.found.insert((*key, ask.to), Arc::clone(&way));
                }
            }
        }
        self.go_on(token, &ask, out);
    }

    /// No answer will come. True when the token was a question of this machine.
    pub(crate) fn no_answer(&mut self, token: Token, out: &mut Outbox<Output>) -> bool {
        let Some(ask) = self.close(token) else { return false };
        self.go_on(token, &ask, out);
        true
    }

    /// Gives up on what took too long.
    pub(crate) fn tick(&mut self, now: Time, out: &mut Outbox<Output>) {
        let late: Vec<_> =
            self.jobs.iter().filter(|(_, job)| job.deadline <= now).map(|(n, _)| *n).collect();
        for number in late {
            let Some(job) = self.jobs.remove(&number) else { continue };
            for token in &job.waits_for {
                if let Some(ask) = self.asks.get_mut(token) {
                    ask.jobs.remove(&number);
                    if ask.jobs.is_empty() {
                        self.close(*token);
                    }
                }
            }
            self.finish(job, out);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.jobs.values().map(|job| job.deadline).min()
    }

    /// How long a node waits that may send the question `budget` nodes further.
    fn patience(&self, budget: u16) -> Duration {
        // Divided first: so it cannot overflow, as the budget is never above `BUDGET`.
        self.timeout / u32::from(BUDGET) * u32::from(budget)
    }

    fn has_room(&self, asker: &Asker) -> bool {
        let same = |job: &&Job| {
            matches!(
                (&job.asker, asker),
                (Asker::Query(..), Asker::Query(..)) | (Asker::Peer(_), Asker::Peer(_))
            )
        };
        self.jobs.values().filter(same).count() < MAX_JOBS
    }

    /// Takes what is known; returns whom to ask for the rest.
    fn look_up(&mut self, job: &mut Job) -> BTreeMap<NodeId, BTreeMap<Key, Arc<MessageId>>> {
        let mut missing: BTreeMap<NodeId, BTreeMap<Key, Arc<MessageId>>> = BTreeMap::new();
        for lead in job.leads.iter().flatten() {
            if let Lead::From { id, key, neighbour, .. } = lead {
                if let Some(way) = self.known.get(*key, *neighbour) {
                    job.found.insert((*key, *neighbour), way);
                } else {
                    missing.entry(*neighbour).or_default().insert(*key, Arc::clone(id));
                }
            }
        }
        missing
    }

    /// Asks a neighbour, or joins others who wait for the same answer.
    fn ask(
        &mut self,
        to: NodeId,
        mut ids: BTreeMap<Key, Arc<MessageId>>,
        budget: u16,
        job: &mut Job,
        tokens: &mut Tokens,
        out: &mut Outbox<Output>,
    ) {
        ids.retain(|key, _| match self.open.get(&(*key, to)) {
            Some(token) => {
                job.waits_for.insert(*token);
                false
            }
            None => true,
        });
        for token in &job.waits_for {
            if let Some(ask) = self.asks.get_mut(token) {
                ask.jobs.insert(self.last_job);
            }
        }
        let mut rest = ids.into_iter().peekable();
        while rest.peek().is_some() {
            let batch: Vec<_> = rest.by_ref().take(MAX_IDS).collect();
            let token = tokens.next();
            let messages: Vec<_> = batch.iter().map(|(key, id)| (*key, id.author)).collect();
            self.open.extend(messages.iter().map(|(key, _)| ((*key, to), token)));
            let jobs = BTreeSet::from([self.last_job]);
            self.asks.insert(token, Ask { to, messages, jobs });
            job.waits_for.insert(token);
            let ids = batch.iter().map(|(_, id)| MessageId::clone(id)).collect();
            out.push(Output::Ask { to, token, message: Message::Trace { ids, budget } });
        }
    }

    fn close(&mut self, token: Token) -> Option<Ask> {
        let ask = self.asks.remove(&token)?;
        for (key, _) in &ask.messages {
            self.open.remove(&(*key, ask.to));
        }
        Some(ask)
    }

    /// Finishes the jobs that waited for this answer only.
    fn go_on(&mut self, token: Token, ask: &Ask, out: &mut Outbox<Output>) {
        for number in &ask.jobs {
            let Some(job) = self.jobs.get_mut(number) else { continue };
            job.waits_for.remove(&token);
            if job.waits_for.is_empty()
                && let Some(job) = self.jobs.remove(number)
            {
                self.finish(job, out);
            }
        }
    }

    fn finish(&self, job: Job, out: &mut Outbox<Output>) {
        let Job { asker, leads, found, .. } = job;
        let ways = leads.into_iter().map(|leads| self.ways(leads, &found));
        match asker {
            Asker::Query(token, messages) => {
                let kept = |(selected, ways): (Selected, Vec<Way>)| Kept {
                    message: selected.message,
                    was_read: selected.was_read,
                    ways: in_order(ways),
                };
                let messages = messages.into_iter().zip(ways).map(kept).collect();
                out.push(Output::Kept { token, messages });
            }
            Asker::Peer(token) => {
                let mut room = MAX_ANSWERED_HOPS;
                let mut told = |hops: &Vec<Hop>| match room.checked_sub(hops.len()) {
                    Some(left) => {
                        room = left;
                        true
                    }
                    None => false,
                };
                let first = |ways: Vec<Way>| ways.into_iter().next().map(|way| way.hops);
                let ways = ways.map(|ways| first(ways).filter(&mut told).unwrap_or_default());
                let message = Message::Traced { ways: ways.collect() };
                out.push(Output::Answer { token, message });
            }
        }
    }

    /// The way of every copy that had not passed here before.
    fn ways(&self, leads: Vec<Lead>, found: &BTreeMap<(Key, NodeId), Arc<[Hop]>>) -> Vec<Way> {
        let way = |lead| match lead {
            Lead::Known(hops) => Some(Way { hops, complete: true }),
            Lead::Forgotten(here) => Some(Way { hops: vec![here], complete: false }),
            Lead::From { id, key, neighbour, here } => {
                let before = found.get(&(key, neighbour)).map_or(&[][..], |way| way);
                let complete = is_whole(id.author, before);
                let hops = before.iter().copied().chain([here]).collect();
                (!is_in(self.me, before)).then_some(Way { hops, complete })
            }
        };
        leads.into_iter().filter_map(way).collect()
    }
}
