//! What travels, and how it is named.

use serde::{Deserialize, Serialize};

use crate::base::id::{Life, NodeId};

/// Where frames come from: each source has a tree of its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Source {
    /// Who writes them.
    #[serde(rename = "a")]
    pub author: NodeId,
    /// In which of its lives.
    #[serde(rename = "l")]
    pub life: Life,
    /// In which bucket.
    #[serde(rename = "b")]
    pub bucket: u16,
}

/// Names a frame for ever: the how-manyth of its source.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Name {
    /// Whose it is.
    pub source: Source,
    /// Counted from 1 without gaps.
    pub sequence: u64,
}

/// What travels. Cloning it must be cheap: every link gets a clone.
pub(crate) trait Frame: Clone {
    /// Its name, signed by its author.
    fn name(&self) -> Name;

    /// How many bytes it takes on a link.
    fn bytes(&self) -> usize;

    /// How many messages begin in it.
    fn messages(&self) -> usize;
}
