//! Who among the other nodes reads what, by their cards.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::NodeId;

/// The readers of every topic. As large as the cards that discovery keeps, which are bounded there.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    by_node: BTreeMap<NodeId, BTreeSet<String>>,
    by_topic: BTreeMap<String, BTreeSet<NodeId>>,
}

impl Readers {
    /// Takes a node's newest card. Returns the topics it reads since then.
    pub(crate) fn set(&mut self, node: NodeId, topics: BTreeSet<String>) -> Vec<String> {
        let old = self.by_node.remove(&node).unwrap_or_default();
        for topic in old.difference(&topics) {
            self.remove(topic, &node);
        }
        let new: Vec<_> = topics.difference(&old).cloned().collect();
        for topic in &new {
            self.by_topic.entry(topic.clone()).or_default().insert(node);
        }
        if !topics.is_empty() {
            self.by_node.insert(node, topics);
        }
        new
    }

    pub(crate) fn any(&self, topic: &str) -> bool {
        self.by_topic.contains_key(topic)
    }

    pub(crate) fn of(&self, topic: &str) -> BTreeSet<NodeId> {
        self.by_topic.get(topic).cloned().unwrap_or_default()
    }

    /// What a node reads.
    pub(crate) fn topics(&self, node: &NodeId) -> impl Iterator<Item = &String> {
        self.by_node.get(node).into_iter().flatten()
    }

    pub(crate) fn reads(&self, node: &NodeId, topic: &str) -> bool {
        self.by_topic.get(topic).is_some_and(|nodes| nodes.contains(node))
    }

    fn remove(&mut self, topic: &str, node: &NodeId) {
        if let Some(nodes) = self.by_topic.get_mut(topic) {
            nodes.remove(node);
            if nodes.is_empty() {
                self.by_topic.remove(topic);
            }
        }
    }
}
