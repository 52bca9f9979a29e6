//! **gossip-mesh**: a leaderless gossip framework on libp2p.
//!
//! A program embeds a [`Node`]. Nodes find each other (mDNS, Kademlia, a bootstrap list, a source
//! of your own), and talk in typed topics. There is no coordinator, broker or leader: any node may
//! die at any moment and the rest goes on.
//!
//! ```no_run
//! use futures::StreamExt;
//! use gossip_mesh::{Node, Topic};
//!
//! const CHAT: Topic<String> = Topic::new("chat");
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), gossip_mesh::Error> {
//! let node = Node::builder().bootstrap("/dns4/seed.example/tcp/4001").spawn().await?;
//! let mut lines = node.subscribe(CHAT).await?;
//! node.publish(CHAT, &"hello".to_string()).await?;
//! while let Some(line) = lines.next().await {
//!     println!("{}: {}", line.author, line.value);
//! }
//! node.leave().await
//! # }
//! ```
//!
//! # What is guaranteed
//!
//! | verb | promise |
//! | --- | --- |
//! | [`Node::publish`] | best effort to all readers in reach, each gets it once; what is lost on the way is repaired for a while; waits in a bounded outbox while nobody reads the topic |
//! | [`Publish::confirmed`] | as above, and says who has it and who is missing |
//! | [`Node::publisher`] | as `publish`, for many messages: waits, or says so, while there is no room |
//! | [`Node::subscribe`] | each message once, those of an author in order; what is lost for good is told; a slow subscriber loses messages for itself alone, and is told; by name or by pattern |
//! | [`Subscribe::last`], [`since`](Subscribe::since) | first what was published before, as far as somebody keeps it; then live |
//! | [`Subscribe::group`] | each message to one member of the group, to the next when it does not confirm: at least once |
//! | [`Node::leave`] | others see *left*, not *failed* |
//!
//! Every connection is encrypted and begins with a proof of the network key, before the peer
//! learns of topics, requests or addresses. Everything is bounded; nothing is dropped without a
//! counter or an [`Event`].
//!
//! # Features
//!
//! `net` (default): the node. `api`: the local API of a node, HTTP and JSON on a Unix socket.
//! `sim`: the pretend world, module `sim`. `cli` (default): the binary `gossip`, with `api` and
//! `sim`. Without any feature only the pure part is built: the machines that decide, without
//! sockets, tasks or clocks.

#[deny(clippy::indexing_slicing)]
pub(crate) mod base;
mod config;
#[cfg_attr(
    not(feature = "net"),
    expect(dead_code, reason = "the pure part is driven by the network or a simulator")
)]
#[deny(clippy::indexing_slicing)]
pub(crate) mod engine;
#[cfg(feature = "net")]
pub(crate) mod net;
#[cfg(feature = "net")]
mod node;
#[cfg_attr(
    not(feature = "net"),
    expect(dead_code, reason = "the pure part is driven by the network or a simulator")
)]
#[deny(clippy::indexing_slicing)]
pub(crate) mod protocol;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg_attr(
    all(feature = "store", not(any(feature = "net", feature = "sim", test))),
    expect(dead_code, reason = "the pure part is driven by the network or a simulator")
)]
pub(crate) mod store;

pub use base::codec::{Cbor, Codec, DecodeError, EncodeError, Json, MsgPack, Raw};
pub use base::group::Group;
pub use base::id::{Incarnation, Life, NodeId, NotANodeId};
pub use base::key::{NetworkKey, NotANetworkKey, NotASecretKey, SecretKey};
pub use base::name::BadName;
pub use base::time::{Time, WallTime};
pub use base::trace_context::{NotATraceContext, TraceContext};
pub use config::{
    ApiConfig, Config, ConfigError, DoorConfig, GossipConfig, LinkConfig, Preset, RecorderConfig,
};
pub use engine::{
    Condition, Episode, Event, Recording, RecordingHeader, Replay, ReplayStep, Story,
};
pub use multiaddr::Multiaddr;
#[cfg(feature = "net")]
pub use net::{
    CarrierStats, Fault, FaultDirection, FaultEffect, FaultError, FaultPeer, StreamStats,
};
#[cfg(feature = "api")]
pub use node::api;
#[cfg(feature = "net")]
pub use node::{
    AddressSource, Builder, Confirmed, Durations, Error, Events, Handler, Member, Message, Node,
    Overview, Peer, Publish, Publisher, ReaderStats, Refusals, Sighting, Stats, Subscribe,
    Subscription, TopicHandle, TreeTraffic, TurnStats, Undelivered,
};
pub use protocol::discovery::{
    Card, ConnectError, Degrees, DiscoveryConfig, DiscoveryStats, Source, Topology,
};
pub use protocol::link::{LinkStats, WatchConfig};
pub use protocol::membership::{
    Alive, BadThreshold, Certificate, Finding, Flaw, GoingDownReason, MAX_VOTES, MembershipConfig,
    MembershipStats, Phase, Reprieve, SelfReset, Standing, Statement, Threshold, Verdict, Vote,
};
pub use protocol::topic::{
    Candidate, Choose, Delivery, Hop, MessageId, NotAStrategy, Paths, Query, Report, Strategy,
    Topic, TopicConfig, TopicError, TopicStats, TraceId, Way, Which,
};
pub use protocol::tree::{TreeConfig, TreeStats};
pub use store::StoreError;

#[cfg(all(doctest, feature = "net"))]
#[doc = include_str!("../README.md")]
struct Readme;
