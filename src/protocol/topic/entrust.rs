//! What happens to a message for queue groups until a member of each confirms it.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use super::errand::Errand;
use super::machine::TopicMachine;
use super::output::{Notice, Output};
use super::received::Received;
use super::record::Key;
use super::seal::Sealed;
use super::strategy::Strategy;
use super::waiting::RETRY;
use super::wire::MessageId;
use crate::base::group::{Chosen, Group, MAX_CHOSEN};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::pattern::matches;
use crate::base::time::Time;

impl TopicMachine {
    /// Sees to it that a message of ours is confirmed by a member of each group.
    pub(super) fn entrust(
        &mut self,
        now: Time,
        sealed: &Sealed,
        strategy: &Strategy,
        chosen: Option<&Chosen>,
        out: &mut Outbox<Output>,
    ) {
        if *strategy == Strategy::All {
            return;
        }
        let topic = &sealed.id.topic;
        let (due, ends) = (now + self.patience(), now + self.config.wait_for);
        let errand = |group, holder| Errand {
            topic: topic.clone(),
            number: sealed.id.number,
            first: sealed.key,
            payload: sealed.payload.clone(),
            envelope: sealed.envelope,
            strategy: strategy.clone(),
            if_read: sealed.if_read,
            group,
            holder,
            tried: BTreeSet::new(),
            sent: BTreeSet::from([sealed.key]),
            due,
            ends,
        };
        let Some(chosen) = chosen else {
            if !self.readers.any(topic) {
                let errand = errand(None, None);
                self.errands.open(Errand { due: errand.ends, ..errand });
            }
            return;
        };
        let groups = self.groups(topic);
        for (group, member) in chosen.members.iter().filter(|(_, member)| *member != self.me) {
            self.errands.open(errand(Some(group.clone()), Some(*member)));
        }
        // Those that were not named for want of room in the head.
        let rest: Vec<Errand> =
            groups.into_keys().skip(MAX_CHOSEN).map(|group| errand(Some(group), None)).collect();
        for errand in rest {
            let place = self.errands.open(errand);
            self.hand_on(now, place, out);
        }
    }

    /// Takes receipts for a message of ours that named members.
    pub(super) fn confirm_errands(
        &mut self,
        now: Time,
        key: &Key,
        readers: &[NodeId],
        out: &mut Outbox<Output>,
    ) {
        for (errand, member) in self.errands.confirm(key, readers) {
            self.receipts.confirm(now, errand.first, vec![member], out);
        }
    }

    /// A node reads something else: what it was chosen for, and is not in the group of any more,
    /// is the next one's; what waited for a member has one.
    pub(super) fn regroup(
        &mut self,
        now: Time,
        node: &NodeId,
        more: &BTreeSet<String>,
        out: &mut Outbox<Output>,
    ) {
        if self.errands.len() == 0 {
            return;
        }
        let readers = &self.readers;
        let is_member = |topic: &str, group: &Group| readers.members(topic, group).contains(node);
        self.errands.forgive(node, is_member);
        for place in self.errands.deserted(node, is_member) {
            self.hand_on(now, place, out);
        }
        let wanted = |topic: &str| more.iter().any(|name| matches(name, topic));
        for place in self.errands.idle(wanted) {
            self.settle(now, place, out);
        }
    }

    /// Goes on with what was not confirmed in time.
    pub(super) fn tick_errands(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some(place) = self.errands.next_due(now) {
            self.hand_on(now, place, out);
        }
    }

    /// A message that waited for a first reader has one: from now on it is for the groups there
    /// are, and for no others.
    fn settle(&mut self, now: Time, place: u64, out: &mut Outbox<Output>) {
        let Some(errand) = self.errands.take(place) else { return };
        if errand.group.is_some() {
            self.errands.put(place, errand);
            return self.hand_on(now, place, out);
        }
        for group in self.groups(&errand.topic).into_keys() {
            let place = self.errands.open(Errand { group: Some(group), ..errand.clone() });
            self.hand_on(now, place, out);
        }
    }

    /// Gives an errand to the next member of its group; to wait for one, when all had it; or up.
    fn hand_on(&mut self, now: Time, place: u64, out: &mut Outbox<Output>) {
        let Some(mut errand) = self.errands.take(place) else { return };
        if errand.ends <= now {
            return self.give_up(&errand, out);
        }
        if self.is_held_up(now, &errand) {
            errand.due = errand.ends.min(now + RETRY);
            return self.errands.put(place, errand);
        }
        let before = errand.holder.take();
        errand.tried.extend(before);
        errand.due = errand.ends;
        if let Some(member) = self.next_member(&errand) {
            if let Some(before) = before {
                self.receipts.replace(&errand.first, before, member);
            }
            if member == self.me {
                return self.keep_here(now, &errand, out);
            }
            let key = self.send_again(now, &errand, member, out);
            errand.sent.insert(key);
            errand.holder = Some(member);
            errand.due = errand.ends.min(now + self.patience());
        } else if errand.if_read {
            return self.give_up(&errand, out);
        }
        self.errands.put(place, errand);
    }

    /// How long a member has to confirm; not zero, or there would be no end of trying.
    fn patience(&self) -> Duration {
        self.config.confirm_within.max(Duration::from_millis(1))
    }

    /// Nobody is left, or nobody came. Of what is still in the outbox the outbox tells.
    fn give_up(&self, errand: &Errand, out: &mut Outbox<Output>) {
        if errand.group.is_some() && !self.waiting.is_queued(&errand.topic) {
            out.push(Output::Notice(Notice::Unread { id: self.id_of(errand) }));
        }
    }

    /// Whether nobody could confirm it because its topic is not out yet, so that to send it again
    /// would only make the queue longer; or whether the queue is full.
    fn is_held_up(&self, now: Time, errand: &Errand) -> bool {
        let is_late = errand.holder.is_some() && errand.due <= now;
        is_late && self.waiting.is_queued(&errand.topic)
            || !self.waiting.has_room(errand.payload.len())
    }

    fn next_member(&mut self, errand: &Errand) -> Option<NodeId> {
        let group = errand.group.as_ref()?;
        let mut members = self.readers.members(&errand.topic, group);
        if self.subscriptions.groups(&errand.topic, true).contains(group) {
            members.insert(self.me);
        }
        members.retain(|node| !errand.tried.contains(node));
        self.choose_of(&errand.topic, group, &members, &errand.strategy)
    }

    /// Sends a message again, for this member alone.
    fn send_again(
        &mut self,
        now: Time,
        errand: &Errand,
        member: NodeId,
        out: &mut Outbox<Output>,
    ) -> Key {
        let group = errand.group.iter().cloned();
        let chosen = Chosen {
            all: false,
            members: group.map(|group| (group, member)).collect(),
            again: Some(errand.number),
        };
        let (topic, payload) = (errand.topic.clone(), errand.payload.clone());
        let message = self.number(now, topic, payload, errand.envelope);
        let sealed = self.seal(now, &message, false, false, None, Some(chosen));
        self.stats.sent_again += 1;
        self.send(now, &sealed, NonZeroU8::MIN, true, out);
        sealed.key
    }

    /// The next member is this node.
    fn keep_here(&mut self, now: Time, errand: &Errand, out: &mut Outbox<Output>) {
        let (id, payload) = (self.id_of(errand), errand.payload.clone());
        let message = Arc::new(Received {
            trace_context: errand.envelope.trace_context,
            ..Received::from_here(id, self.wall(now), payload)
        });
        let members = errand.group.iter().map(|group| (group.clone(), self.me)).collect();
        let chosen = Chosen { all: false, members, again: Some(errand.number) };
        self.deliver(now, &errand.topic, vec![message], true, Some(&chosen), out);
        self.receipts.confirm(now, errand.first, vec![self.me], out);
    }

    fn id_of(&self, errand: &Errand) -> MessageId {
        let (topic, number) = (errand.topic.clone(), errand.number);
        MessageId { author: self.me, life: self.life, topic, number }
    }
}
