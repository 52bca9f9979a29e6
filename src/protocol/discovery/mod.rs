//! The discovery room (contract; the spec is written here).

pub(crate) mod card;
pub(crate) mod config;
pub(crate) mod machine;
pub(crate) mod wire;
