//! Floor 0: the words every room shares. Pure, and free of libp2p, tokio, redb, clocks and entropy.

pub(crate) mod batch;
pub(crate) mod codec;
pub(crate) mod group;
pub(crate) mod id;
pub(crate) mod key;
pub(crate) mod limits;
pub(crate) mod machine;
pub(crate) mod name;
pub(crate) mod pattern;
pub(crate) mod signer;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod trace_context;
