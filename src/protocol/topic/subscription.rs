//! Who in this node reads what.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::token::Token;

/// The subscriptions of this node, and what its door reads for foreigners.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    topics: BTreeMap<Token, String>,
    /// By topic: each subscription, and whether it wants what is published here.
    readers: BTreeMap<String, BTreeMap<Token, bool>>,
    door: BTreeSet<String>,
}

impl Subscriptions {
    pub(crate) fn new(door: &[String]) -> Self {
        let door = door.iter().cloned().collect();
        Self { topics: BTreeMap::new(), readers: BTreeMap::new(), door }
    }

    pub(crate) fn len(&self) -> usize {
        self.topics.len()
    }

    /// Adds one. True when the topic was not read here before.
    pub(crate) fn add(&mut self, subscription: Token, topic: &str, own: bool) -> bool {
        let new = !self.reads(topic);
        self.topics.insert(subscription, topic.to_owned());
        self.readers.entry(topic.to_owned()).or_default().insert(subscription, own);
        new
    }

    /// Removes one. The topic, when it is not read here any more.
    pub(crate) fn remove(&mut self, subscription: Token) -> Option<String> {
        let topic = self.topics.remove(&subscription)?;
        let readers = self.readers.get_mut(&topic)?;
        readers.remove(&subscription);
        if readers.is_empty() {
            self.readers.remove(&topic);
        }
        (!self.reads(&topic)).then_some(topic)
    }

    /// Whether this node reads the topic: a subscription or the door does.
    pub(crate) fn reads(&self, topic: &str) -> bool {
        self.readers.contains_key(topic) || self.is_at_door(topic)
    }

    /// Whether the door carries the topic.
    pub(crate) fn is_at_door(&self, topic: &str) -> bool {
        self.door.contains(topic)
    }

    /// All topics read here.
    pub(crate) fn all(&self) -> BTreeSet<String> {
        self.readers.keys().chain(&self.door).cloned().collect()
    }

    /// The subscriptions that get a message of the topic, published here or not.
    pub(crate) fn of(&self, topic: &str, published_here: bool) -> impl Iterator<Item = Token> {
        let readers = self.readers.get(topic).into_iter().flatten();
        readers.filter(move |(_, own)| **own || !published_here).map(|(token, _)| *token)
    }
}
