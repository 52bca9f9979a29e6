//! Queue groups: who shares messages with whom, and who was chosen to get one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::NodeId;
use super::name::check_name;
use super::pattern::check_readable;

/// Longest name of a group or a host, in bytes. With [`MAX_CHOSEN`] of them the head of a message
/// stays below its limit. (Guess: DNS labels have 63.)
pub(crate) const MAX_GROUP_NAME: usize = 64;

/// Most members that one message names. A message for more groups is sent again for the rest.
pub(crate) const MAX_CHOSEN: usize = 12;

/// A queue group: of its members one gets each message of a topic that they read in it.
///
/// Written `workers`, or `workers@kitchen` for the members of one host.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Group {
    /// The name, 1 to 64 bytes without control characters.
    #[serde(rename = "n")]
    pub name: String,
    /// The host its members share, when groups are formed by name and host.
    #[serde(default, rename = "h", skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Group {
    /// Whether name and host keep their rules.
    pub(crate) fn is_valid(&self) -> bool {
        let fits = |name: &String| name.len() <= MAX_GROUP_NAME && check_name(name).is_ok();
        fits(&self.name) && self.host.as_ref().is_none_or(fits)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.host.as_ref().map_or(Ok(()), |host| write!(f, "@{host}"))
    }
}

/// What a node reads: topics and patterns, in no group and in groups.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Interests {
    /// Read in no group: all messages are wanted.
    pub topics: BTreeSet<String>,
    /// Read in groups: messages are wanted that name this node.
    pub groups: BTreeMap<String, BTreeSet<Group>>,
}

impl Interests {
    /// Whether nothing is read.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.groups.is_empty()
    }

    /// All topics and patterns, each once.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        let grouped = self.groups.keys().filter(|name| !self.topics.contains(*name));
        self.topics.iter().chain(grouped)
    }

    /// Whether each part keeps its rules.
    pub(crate) fn is_valid(&self) -> bool {
        self.names().all(|name| check_readable(name).is_ok())
            && self.groups.values().flatten().all(Group::is_valid)
    }
}

impl From<BTreeSet<String>> for Interests {
    fn from(topics: BTreeSet<String>) -> Self {
        Self { topics, groups: BTreeMap::new() }
    }
}

/// Which members of groups a message is for, as its author says it in the message's head. Readers
/// in no group get it whatever this says, but for messages that are sent again.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Chosen {
    /// It is for every member of every group.
    #[serde(default, rename = "a", skip_serializing_if = "is_false")]
    pub(crate) all: bool,
    /// Of each group one member; at most [`MAX_CHOSEN`].
    #[serde(default, rename = "m", skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<(Group, NodeId)>,
    /// The number of the message that this one stands for, of the same author, life and topic: who
    /// was named then did not confirm. It is for nobody but the members named here.
    #[serde(default, rename = "i", skip_serializing_if = "Option::is_none")]
    pub(crate) again: Option<u64>,
}

impl Chosen {
    /// Whether it keeps the rules that its types do not say, in a message of this number.
    pub(crate) fn is_valid(&self, number: u64) -> bool {
        (self.names_nobody() || !self.all)
            && self.members.len() <= MAX_CHOSEN
            && self.members.iter().all(|(group, _)| group.is_valid())
            && self.again.is_none_or(|first| (1..number).contains(&first))
    }

    /// Whether it is for no member in particular.
    pub(crate) const fn names_nobody(&self) -> bool {
        self.members.is_empty() && self.again.is_none()
    }

    /// The groups in which it is for this node.
    pub(crate) fn groups_of(&self, node: NodeId) -> impl Iterator<Item = &Group> {
        self.members.iter().filter(move |(_, member)| *member == node).map(|(group, _)| group)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants this signature")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
