//! What a machine wants remembered.

/// Which kind of rows. Each is a table of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Space {
    /// What the node knows of itself: its life.
    Node,
}

/// One change of the store. Those given together become visible together or not at all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Op {
    /// Remember this value under this key.
    Put {
        /// Where.
        space: Space,
        /// Under which key.
        key: Vec<u8>,
        /// What.
        value: Vec<u8>,
    },
}
