//! One copy of every node's name, shared by all that mentions it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::id::NodeId;

/// Names held before those nobody mentions any more are looked for.
const FIRST_SWEEP: usize = 1_024;

/// A name has 80 bytes, a shared one 8. Holds at most twice the names that are mentioned somewhere.
#[derive(Debug)]
pub(crate) struct Names {
    known: BTreeSet<Arc<NodeId>>,
    next_sweep: usize,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { known: BTreeSet::new(), next_sweep: FIRST_SWEEP }
    }

    /// The shared form of a name.
    pub(crate) fn share(&mut self, node: NodeId) -> Arc<NodeId> {
        if let Some(known) = self.known.get(&node) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.next_sweep {
            self.known.retain(|name| Arc::strong_count(name) > 1);
            self.next_sweep = (self.known.len() * 2).max(FIRST_SWEEP);
        }
        let shared = Arc::new(node);
        self.known.insert(Arc::clone(&shared));
        shared
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }
}
