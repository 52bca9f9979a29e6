//! Receipts, from the readers to the author.

use super::machine::TopicMachine;
use super::output::Output;
use super::record::Key;
use super::relay::{Bundle, MAX_READERS, MAX_TRIES};
use super::wire::{Message, MessageId};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

impl TopicMachine {
    /// Takes receipts: of a message of ours to be counted, of another to be passed on.
    pub(super) fn receipt(
        &mut self,
        now: Time,
        from: NodeId,
        id: MessageId,
        mut readers: Vec<NodeId>,
        out: &mut Outbox<Output>,
    ) {
        self.stats.receipts_lost += readers.len().saturating_sub(MAX_READERS) as u64;
        readers.truncate(MAX_READERS);
        let key = Key::of(&id);
        if id.author == self.me {
            self.confirm_errands(now, &key, &readers, out);
            self.receipts.confirm(now, key, readers, out);
        } else if self.records.get(&key).is_none() {
            // Names of messages cost nothing, messages do. What was here is remembered for far
            // longer than its receipts take.
            self.stats.receipts_lost += readers.len() as u64;
        } else if let Some(bundle) = self.returns.gather(now, from, id, readers) {
            self.pass_on(now, bundle, out);
        }
    }

    /// Tells receipts to the best neighbour that is left, if any is.
    pub(super) fn pass_on(&mut self, now: Time, mut bundle: Bundle, out: &mut Outbox<Output>) {
        let next = self.next_back(&bundle).filter(|_| bundle.tried.len() < MAX_TRIES);
        let Some(to) = next else {
            self.stats.receipts_lost += bundle.readers.len() as u64;
            return;
        };
        let token = self.tokens.next();
        let readers = bundle.readers.iter().copied().collect();
        let message = Message::Receipt { id: bundle.id.clone(), readers };
        out.push(Output::Tell { to, token, message });
        bundle.tried.insert(to);
        self.stats.receipts_lost += self.returns.told(now, token, bundle) as u64;
    }

    /// A question or a bundle of receipts came to nothing.
    pub(super) fn no_answer(&mut self, now: Time, token: Token, out: &mut Outbox<Output>) {
        if self.refused(now, token) || self.nothing_earlier(now, token, out) {
            return;
        }
        if !self.traces.no_answer(token, out)
            && let Some(bundle) = self.returns.settled(token)
        {
            self.pass_on(now, bundle, out);
        }
    }

    /// Who brought the first copy, then who brought further ones, then the author, then any other
    /// linked peer, and at last whom it came from.
    fn next_back(&self, bundle: &Bundle) -> Option<NodeId> {
        let record = self.records.get(&Key::of(&bundle.id))?;
        let copies = record.copies().map(|copy| copy.from);
        let others = self.linked.iter().copied();
        let forward = copies.chain([bundle.id.author]).chain(others);
        let forward = forward.filter(|peer| !bundle.from.contains(peer));
        let usable = |peer: &NodeId| self.linked.contains(peer) && !bundle.tried.contains(peer);
        let mut candidates = Vec::new();
        for peer in forward.chain(bundle.from.iter().copied()).filter(usable) {
            if !candidates.contains(&peer) {
                candidates.push(peer);
            }
            if candidates.len() > usize::from(bundle.passes) {
                break;
            }
        }
        candidates.pop()
    }
}
