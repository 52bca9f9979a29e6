//! Reading what is kept, and telling by which way it came.

use std::sync::Arc;

use super::command::{Paths, Query};
use super::kept::Selected;
use super::machine::TopicMachine;
use super::output::Output;
use super::received::Kept;
use super::record::{Copy, Key, Record};
use super::trace::{Asker, BUDGET, Lead, MAX_IDS};
use super::wire::{Hop, Message, MessageId};
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

impl TopicMachine {
    /// Answers a query, after asking for the ways where they are wanted.
    pub(super) fn read(
        &mut self,
        now: Time,
        token: Token,
        query: &Query,
        out: &mut Outbox<Output>,
    ) {
        let selected = self.shelf.select(now, query);
        if query.paths == Paths::None {
            let plain =
                |s: Selected| Kept { message: s.message, was_read: s.was_read, ways: Vec::new() };
            let messages = selected.into_iter().map(plain).collect();
            out.push(Output::Kept { token, messages });
            return;
        }
        let leads = |s: &Selected| match self.records.get(&s.key) {
            Some(record) => self.leads(&s.message.batch_id(), s.key, record, usize::MAX),
            None if s.message.id.author == self.me => {
                vec![Lead::Known(vec![Hop { node: self.me, at: s.message.sent }])]
            }
            None => vec![Lead::Forgotten(Hop { node: self.me, at: s.message.received })],
        };
        let leads = selected.iter().map(leads).collect();
        let asker = Asker::Query(token, selected);
        self.traces.begin(now, asker, leads, BUDGET, &self.linked, &mut self.tokens, out);
    }

    /// Answers a peer that wants to know how messages came here.
    pub(super) fn trace(
        &mut self,
        now: Time,
        token: Token,
        ids: Vec<MessageId>,
        budget: u16,
        out: &mut Outbox<Output>,
    ) {
        if ids.len() > MAX_IDS {
            self.stats.malformed += 1;
            out.push(Output::Answer { token, message: Message::Traced { ways: Vec::new() } });
            return;
        }
        let leads = |id: &MessageId| {
            let key = Key::of(id);
            let record = self.records.get(&key);
            record.map(|record| self.leads(id, key, record, 1)).unwrap_or_default()
        };
        let leads = ids.iter().map(leads).collect();
        let asker = Asker::Peer(token);
        self.traces.begin(now, asker, leads, budget, &self.linked, &mut self.tokens, out);
    }

    /// Where to look for the ways of the first `max` copies of a message.
    fn leads(&self, id: &MessageId, key: Key, record: &Record, max: usize) -> Vec<Lead> {
        let author = Hop { node: record.author(), at: record.sent };
        if author.node == self.me {
            return vec![Lead::Known(vec![author])];
        }
        let id = Arc::new(id.clone());
        let lead = |copy: Copy| {
            let here = Hop { node: self.me, at: self.wall(copy.at) };
            if copy.from == author.node {
                return Lead::Known(vec![author, here]);
            }
            Lead::From { id: Arc::clone(&id), key, neighbour: copy.from, here }
        };
        record.copies().take(max).map(lead).collect()
    }
}
