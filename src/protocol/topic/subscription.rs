//! Who in this node reads what.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::group::{Group, Interests};
use crate::base::pattern::{is_pattern, matches};
use crate::base::token::Token;

/// The subscriptions of this node, and what its door reads for foreigners.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    names: BTreeMap<Token, String>,
    /// Of plain names, found at once.
    exact: BTreeMap<String, Wishes>,
    /// Of patterns, each compared with a topic; no more than there may be subscriptions.
    patterns: BTreeMap<String, Wishes>,
    /// Which member of a group in this node had its last message.
    turns: BTreeMap<Group, Token>,
    /// How many subscriptions are in groups.
    grouped: usize,
    door: BTreeSet<String>,
}

type Wishes = BTreeMap<Token, Wish>;

/// What a subscription wants of its topics.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wish {
    /// Also what is published here.
    pub(crate) own: bool,
    /// Only what is for this member of the group; everything without one.
    pub(crate) group: Option<Group>,
}

/// What a subscription that came or went changes.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Change {
    /// Its name, when it was or is the only one of this name.
    pub(crate) name: Option<String>,
    /// What the card says of this node is not true any more.
    pub(crate) card: bool,
}

impl Subscriptions {
    pub(crate) fn new(door: &[String]) -> Self {
        Self {
            names: BTreeMap::new(),
            exact: BTreeMap::new(),
            patterns: BTreeMap::new(),
            turns: BTreeMap::new(),
            grouped: 0,
            door: door.iter().cloned().collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Adds one to a topic or a pattern.
    pub(crate) fn add(&mut self, subscription: Token, name: &str, wish: Wish) -> Change {
        let before = self.told(name);
        self.grouped += usize::from(wish.group.is_some());
        self.names.insert(subscription, name.to_owned());
        let wishes = self.wishes_mut(name).entry(name.to_owned()).or_default();
        wishes.insert(subscription, wish);
        self.change(name, &before)
    }

    /// Removes one.
    pub(crate) fn remove(&mut self, subscription: Token) -> Change {
        let Some(name) = self.names.remove(&subscription) else { return Change::default() };
        let before = self.told(&name);
        let table = self.wishes_mut(&name);
        let mut group = None;
        if let Some(wishes) = table.get_mut(&name) {
            group = wishes.remove(&subscription).and_then(|wish| wish.group);
            if wishes.is_empty() {
                table.remove(&name);
            }
        }
        if let Some(group) = group {
            self.grouped = self.grouped.saturating_sub(1);
            // Whose turn is next is known by who is left, wherever the last one stood.
            if self.turns.get(&group) == Some(&subscription) {
                self.turns.remove(&group);
            }
        }
        self.change(&name, &before)
    }

    /// Whether this node reads the topic: a subscription or the door does.
    pub(crate) fn reads(&self, topic: &str) -> bool {
        self.wishes(topic).next().is_some() || self.is_at_door(topic)
    }

    /// Whether anything of a topic or a pattern is read here. (Of two patterns it is supposed.)
    pub(crate) fn overlap(&self, name: &str) -> bool {
        if !is_pattern(name) {
            return self.reads(name);
        }
        let mut topics = self.exact.keys().chain(&self.door);
        !self.patterns.is_empty() || topics.any(|topic| matches(name, topic))
    }

    /// Whether this node reads the topic in no group: a subscription or the door does.
    pub(crate) fn wants_all(&self, topic: &str) -> bool {
        self.is_at_door(topic) || self.wishes(topic).any(|(_, wish)| wish.group.is_none())
    }

    /// Whether the door carries the topic.
    pub(crate) fn is_at_door(&self, topic: &str) -> bool {
        self.door.contains(topic)
    }

    /// All that is read here, as the card says it.
    pub(crate) fn interests(&self) -> Interests {
        let mut interests = Interests::from(self.door.clone());
        for (name, wishes) in self.exact.iter().chain(&self.patterns) {
            for wish in wishes.values() {
                match &wish.group {
                    None => drop(interests.topics.insert(name.clone())),
                    Some(group) => {
                        let groups = interests.groups.entry(name.clone()).or_default();
                        groups.insert(group.clone());
                    }
                }
            }
        }
        interests
    }

    /// The subscriptions in no group that get a message of the topic, published here or not.
    pub(crate) fn of(&self, topic: &str, published_here: bool) -> impl Iterator<Item = Token> {
        let wanted = move |wish: &Wish| wish.group.is_none() && (wish.own || !published_here);
        self.wishes(topic).filter(move |(_, wish)| wanted(wish)).map(|(token, _)| *token)
    }

    /// Whether any subscription is in a group.
    pub(crate) fn has_groups(&self) -> bool {
        self.grouped > 0
    }

    /// The subscriptions in a group of the topic, in the order of their making.
    pub(crate) fn members(&self, topic: &str, published_here: bool, group: &Group) -> Vec<Token> {
        let of_group = |wish: &Wish| wish.group.as_ref() == Some(group);
        let wanted = |wish: &Wish| of_group(wish) && (wish.own || !published_here);
        let wanted = self.wishes(topic).filter(|(_, wish)| wanted(wish));
        let mut members: Vec<Token> = wanted.map(|(token, _)| *token).collect();
        members.sort_unstable();
        members
    }

    /// The groups of the topic with a subscription here that wants a message published here or not.
    pub(crate) fn groups(&self, topic: &str, published_here: bool) -> BTreeSet<Group> {
        let wanted = self.wishes(topic).filter(|(_, wish)| wish.own || !published_here);
        wanted.filter_map(|(_, wish)| wish.group.clone()).collect()
    }

    /// The subscription whose turn it is in a group of the topic. Several in this node share what
    /// is for the node.
    pub(crate) fn turn(
        &mut self,
        topic: &str,
        published_here: bool,
        group: &Group,
    ) -> Option<Token> {
        let members = self.members(topic, published_here, group);
        let last = self.turns.get(group);
        let next = members.iter().find(|token| last.is_none_or(|last| *token > last));
        let next = *next.or(members.first())?;
        self.turns.insert(group.clone(), next);
        Some(next)
    }

    fn wishes(&self, topic: &str) -> impl Iterator<Item = (&Token, &Wish)> {
        let patterns = self.patterns.iter().filter(move |(pattern, _)| matches(pattern, topic));
        let patterns = patterns.map(|(_, wishes)| wishes);
        self.exact.get(topic).into_iter().chain(patterns).flatten()
    }

    fn wishes_mut(&mut self, name: &str) -> &mut BTreeMap<String, Wishes> {
        if is_pattern(name) { &mut self.patterns } else { &mut self.exact }
    }

    /// What the card says of a name: whether it is read in no group, and in which groups it is.
    fn told(&self, name: &str) -> (bool, BTreeSet<Group>) {
        let table = if is_pattern(name) { &self.patterns } else { &self.exact };
        let wishes = || table.get(name).into_iter().flat_map(BTreeMap::values);
        let all = self.is_at_door(name) || wishes().any(|wish| wish.group.is_none());
        (all, wishes().filter_map(|wish| wish.group.clone()).collect())
    }

    fn change(&self, name: &str, before: &(bool, BTreeSet<Group>)) -> Change {
        let after = self.told(name);
        let is_read = |(all, groups): &(bool, BTreeSet<Group>)| *all || !groups.is_empty();
        let switched = is_read(before) != is_read(&after);
        Change { name: switched.then(|| name.to_owned()), card: *before != after }
    }
}
