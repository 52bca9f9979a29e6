//! The local API of a node: HTTP and JSON on a Unix socket in the data folder, and on a TCP address
//! where asked, with a bearer token. It is a door into one node, not a coordinator.
//!
//! | path | what it does |
//! | --- | --- |
//! | `GET /v1/node` | this node: [`NodeView`] |
//! | `GET /v1/peers` | all other nodes known: a list of [`PeerView`] |
//! | `GET /v1/members` | all members, this node too, and how they stand: a list of [`MemberView`] |
//! | `GET /v1/why/{node}` | why a node stands as it stands: a [`Story`](crate::Story) |
//! | `GET /v1/metrics` | what it measures: OpenMetrics text for Prometheus, or a list of [`Metric`] where `accept` names `application/json` |
//! | `GET /v1/recording` | what the flight recorder holds: the bytes of a [`Recording`](crate::Recording) |
//! | `POST /v1/publish` | publish a message: [`PublishRequest`] to [`PublishReply`] |
//! | `POST /v1/messages` | read kept messages: [`Query`](crate::Query) to a list of [`MessageView`] |
//! | `GET /v1/subscribe?topic=…&own=true&group=…` | messages as they come: server-sent events, each a [`MessageView`] |
//! | `GET /v1/events` | what happens: server-sent events, each an [`Event`](crate::Event) |
//! | `POST /v1/connect` | link with an address: [`ConnectRequest`] to [`NodeReference`] |
//! | `POST /v1/disconnect`, `POST /v1/forget` | for a [`NodeReference`] |
//! | `POST /v1/neighbours` | change the neighbours, where they are given: [`NeighboursRequest`] |
//! | `GET /v1/faults` | the faults in force: a list of [`Fault`](crate::Fault) |
//! | `POST /v1/faults` | disturb links on purpose: a list of [`Fault`](crate::Fault), all or none |
//! | `POST /v1/leave` | say good-bye and stop |
//! | `GET /v1/openapi.json` | this, for programs |
//!
//! Errors have a status of 400 or above and the body [`Problem`]. Bodies are at most the largest
//! message in base64 and a little more. Streams end when the node stops.

mod metrics;
mod routes;
mod serve;
mod stream;
mod tcp;
mod view;

pub use metrics::{Metric, MetricKind, Reading, Sample};
pub(super) use serve::serve;
pub use view::{
    ConnectRequest, MemberView, MessageView, NeighboursRequest, NodeReference, NodeView, PeerView,
    Problem, PublishReply, PublishRequest, ReportView,
};
