//! gossip-mesh: a leaderless gossip framework.

pub(crate) mod base;
pub(crate) mod engine;
#[cfg(feature = "net")]
pub(crate) mod net;
pub(crate) mod protocol;

pub use base::codec::{Cbor, Codec, DecodeError, EncodeError, Json, MsgPack, Raw};
pub use base::id::{Incarnation, Life, NodeId, NotANodeId};
pub use base::key::{NetworkKey, NotANetworkKey, NotASecretKey, SecretKey};
pub use base::time::{Time, WallTime};
pub use protocol::topic::{
    Delivery, Hop, MessageId, Paths, Query, Report, Topic, TopicConfig, TopicError, TopicStats,
    Way, Which,
};
pub use multiaddr::Multiaddr;
pub use protocol::discovery::{
    Card, ConnectError, DiscoveryConfig, DiscoveryStats, Source, Topology,
};
