//! Floor 4a: the real world. Translates between libp2p and the engine, never decides.
//!
//! ```text
//!   transport    TCP, QUIC, websocket or memory, sealed and multiplexed
//!      │
//!   hello        network, key, version, limits: strangers end here, with a typed `refusal`
//!      │
//!   the swarm and its behaviours
//! ```

pub(crate) mod hello;
pub(crate) mod refusal;
pub(crate) mod transport;
