//! The replayer: keeps every proof that it sees, and says it again, later and to everybody.

use std::collections::VecDeque;
use std::time::Duration;

use super::kinds::{Adversary, Mischief};
use crate::engine::frame::Message;
use crate::engine::{Input, Output};
use crate::protocol::membership::{self, News};

/// Most messages it keeps; the oldest goes first.
const MAX_KEPT: usize = 512;

/// Repeats certificates, refutations, statements and pages of records of others.
pub(crate) struct Replayer {
    pace: Duration,
    kept: VecDeque<membership::Message>,
    count: usize,
}

impl Replayer {
    pub fn new(pace: Duration) -> Self {
        Self { pace, kept: VecDeque::new(), count: 0 }
    }

    fn keep(&mut self, message: &membership::Message) {
        use membership::Message::{Join, News as Told, Page, Query, Report, Suspected};
        let kept = match message {
            Query(_) | Report(_) | Told(_) | Suspected { .. } => message.clone(),
            Join(alive) => Told(vec![News::Alive(alive.clone())]),
            Page { records, .. } => Told(records.clone()),
            _ => return,
        };
        if self.kept.len() >= MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
    }
}

impl Adversary for Replayer {
    fn hears(&mut self, _: &Mischief<'_>, input: &mut Input, _: &mut Vec<Output>) -> bool {
        if let Input::Asked { message: Message::Membership(message), .. }
        | Input::Told { message: Message::Membership(message), .. }
        | Input::Answer { message: Message::Membership(message), .. } = input
        {
            self.keep(message);
        }
        true
    }

    fn pace(&self) -> Option<Duration> {
        Some(self.pace)
    }

    fn turn(&mut self, mischief: &Mischief<'_>, out: &mut Vec<Output>) {
        self.count += 1;
        // Primes, so that in time everything goes to everybody.
        let to = mischief.peers.get(self.count * 7 % mischief.peers.len().max(1));
        let kept = self.kept.get(self.count * 13 % self.kept.len().max(1));
        if let (Some(to), Some(kept)) = (to, kept) {
            out.push(mischief.ask(*to, kept.clone()));
        }
    }
}
