//! A card: what a node says of itself, signed.

use std::collections::{BTreeMap, BTreeSet};

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use crate::base::id::{Life, NodeId};

/// What a node says of itself. The newest wins: the higher life, then the higher version.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Card {
    /// Whose card it is.
    pub node: NodeId,
    /// The life it speaks of.
    pub life: Life,
    /// Raised by its owner with every change within a life.
    pub version: u64,
    /// The name people gave it. Names may repeat.
    pub name: String,
    /// Where it can be dialled.
    pub addresses: Vec<Multiaddr>,
    /// The topics it reads.
    pub topics: BTreeSet<String>,
    /// Whatever its operator wants others to know.
    pub labels: BTreeMap<String, String>,
}
