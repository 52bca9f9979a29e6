//! Floor 2: the rooms. Each decides one thing, and none knows another.

pub(crate) mod discovery;
pub(crate) mod link;
pub(crate) mod membership;
pub(crate) mod topic;
pub(crate) mod tree;
