//! The flooder: says everything again and again, as fast as it likes, to everybody.

use std::time::Duration;

use super::kinds::{Adversary, Mischief};
use crate::base::token::Token;
use crate::engine::Output;
use crate::engine::frame::{Message, Ticket};

/// Most messages it keeps to repeat.
const MAX_KEPT: usize = 64;

/// Repeats the questions and statements of its node to all who are connected, in turn.
pub(crate) struct Flooder {
    pace: Duration,
    kept: Vec<(Ticket, Message)>,
    count: usize,
}

impl Flooder {
    /// One that sends a message in every pause of this length.
    pub fn new(pace: Duration) -> Self {
        Self { pace, kept: Vec::new(), count: 0 }
    }
}

impl Adversary for Flooder {
    fn says(&mut self, _: &Mischief<'_>, output: Output, out: &mut Vec<Output>) {
        if let Output::Ask { ticket, message, .. } | Output::Tell { ticket, message, .. } = &output
            && self.kept.len() < MAX_KEPT
        {
            // A ticket its node never gave, so that the answers mean nothing to it.
            let ticket = Ticket { room: ticket.room, token: Token(u64::MAX) };
            self.kept.push((ticket, message.clone()));
        }
        out.push(output);
    }

    fn pace(&self) -> Option<Duration> {
        Some(self.pace)
    }

    fn turn(&mut self, mischief: &Mischief<'_>, out: &mut Vec<Output>) {
        self.count += 1;
        let (Some(to), Some((ticket, message))) = (
            mischief.peers.get(self.count % mischief.peers.len().max(1)),
            self.kept.get(self.count % self.kept.len().max(1)),
        ) else {
            return;
        };
        out.push(Output::Ask { to: *to, ticket: *ticket, message: message.clone() });
    }
}
