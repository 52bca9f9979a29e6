//! What a node does when it is asked as a witness, and when it must not suspect.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::id::{Incarnation, NodeId};
use crate::base::time::Time;

/// Most rounds one look at a node answers.
pub const MAX_ASKERS: usize = 8;

/// Whom to tell what was found, and in which round.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Asker {
    pub node: NodeId,
    pub round: u64,
    /// The subject's clock as the asker reckons it.
    pub tick: u64,
}

/// A look at a node on behalf of others.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Check {
    pub incarnation: Incarnation,
    pub misses: u32,
    pub askers: Vec<Asker>,
    /// In a large mesh: whether this node hears from most of it, once it knows.
    pub guard: Option<bool>,
}

/// A time in which a node is not suspected from here.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hold {
    pub until: Time,
    /// How long the last hold of a broken link was; the next is twice that.
    pub length: Duration,
    /// Rounds about it that ended without a verdict.
    pub attempts: u32,
    /// No verdict is possible, and that was told.
    pub hopeless: bool,
}
