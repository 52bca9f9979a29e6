//! The topic room (contract; the spec is written here).

pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod machine;
pub(crate) mod wire;
