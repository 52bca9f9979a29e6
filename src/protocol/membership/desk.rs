//! What was asked of whom and why, and what waits for a link.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::wire::Message;
use crate::base::id::NodeId;
use crate::base::token::{Token, Tokens};

/// Most questions that wait for a link with one peer; more are dropped, oldest first.
const MAX_WAITING: usize = 32;

/// Why something was asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Errand {
    /// Is it there?
    Probe,
    /// What does it find of this one?
    Query(NodeId),
    /// Tell it what was found, or that it is suspected. The answer means nothing.
    Notice,
    /// Take me in.
    Join,
    /// The next records.
    Fetch,
    /// Vouch for me.
    Vouch,
    /// Note that I leave.
    GoodBye,
}

/// Questions under way and questions waiting.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Desk {
    linked: BTreeSet<NodeId>,
    waiting: BTreeMap<NodeId, Vec<(Message, Errand)>>,
    asked: BTreeMap<Token, (NodeId, Errand)>,
    tokens: Tokens,
}

impl Desk {
    pub fn is_linked(&self, peer: NodeId) -> bool {
        self.linked.contains(&peer)
    }

    pub fn linked(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.linked.iter().copied()
    }

    /// A link is up: gives what waited for it.
    pub fn link(&mut self, peer: NodeId) -> Vec<(Message, Errand)> {
        self.linked.insert(peer);
        self.waiting.remove(&peer).unwrap_or_default()
    }

    pub fn unlink(&mut self, peer: NodeId) {
        self.linked.remove(&peer);
    }

    /// Waits for a link. True when nothing waited for it yet.
    pub fn wait(&mut self, peer: NodeId, message: Message, errand: Errand) -> bool {
        let waiting = self.waiting.entry(peer).or_default();
        if waiting.len() >= MAX_WAITING {
            waiting.remove(0);
        }
        waiting.push((message, errand));
        waiting.len() == 1
    }

    /// No link can be had: gives what waited for it.
    pub fn give_up(&mut self, peer: NodeId) -> Vec<(Message, Errand)> {
        self.waiting.remove(&peer).unwrap_or_default()
    }

    /// Notes a question that is asked now.
    pub fn ask(&mut self, peer: NodeId, errand: Errand) -> Token {
        let token = self.tokens.next();
        self.asked.insert(token, (peer, errand));
        token
    }

    /// A question is settled: whom it was asked of, and why.
    pub fn settle(&mut self, token: Token) -> Option<(NodeId, Errand)> {
        self.asked.remove(&token)
    }
}
