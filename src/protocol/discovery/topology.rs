//! Whom a node wants to be linked with.

use std::collections::BTreeMap;

use multiaddr::Multiaddr;
use serde::{Deserialize, Serialize};

use crate::base::id::NodeId;

/// Whom a node wants to be linked with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// With as many as `target_links` says, whoever they are. gossipsub keeps its own mesh.
    Open,
    /// With exactly these neighbours, and topics travel only to them: what is published, what is
    /// repaired and what late joiners get. Members that watch each other over other links keep
    /// topics off them.
    Fixed(BTreeMap<NodeId, Vec<Multiaddr>>),
    /// With these neighbours to begin with, and topics travel only to neighbours. Those that are
    /// lost are replaced by others that mend their neighbourhoods too.
    Mending {
        /// The first neighbours.
        neighbours: BTreeMap<NodeId, Vec<Multiaddr>>,
        /// How many to have.
        degrees: Degrees,
    },
}

/// How many neighbours a node keeps.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Degrees {
    /// With fewer living neighbours it looks for others.
    pub min: usize,
    /// With as many it takes no more. It should be above `min`: with both the same, and an odd
    /// number of nodes that want an odd number each, somebody stays one short.
    pub max: usize,
}

impl Topology {
    /// True when the node links with whomever it knows and gossipsub chooses among them.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// What cannot be, in a sentence.
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        let crossed = self.degrees().is_some_and(|Degrees { min, max }| min > max);
        crossed.then_some(
            "`topology.mending.degrees` has a `min` above its `max`, so a node would ask and take \
             nobody in: lower `min` or raise `max`",
        )
    }

    /// The neighbours it begins with; none in the open topology.
    pub fn neighbours(&self) -> impl Iterator<Item = NodeId> + '_ {
        let map = match self {
            Self::Open => None,
            Self::Fixed(neighbours) | Self::Mending { neighbours, .. } => Some(neighbours),
        };
        map.into_iter().flat_map(|neighbours| neighbours.keys().copied())
    }

    /// How many neighbours to keep, where they are replaced.
    pub(super) fn degrees(&self) -> Option<Degrees> {
        match self {
            Self::Open | Self::Fixed(_) => None,
            Self::Mending { degrees, .. } => Some(*degrees),
        }
    }

    /// The neighbours it begins with, and where they live; `None` in the open topology.
    pub(super) fn into_neighbours(self) -> Option<BTreeMap<NodeId, Vec<Multiaddr>>> {
        match self {
            Self::Open => None,
            Self::Fixed(neighbours) | Self::Mending { neighbours, .. } => Some(neighbours),
        }
    }
}
