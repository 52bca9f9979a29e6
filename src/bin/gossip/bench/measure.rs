//! A run from its beginning to its end, however it ends.

use std::time::Duration;

use super::board::Board;
use super::outcome::{Counters, Outcome, Setting};
use super::plan::Plan;
use super::run::{Author, Phase, Run};
use super::usage::Watched;
use crate::exit::Failure;

/// What is measured, as seen from outside.
pub trait Subject {
    /// What all its nodes have counted since they began; `None` where nodes do not count.
    ///
    /// # Errors
    /// When a node cannot be asked.
    async fn counters(&self) -> Result<Option<Counters>, Failure>;

    /// The processes of its nodes.
    fn watched(&self) -> &Watched;
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// All phases were gone through.
    Whole,
    /// It was stopped in between.
    Stopped,
}

/// Looks at a run while it goes on.
pub trait Onlooker {
    /// A phase begins.
    fn begins(&self, phase: Phase);
    /// So many messages are everywhere.
    fn everywhere(&self, messages: u64);
}

/// Has the author send what is planned, until that is done or `stop` is ready. Counters are left
/// out when a node can be asked before, and no more after.
///
/// # Errors
/// What the author says, and the subject before it begins.
pub async fn measure(
    subject: &impl Subject,
    author: &mut impl Author,
    (plan, board, setting): (&Plan, &Board, Setting),
    stop: impl Future<Output = ()>,
    onlooker: &impl Onlooker,
) -> Result<(Outcome, End), Failure> {
    let before = subject.counters().await?;
    let watched = subject.watched();
    watched.forget_peak();
    let mut run = Run::new(plan, board, watched);
    let end = {
        let drive = run.drive(author, |phase| onlooker.begins(phase));
        tokio::pin!(drive, stop);
        let mut glance = tokio::time::interval(GLANCE);
        loop {
            tokio::select! {
                done = &mut drive => break done.map(|()| End::Whole),
                () = &mut stop => break Ok(End::Stopped),
                _ = glance.tick() => onlooker.everywhere(board.everywhere()),
            }
        }
    }?;
    if end == End::Stopped {
        run.settle(PATIENCE).await;
    }
    // Who died meanwhile cannot be asked; what came is on the board all the same.
    let after = subject.counters().await.ok().flatten();
    let counters = after.zip(before).map(|(now, before)| now.since(before));
    let memory = watched.memory();
    Ok((Outcome::new(setting, plan, (&run, board), counters, memory), end))
}

/// How often an onlooker is told.
const GLANCE: Duration = Duration::from_millis(100);
/// How long a stopped run waits for what is under way.
const PATIENCE: Duration = Duration::from_secs(1);
