//! The phases of a run: warm-up, single messages at rest, a full window.

use std::time::{Duration, Instant};

use super::board::{Board, now};
use super::plan::{Pace, Plan};
use super::usage::Watched;
use crate::exit::Failure;

/// Who sends.
pub trait Author {
    /// Sends the message with this number, as soon as there is room for it. Dropped before it is
    /// ready, the message is not sent.
    ///
    /// # Errors
    /// When there never will be.
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure>;
}

/// How a message was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// At once.
    AtOnce,
    /// There was no room for it at first.
    Later,
}

/// Several that send in turn.
#[derive(Debug)]
pub struct Authors<A>(pub Vec<A>);

impl<A: Author> Author for Authors<A> {
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure> {
        let count = u64::try_from(self.0.len()).unwrap_or(u64::MAX).max(1);
        let turn = usize::try_from(number % count).ok();
        match turn.and_then(|turn| self.0.get_mut(turn)) {
            Some(author) => author.publish(number).await,
            None => Err(Failure::failed("nobody publishes")),
        }
    }
}

/// What goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Messages that are not measured.
    WarmUp,
    /// Single messages.
    Latency,
    /// A full window.
    Throughput,
}

/// A run under way. What was measured stays when [`Run::drive`] is dropped.
#[derive(Debug)]
pub struct Run<'a> {
    plan: &'a Plan,
    board: &'a Board,
    watched: &'a Watched,
    /// Messages sent so far, which is the number of the next.
    sent: u64,
    waited: u64,
    load: Option<Load>,
    /// When something last arrived, of a phase that was given up.
    given_up: Option<Instant>,
    /// Resident memory in KiB, in the course of a load that has a pace.
    resident: Vec<u64>,
}

/// The load: where it began, and where it ended.
#[derive(Clone, Copy, Debug)]
struct Load {
    first: u64,
    begin: Reading,
    end: Option<Reading>,
}

/// All counters at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    processor: Duration,
    delivered: u64,
    everywhere: u64,
}

/// What the load came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Messages sent.
    pub messages: u64,
    /// Of them everywhere at the end.
    pub everywhere: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// From the first message to the last delivery.
    pub took: Duration,
    /// Processor time in between.
    pub processor: Duration,
}

impl<'a> Run<'a> {
    /// A run in which nothing was sent yet.
    pub fn new(plan: &'a Plan, board: &'a Board, watched: &'a Watched) -> Self {
        Self {
            plan,
            board,
            watched,
            sent: 0,
            waited: 0,
            load: None,
            given_up: None,
            resident: Vec::new(),
        }
    }

    /// Goes through all phases. May be dropped in between; [`Run::settle`] then waits for what is
    /// under way.
    ///
    /// # Errors
    /// What the author says.
    pub async fn drive(
        &mut self,
        author: &mut impl Author,
        tell: impl Fn(Phase),
    ) -> Result<(), Failure> {
        tell(Phase::WarmUp);
        self.flood(author, self.plan.warm_up).await?;
        self.rest().await;
        tell(Phase::Latency);
        self.probe(author).await?;
        self.rest().await;
        tell(Phase::Throughput);
        self.given_up = None;
        self.load = Some(Load { first: self.sent, begin: self.read(), end: None });
        match self.plan.pace {
            Some(pace) => self.pace(author, pace).await?,
            None => self.flood(author, self.plan.load).await?,
        }
        self.end_load();
        Ok(())
    }

    /// Waits until everything sent is everywhere, or nothing has arrived for so long; five times as
    /// long at most. Ends the load.
    pub async fn settle(&mut self, patience: Duration) {
        let mut watch = Watch::new(self.board, 5 * patience, patience);
        while self.board.everywhere() < self.sent && watch.waits(self.board).await {}
        self.end_load();
    }

    /// Messages sent in all phases.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Resident memory in KiB at the beginning of a load that has a pace, and whenever it was
    /// looked at since.
    pub fn resident(&self) -> &[u64] {
        &self.resident
    }

    /// How many messages had to wait for room.
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// What the load came to; `None` when it did not begin, or was not ended.
    pub fn measured(&self) -> Option<Measured> {
        let Load { first, begin, end } = self.load?;
        let end = end?;
        Some(Measured {
            messages: self.sent - first,
            everywhere: end.everywhere - begin.everywhere,
            deliveries: end.delivered - begin.delivered,
            took: end.at.duration_since(begin.at),
            processor: end.processor.saturating_sub(begin.processor),
        })
    }

    /// One message after another with pauses, whether or not the one before is everywhere. Then
    /// waits for all of them: a late one would be taken for one of the load.
    async fn probe(&mut self, author: &mut impl Author) -> Result<(), Failure> {
        let begin = self.mark();
        for _ in 0..self.plan.probes {
            if !self.send(author).await? {
                break;
            }
            tokio::time::sleep(self.plan.pause).await;
        }
        let mut watch = Watch::of(self.plan, self.board);
        while self.under_way(begin) > 0 && watch.waits(self.board).await {}
        Ok(())
    }

    /// So many messages, of which at most a window is not everywhere. Ends when all are, at the
    /// deadline, or when nothing arrives any more.
    async fn flood(&mut self, author: &mut impl Author, count: u64) -> Result<(), Failure> {
        let begin = self.mark();
        let mut watch = Watch::of(self.plan, self.board);
        for _ in 0..count {
            if !self.send_within_window(author, begin, &mut watch).await? {
                return Ok(());
            }
        }
        self.drain(begin, watch).await;
        Ok(())
    }

    /// The load at its pace, within the window. Ends as [`Run::flood`] does.
    async fn pace(&mut self, author: &mut impl Author, pace: Pace) -> Result<(), Failure> {
        let (mark, begin) = (self.mark(), now());
        let mut watch = Watch::new(self.board, self.plan.load_deadline(), self.plan.patience);
        let mut look = begin;
        for number in 0..self.plan.load {
            let due = begin + pace.due(number);
            if due > now() {
                tokio::time::sleep_until(due.into()).await;
            }
            if now() >= look {
                self.resident.push(self.watched.memory().now);
                look += pace.look;
            }
            if !self.send_within_window(author, mark, &mut watch).await? {
                return Ok(());
            }
        }
        self.drain(mark, watch).await;
        Ok(())
    }

    /// Sends one more as soon as the window has room for it; false when nothing arrives any more,
    /// or nothing more is to be sent.
    async fn send_within_window(
        &mut self,
        author: &mut impl Author,
        mark: (u64, u64),
        watch: &mut Watch,
    ) -> Result<bool, Failure> {
        while self.under_way(mark) >= self.plan.window {
            if !watch.waits(self.board).await {
                self.given_up = Some(watch.progress);
                return Ok(false);
            }
        }
        self.send(author).await
    }

    /// Waits until everything sent since this mark is everywhere, or nothing arrives any more.
    async fn drain(&mut self, mark: (u64, u64), mut watch: Watch) {
        self.given_up = None;
        while self.under_way(mark) > 0 {
            if !watch.waits(self.board).await {
                self.given_up = Some(watch.progress);
                return;
            }
        }
    }

    /// How many messages were sent, and how many of them are everywhere.
    fn mark(&self) -> (u64, u64) {
        (self.sent, self.board.everywhere())
    }

    /// Messages sent since this mark that are not everywhere.
    fn under_way(&self, (sent, everywhere): (u64, u64)) -> u64 {
        (self.sent - sent).saturating_sub(self.board.everywhere() - everywhere)
    }

    /// Sends the next message. False when there was no room for it for too long.
    async fn send(&mut self, author: &mut impl Author) -> Result<bool, Failure> {
        self.board.sending(self.sent);
        let taken = tokio::time::timeout(self.plan.patience, author.publish(self.sent)).await;
        let Ok(accepted) = taken else { return Ok(false) };
        self.waited += u64::from(accepted? == Accepted::Later);
        self.sent += 1;
        Ok(true)
    }

    /// Lets what a phase leaves behind come to an end.
    async fn rest(&self) {
        tokio::time::sleep(REST).await;
    }

    fn read(&self) -> Reading {
        Reading {
            at: now(),
            processor: self.watched.processor(),
            delivered: self.board.delivered(),
            everywhere: self.board.everywhere(),
        }
    }

    fn end_load(&mut self) {
        let mut end = self.read();
        // What is lost was waited for in vain; that is no part of the rate.
        end.at = self.given_up.take().unwrap_or(end.at);
        if let Some(load) = &mut self.load
            && load.end.is_none()
        {
            load.end = Some(end);
        }
    }
}

/// How long a phase may still go on.
#[derive(Debug)]
struct Watch {
    begin: Instant,
    deadline: Duration,
    patience: Duration,
    delivered: u64,
    /// When `delivered` was last seen to rise.
    progress: Instant,
}

impl Watch {
    fn new(board: &Board, deadline: Duration, patience: Duration) -> Self {
        let begin = now();
        Self { begin, deadline, patience, delivered: board.delivered(), progress: begin }
    }

    fn of(plan: &Plan, board: &Board) -> Self {
        Self::new(board, plan.deadline, plan.patience)
    }

    /// Waits a moment for a message to be everywhere. False when the phase is over.
    async fn waits(&mut self, board: &Board) -> bool {
        board.changes(GLANCE).await;
        !self.is_over(board)
    }

    fn is_over(&mut self, board: &Board) -> bool {
        let (at, delivered) = (now(), board.delivered());
        if delivered > self.delivered {
            (self.delivered, self.progress) = (delivered, at);
        }
        at.duration_since(self.progress) > self.patience
            || at.duration_since(self.begin) > self.deadline
    }
}

/// Between two phases.
const REST: Duration = Duration::from_millis(500);
/// Longest time until a wait looks at the clock again.
const GLANCE: Duration = Duration::from_millis(50);
