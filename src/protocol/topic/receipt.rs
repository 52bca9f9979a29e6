//! The author's side of receipts: who should have a message, and who said so.

use std::collections::{BTreeMap, BTreeSet};

use super::output::Output;
use super::received::Report;
use super::record::Key;
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::time::Time;
use crate::base::token::Token;

/// Most messages that wait for receipts at once; above, the one with the earliest deadline is
/// reported as it stands. (Guess.)
pub(crate) const MAX_OPEN: usize = 4_096;

/// Most readers that all open messages together may wait for (about 40 MB).
const MAX_AWAITED: usize = 262_144;

/// Most readers beyond the expected ones that one message counts. (Guess: cards that were on their
/// way when it was published.)
const MAX_UNEXPECTED: usize = 1_024;

/// The messages that wait for receipts.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    open: BTreeMap<Key, Confirming>,
    deadlines: BTreeSet<(Time, Key)>,
    awaited: usize,
}

/// One message that waits for receipts.
#[derive(Debug)]
pub(crate) struct Confirming {
    pub(crate) token: Token,
    pub(crate) topic: String,
    pub(crate) holders: BTreeSet<NodeId>,
    /// How many of them were not expected.
    pub(crate) unexpected: usize,
    /// The readers that did not confirm yet.
    pub(crate) missing: BTreeSet<NodeId>,
    pub(crate) accepted: Time,
    pub(crate) deadline: Time,
    /// When the last confirmation came; the time of acceptance before the first.
    pub(crate) last: Time,
}

impl Receipts {
    /// Waits for the readers of a message; reports at once when there are none.
    pub(crate) fn expect(&mut self, key: Key, message: Confirming, out: &mut Outbox<Output>) {
        if message.missing.is_empty() {
            return report(message, None, out);
        }
        self.awaited += message.missing.len();
        self.deadlines.insert((message.deadline, key));
        self.open.insert(key, message);
        while (self.open.len() > MAX_OPEN || self.awaited > MAX_AWAITED) && self.open.len() > 1 {
            let Some((_, earliest)) = self.deadlines.first().copied() else { break };
            if let Some(message) = self.close(&earliest) {
                let now = message.last;
                report(message, Some(now), out);
            }
        }
    }

    /// Counts readers that confirm.
    pub(crate) fn confirm(
        &mut self,
        now: Time,
        key: Key,
        readers: Vec<NodeId>,
        out: &mut Outbox<Output>,
    ) {
        let Some(message) = self.open.get_mut(&key) else { return };
        for reader in readers {
            if message.missing.remove(&reader) {
                self.awaited = self.awaited.saturating_sub(1);
            } else if message.unexpected < MAX_UNEXPECTED && !message.holders.contains(&reader) {
                message.unexpected += 1;
            } else {
                continue;
            }
            message.holders.insert(reader);
            message.last = now;
        }
        self.settle(&key, out);
    }

    /// Expects of one node what was expected of another.
    pub(crate) fn replace(&mut self, key: &Key, before: NodeId, now: NodeId) {
        if let Some(message) = self.open.get_mut(key)
            && message.missing.remove(&before)
            && (message.holders.contains(&now) || !message.missing.insert(now))
        {
            self.awaited = self.awaited.saturating_sub(1);
        }
    }

    /// Expects nothing any more of a node that does not read these topics.
    pub(crate) fn forget(
        &mut self,
        node: &NodeId,
        still_reads: impl Fn(&str) -> bool,
        out: &mut Outbox<Output>,
    ) {
        let mut changed = Vec::new();
        for (key, message) in &mut self.open {
            if !still_reads(&message.topic) && message.missing.remove(node) {
                self.awaited = self.awaited.saturating_sub(1);
                changed.push(*key);
            }
        }
        for key in changed {
            self.settle(&key, out);
        }
    }

    /// Reports what is due with whoever is missing.
    pub(crate) fn tick(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some((_, key)) = self.deadlines.first().filter(|(at, _)| *at <= now).copied() {
            if let Some(message) = self.close(&key) {
                let deadline = message.deadline;
                report(message, Some(deadline), out);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    fn settle(&mut self, key: &Key, out: &mut Outbox<Output>) {
        if self.open.get(key).is_some_and(|message| message.missing.is_empty())
            && let Some(message) = self.close(key)
        {
            report(message, None, out);
        }
    }

    fn close(&mut self, key: &Key) -> Option<Confirming> {
        let message = self.open.remove(key)?;
        self.deadlines.remove(&(message.deadline, *key));
        self.awaited = self.awaited.saturating_sub(message.missing.len());
        Some(message)
    }
}

/// `until` is the moment somebody was given up; without, the last confirmation ended it.
fn report(message: Confirming, until: Option<Time>, out: &mut Outbox<Output>) {
    let elapsed = until.unwrap_or(message.last).since(message.accepted);
    let report = Report {
        holders: message.holders.into_iter().collect(),
        missing: message.missing.into_iter().collect(),
        elapsed,
    };
    out.push(Output::Confirmed { token: message.token, report });
}
