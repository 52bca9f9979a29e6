//! Good-byes: made, checked, kept for those who were away.

use std::time::Duration;

use hashlink::LinkedHashMap;

use super::wire::Left;
use crate::base::id::{Life, NodeId};
use crate::base::key::SecretKey;
use crate::base::time::Time;

/// Keeps a signature over a good-bye from being taken for one over anything else.
const DOMAIN: &[u8] = b"gossip-mesh left 1";

impl Left {
    /// The owner of `key` ends `life`.
    pub fn sign(key: &SecretKey, life: Life) -> Self {
        let node = key.id();
        Self { node, life, signature: key.sign(&signed_bytes(node, life)) }
    }

    /// True when the one who left said so itself.
    pub fn is_genuine(&self) -> bool {
        self.node.verify(&signed_bytes(self.node, self.life), &self.signature)
    }
}

fn signed_bytes(node: NodeId, life: Life) -> Vec<u8> {
    [DOMAIN, &node.to_bytes(), &life.0.to_be_bytes()].concat()
}

/// The good-byes of the last while, oldest first.
#[derive(Debug, Default)]
pub struct LeftRecords(LinkedHashMap<NodeId, (Time, Left)>);

impl LeftRecords {
    /// Keeps a record; the oldest makes room when there are `max`.
    pub fn keep(&mut self, now: Time, record: Left, max: usize) {
        self.0.remove(&record.node);
        self.0.insert(record.node, (now, record));
        while self.0.len() > max {
            self.0.pop_front();
        }
    }

    /// The node is back: its good-bye is history.
    pub fn drop_of(&mut self, node: NodeId) {
        self.0.remove(&node);
    }

    /// Those not older than `age`.
    pub fn recent(&self, now: Time, age: Duration) -> Vec<Left> {
        self.0
            .values()
            .filter(|(at, _)| now.since(*at) <= age)
            .map(|(_, record)| record.clone())
            .collect()
    }
}
