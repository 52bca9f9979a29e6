//! Who among the other nodes reads what, by their cards.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::group::{Group, Interests};
use crate::base::id::NodeId;
use crate::base::pattern::{ALL, is_pattern, matches};

/// Most patterns of all nodes together: a topic is compared with each. Any further one counts as
/// `>` until its node's next card: too much is sent then, and nothing too little. (Guess: so
/// many comparisons take some ten microseconds.)
pub(crate) const MAX_PATTERNS: usize = 1_024;

/// The readers of every topic. As large as the cards that discovery keeps, which are bounded there.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    by_node: BTreeMap<NodeId, Interests>,
    exact: BTreeMap<String, Audience>,
    patterns: BTreeMap<String, Audience>,
    /// How many times a node reads something in a group.
    grouped: usize,
}

/// Who reads by one name.
#[derive(Debug, Default)]
struct Audience {
    /// In no group.
    all: BTreeSet<NodeId>,
    groups: BTreeMap<Group, BTreeSet<NodeId>>,
}

impl Readers {
    /// Takes what a node reads by its newest card. Returns the names by which it reads more.
    pub(crate) fn set(&mut self, node: NodeId, interests: Interests) -> BTreeSet<String> {
        let interests = self.bounded(interests);
        let old = self.by_node.remove(&node).unwrap_or_default();
        for (name, group) in wishes(&old).filter(|wish| !has(&interests, *wish)) {
            self.remove(name, group, &node);
        }
        let mut new = BTreeSet::new();
        for (name, group) in wishes(&interests).filter(|wish| !has(&old, *wish)) {
            self.add(name, group, node);
            new.insert(name.clone());
        }
        if !interests.is_empty() {
            self.by_node.insert(node, interests);
        }
        new
    }

    /// Whether anybody reads the topic.
    pub(crate) fn any(&self, topic: &str) -> bool {
        self.audiences(topic).next().is_some()
    }

    /// Who reads the topic in no group.
    pub(crate) fn of(&self, topic: &str) -> BTreeSet<NodeId> {
        self.audiences(topic).flat_map(|audience| &audience.all).copied().collect()
    }

    /// Who reads the topic, in a group or in none. A pattern is asked for by its own name.
    pub(crate) fn everyone(&self, topic: &str) -> BTreeSet<NodeId> {
        let own = self.patterns.get(topic).filter(|_| is_pattern(topic));
        let audiences = self.audiences(topic).filter(|_| !is_pattern(topic)).chain(own);
        audiences.flat_map(|a| a.all.iter().chain(a.groups.values().flatten())).copied().collect()
    }

    /// Whether any node reads anything in a group.
    pub(crate) fn has_groups(&self) -> bool {
        self.grouped > 0
    }

    /// The groups that read the topic, and their members.
    pub(crate) fn groups(&self, topic: &str) -> BTreeMap<Group, BTreeSet<NodeId>> {
        let mut groups: BTreeMap<Group, BTreeSet<NodeId>> = BTreeMap::new();
        for (group, members) in self.audiences(topic).flat_map(|audience| &audience.groups) {
            groups.entry(group.clone()).or_default().extend(members);
        }
        groups
    }

    /// The members of a group that reads the topic.
    pub(crate) fn members(&self, topic: &str, group: &Group) -> BTreeSet<NodeId> {
        self.audiences(topic).filter_map(|a| a.groups.get(group)).flatten().copied().collect()
    }

    /// The topics and patterns of a node.
    pub(crate) fn names(&self, node: &NodeId) -> impl Iterator<Item = &String> {
        self.by_node.get(node).into_iter().flat_map(Interests::names)
    }

    /// Whether a node reads the topic, in a group or in none.
    pub(crate) fn reads(&self, node: &NodeId, topic: &str) -> bool {
        self.by_node.get(node).is_some_and(|interests| {
            interests.topics.contains(topic)
                || interests.groups.contains_key(topic)
                || interests.names().any(|name| is_pattern(name) && matches(name, topic))
        })
    }

    fn audiences(&self, topic: &str) -> impl Iterator<Item = &Audience> {
        let patterns = self.patterns.iter().filter(move |(pattern, _)| matches(pattern, topic));
        self.exact.get(topic).into_iter().chain(patterns.map(|(_, audience)| audience))
    }

    /// With `>` in place of patterns that there is no room for.
    fn bounded(&self, mut interests: Interests) -> Interests {
        // What cards say is checked where they are read; other doors may not be so strict.
        if !interests.is_valid() {
            return Interests::default();
        }
        let held = self.patterns.len() - usize::from(self.patterns.contains_key(ALL));
        let mut room = MAX_PATTERNS.saturating_sub(held);
        let mut fits = |name: &String| {
            let known = !is_pattern(name) || name == ALL || self.patterns.contains_key(name);
            let fits = known || room > 0;
            room = room.saturating_sub(usize::from(!known));
            fits
        };
        let too_many: BTreeSet<String> =
            interests.names().filter(|name| !fits(name)).cloned().collect();
        for name in too_many {
            if interests.topics.remove(&name) {
                interests.topics.insert(ALL.to_owned());
            }
            if let Some(groups) = interests.groups.remove(&name) {
                interests.groups.entry(ALL.to_owned()).or_default().extend(groups);
            }
        }
        interests
    }

    fn add(&mut self, name: &str, group: Option<&Group>, node: NodeId) {
        let table = if is_pattern(name) { &mut self.patterns } else { &mut self.exact };
        let audience = table.entry(name.to_owned()).or_default();
        match group {
            None => audience.all.insert(node),
            Some(group) => {
                self.grouped += 1;
                audience.groups.entry(group.clone()).or_default().insert(node)
            }
        };
    }

    fn remove(&mut self, name: &str, group: Option<&Group>, node: &NodeId) {
        let table = if is_pattern(name) { &mut self.patterns } else { &mut self.exact };
        let Some(audience) = table.get_mut(name) else { return };
        match group {
            None => drop(audience.all.remove(node)),
            Some(group) => {
                self.grouped = self.grouped.saturating_sub(1);
                if let Some(members) = audience.groups.get_mut(group) {
                    members.remove(node);
                    if members.is_empty() {
                        audience.groups.remove(group);
                    }
                }
            }
        }
        if audience.all.is_empty() && audience.groups.is_empty() {
            table.remove(name);
        }
    }
}

/// Each name, with each group or without one.
fn wishes(interests: &Interests) -> impl Iterator<Item = (&String, Option<&Group>)> {
    let grouped = interests.groups.iter();
    let grouped = grouped.flat_map(|(name, groups)| groups.iter().map(move |g| (name, Some(g))));
    interests.topics.iter().map(|name| (name, None)).chain(grouped)
}

fn has(interests: &Interests, (name, group): (&String, Option<&Group>)) -> bool {
    match group {
        None => interests.topics.contains(name),
        Some(group) => interests.groups.get(name).is_some_and(|groups| groups.contains(group)),
    }
}
