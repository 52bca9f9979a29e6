//! What adversaries can do, and which there are.

use std::time::Duration;

use super::flooder::Flooder;
use crate::base::id::NodeId;
use crate::engine::{Input, Output};
use crate::sim::scenario::Hostile;

/// What an adversary has to work with.
pub(crate) struct Mischief<'a> {
    /// Who is connected with its node.
    pub peers: &'a [NodeId],
}

/// A node that cheats.
pub(crate) trait Adversary: Send {
    /// Its node is about to hear this; false keeps it back.
    fn hears(&mut self, mischief: &Mischief<'_>, input: &mut Input) -> bool {
        let _ = (mischief, input);
        true
    }

    /// Its node wants this; what is put into `out` is done instead. Default: what the node wants.
    fn says(&mut self, mischief: &Mischief<'_>, output: Output, out: &mut Vec<Output>) {
        let _ = mischief;
        out.push(output);
    }

    /// Time between two turns; `None` for who only reacts.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// Its turn: whatever it puts into `out` is done as if its node wanted it.
    fn turn(&mut self, mischief: &Mischief<'_>, out: &mut Vec<Output>) {
        let _ = (mischief, out);
    }
}

/// The names of all adversaries.
pub(crate) const KINDS: &[&str] = &["flooder"];

/// The adversary of this name.
pub(crate) fn hire(hostile: &Hostile) -> Option<Box<dyn Adversary>> {
    match hostile.kind.as_str() {
        "flooder" => Some(Box::new(Flooder::new(hostile.rate))),
        _ => None,
    }
}
