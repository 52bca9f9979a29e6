//! Messages for queue groups: whom they are for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::TopicError;
use super::machine::TopicMachine;
use super::output::Output;
use super::received::Received;
use super::record::Key;
use super::strategy::Strategy;
use crate::base::group::{Chosen, Group, MAX_CHOSEN};
use crate::base::id::NodeId;
use crate::base::machine::Outbox;
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

    pub(super) fn choose_of(
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
    pub(super) fn groups(&self, topic: &str) -> BTreeMap<Group, BTreeSet<NodeId>> {
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
