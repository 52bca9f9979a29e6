//! Probing many members to learn how this node itself stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::id::NodeId;

/// What for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Purpose {
    /// Others reach whom this node suspected: is it this node that is broken?
    SelfDoubt,
    /// In a large mesh: does this node hear from most of it?
    Guard,
}

/// Probes of several members, counted together.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Sweep {
    /// Misses so far of those not decided.
    open: BTreeMap<NodeId, u32>,
    pub answered: u32,
    pub silent: u32,
    /// Answers that are enough; 0 when all are wanted.
    pub needed: u32,
    tries: u32,
}

impl Sweep {
    /// Each is tried this often.
    pub fn new(nodes: &[NodeId], tries: u32) -> Self {
        let open = nodes.iter().map(|node| (*node, 0)).collect();
        Self { open, answered: 0, silent: 0, needed: 0, tries }
    }

    pub fn wants(&self, node: NodeId) -> bool {
        self.open.contains_key(&node)
    }

    pub fn answered(&mut self, node: NodeId) {
        if self.open.remove(&node).is_some() {
            self.answered += 1;
        }
    }

    pub fn missed(&mut self, node: NodeId) {
        let Some(misses) = self.open.get_mut(&node) else { return };
        *misses += 1;
        if *misses >= self.tries {
            self.open.remove(&node);
            self.silent += 1;
        }
    }

    pub const fn is_enough(&self) -> bool {
        self.needed > 0 && self.answered >= self.needed
    }

    pub fn is_done(&self) -> bool {
        self.open.is_empty()
    }
}
