//! Messages for queue groups: whom they are for, and what happens until a member confirms.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use super::errand::Errand;
use super::error::TopicError;
use super::machine::TopicMachine;
use super::output::{Notice, Output};
use super::publish::Sealed;
use super::received::Received;
use super::record::Key;
use super::strategy::Strategy;
use super::waiting::RETRY;
use super::wire::MessageId;
use crate::base::group::{Chosen, Group, MAX_CHOSEN};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
use crate::base::pattern::matches;
use crate::base::time::Time;

impl TopicMachine {
    // The publisher's side.

    /// Refuses a message when too many wait for members to confirm.
    pub(super) fn check_groups(&self, topic: &str, bytes: usize) -> Result<(), TopicError> {
        let groups = if self.is_grouped() { self.groups(topic).len() } else { 0 };
        let open = groups.max(usize::from(!self.readers.any(topic)));
        if open == 0 || self.errands.has_room(bytes, open) {
            return Ok(());
        }
        Err(TopicError::GroupsBusy { topic: topic.to_owned(), unconfirmed: self.errands.len() })
    }

    /// Chooses a member of each group that reads the topic. `None` when no group does.
    pub(super) fn choose(&mut self, topic: &str, strategy: &Strategy) -> Option<Chosen> {
        if *strategy == Strategy::All {
            return Some(Chosen { all: true, ..Chosen::default() });
        }
        if !self.is_grouped() {
            return None;
        }
        let groups = self.groups(topic);
        let mut members = Vec::new();
        for (group, nodes) in groups.into_iter().take(MAX_CHOSEN) {
            members.extend(self.choose_of(topic, &group, &nodes, strategy).map(|n| (group, n)));
        }
        (!members.is_empty()).then(|| Chosen { members, ..Chosen::default() })
    }

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
        let sent = self.wall(now);
        let message = Arc::new(Received {
            id: self.id_of(errand),
            foreign_author: None,
            sent,
            received: sent,
            payload: errand.payload.clone(),
            trace_context: errand.envelope.trace_context,
            first: errand.number,
            missed: 0,
            earlier: false,
        });
        let members = errand.group.iter().map(|group| (group.clone(), self.me)).collect();
        let chosen = Chosen { all: false, members, again: Some(errand.number) };
        self.deliver(now, &errand.topic, vec![message], true, Some(&chosen), out);
        self.receipts.confirm(now, errand.first, vec![self.me], out);
    }

    fn choose_of(
        &mut self,
        topic: &str,
        group: &Group,
        members: &BTreeSet<NodeId>,
        strategy: &Strategy,
    ) -> Option<NodeId> {
        let errands = &self.errands;
        self.choices.choose(topic, group, members, strategy, |node| errands.held_by(node))
    }

    /// The groups of a topic and their members, this node too where it wants its own messages.
    fn groups(&self, topic: &str) -> BTreeMap<Group, BTreeSet<NodeId>> {
        let mut groups = self.readers.groups(topic);
        for group in self.subscriptions.groups(topic, true) {
            groups.entry(group).or_default().insert(self.me);
        }
        groups
    }

    /// Whether a message of the topic says which members it is for.
    pub(super) fn is_for_groups(&self, topic: &str, strategy: &Strategy) -> bool {
        *strategy == Strategy::All || self.is_grouped() && !self.groups(topic).is_empty()
    }

    /// Whether there is any group at all: most networks have none.
    fn is_grouped(&self) -> bool {
        self.readers.has_groups() || self.subscriptions.has_groups()
    }

    fn id_of(&self, errand: &Errand) -> MessageId {
        let (topic, number) = (errand.topic.clone(), errand.number);
        MessageId { author: self.me, life: self.life, topic, number }
    }

    /// The nodes whose receipts a message waits for.
    pub(super) fn expected(&self, topic: &str, chosen: Option<&Chosen>) -> BTreeSet<NodeId> {
        let mut expected = match chosen {
            Some(chosen) if chosen.all => self.readers.everyone(topic),
            _ => self.readers.of(topic),
        };
        let members = chosen.into_iter().flat_map(|chosen| &chosen.members);
        expected.extend(members.map(|(_, member)| *member).filter(|member| *member != self.me));
        expected
    }

    // The reader's side.

    /// Whether a subscription here, or the door, wants the message.
    pub(super) fn is_for_here(&self, topic: &str, chosen: Option<&Chosen>) -> bool {
        let again = chosen.is_some_and(|chosen| chosen.again.is_some());
        let all = chosen.is_some_and(|chosen| chosen.all);
        !again && self.subscriptions.wants_all(topic)
            || all && self.subscriptions.reads(topic)
            || self.is_chosen(topic, chosen)
    }

    /// Whether this node was chosen, and is still a member.
    pub(super) fn is_chosen(&self, topic: &str, chosen: Option<&Chosen>) -> bool {
        let mut named = chosen.into_iter().flat_map(|chosen| chosen.groups_of(self.me)).peekable();
        if named.peek().is_none() {
            return false;
        }
        let groups = self.subscriptions.groups(topic, false);
        named.any(|group| groups.contains(group))
    }

    /// Hands a message to the subscriptions in groups it is for; true when there is one.
    pub(super) fn deliver_to_groups(
        &mut self,
        now: Time,
        message: &Arc<Received>,
        published_here: bool,
        chosen: &Chosen,
        out: &mut Outbox<Output>,
    ) -> bool {
        let (topic, key) = (&message.id.topic, Key::of(&message.id));
        let groups: BTreeSet<Group> = match chosen.all {
            true => self.subscriptions.groups(topic, published_here),
            false => chosen.groups_of(self.me).cloned().collect(),
        };
        let before = self.stats.delivered;
        // Whoever names a member again for what it had: it has it once.
        for group in groups {
            let once = key.of_group(&group);
            if self.handed.contains(&once) {
                continue;
            }
            let to = match chosen.all {
                true => self.subscriptions.members(topic, published_here, &group),
                false => {
                    self.subscriptions.turn(topic, published_here, &group).into_iter().collect()
                }
            };
            if !to.is_empty() {
                self.handed.insert(now, once, ());
            }
            for subscription in to {
                self.stats.delivered += 1;
                let messages = vec![Arc::clone(message)];
                out.push(Output::Deliver { subscription, messages });
            }
        }
        self.stats.delivered > before
    }
}
