//! Good-byes: made, checked, kept for those who were away.

use std::time::Duration;

use hashlink::LinkedHashMap;
use serde::{Deserialize, Serialize};

use super::wire::Left;
use crate::base::id::{Life, NodeId};
use crate::base::signer::{Signer, Verifier};
use crate::base::time::Time;

/// Keeps a signature over a good-bye from being taken for one over anything else.
const DOMAIN: &[u8] = b"gossip-mesh left 1";

impl Left {
    /// The owner of the key ends `life`, now.
    pub(crate) fn sign(signer: &mut Signer, life: Life) -> Self {
        let node = signer.me();
        Self { node, life, signature: signer.sign(&signed_bytes(node, life)), age_ms: 0 }
    }

    /// True when the one who left said so itself.
    pub(crate) fn is_genuine(&self, verifier: &Verifier) -> bool {
        verifier.verify(self.node, &signed_bytes(self.node, self.life), &self.signature)
    }

    /// How long ago it was said, as far as the teller knows.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.age_ms)
    }
}

fn signed_bytes(node: NodeId, life: Life) -> Vec<u8> {
    [DOMAIN, &node.to_bytes(), &life.0.to_be_bytes()].concat()
}

/// A good-bye, and when it is history.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Kept {
    until: Time,
    record: Left,
}

/// The good-byes of the last while, in the order of their coming.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct LeftRecords(LinkedHashMap<NodeId, Kept>);

impl LeftRecords {
    /// Keeps a record for what is left of `age`. With more than `max` the oldest makes room, and
    /// is named.
    pub fn keep(&mut self, now: Time, record: Left, age: Duration, max: usize) -> Option<NodeId> {
        let until = now + age.saturating_sub(record.age());
        self.0.remove(&record.node);
        self.0.insert(record.node, Kept { until, record });
        if self.0.len() > max { self.0.pop_front().map(|(node, _)| node) } else { None }
    }

    /// The node is back: its good-bye is history.
    pub fn drop_of(&mut self, node: NodeId) {
        self.0.remove(&node);
    }

    pub fn holds(&self, node: NodeId) -> bool {
        self.0.contains_key(&node)
    }

    /// Drops what is history, and names whose it was.
    pub fn expire(&mut self, now: Time) -> Vec<NodeId> {
        let mut expired = Vec::new();
        self.0.retain(|node, kept| {
            let stays = now < kept.until;
            if !stays {
                expired.push(*node);
            }
            stays
        });
        expired
    }

    /// All of them as they are told: with the age they have by now.
    pub fn tell(&self, now: Time, age: Duration) -> Vec<Left> {
        let told = |kept: &Kept| {
            let left = kept.until.since(now);
            let age = age.saturating_sub(left).as_millis();
            Left { age_ms: u64::try_from(age).unwrap_or(u64::MAX), ..kept.record.clone() }
        };
        self.0.values().map(told).collect()
    }
}
