//! The paths of the local API. Each handler is a verb of [`Node`] in other clothes.

use std::num::NonZeroU8;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use super::metrics::{self as measured, Metric, OPEN_METRICS};
use super::stream;
use super::view::{
    ConnectRequest, MemberView, MessageView, NeighboursRequest, NodeReference, NodeView, PeerView,
    Problem, PublishReply, PublishRequest, ReportView,
};
use crate::base::codec::Raw;
use crate::base::id::NotANodeId;
use crate::engine::Story;
use crate::net::{Fault, FaultError};
use crate::node::weak::WeakNode;
use crate::node::{Error, Node};
use crate::protocol::discovery::Topology;
use crate::protocol::topic::{NotAStrategy, Query, Topic, TopicError};

#[derive(OpenApi)]
#[openapi(
    paths(
        node,
        peers,
        members,
        why,
        metrics,
        recording,
        publish,
        messages,
        connect,
        disconnect,
        forget,
        neighbours,
        faults,
        disturb,
        leave,
        stream::subscribe,
        stream::events
    ),
    components(schemas(Problem, Metric)),
    info(title = "Local API of a gossip-mesh node")
)]
struct Description;

/// All paths, for this node.
pub fn router(node: &Node) -> Router {
    // base64 is 4/3 of the payload; the rest of a body is small.
    let largest = node.config().topic.max_message_bytes * 4 / 3 + 64 * 1024;
    Router::new()
        .route("/v1/node", get(self::node))
        .route("/v1/peers", get(peers))
        .route("/v1/members", get(members))
        .route("/v1/why/{node}", get(why))
        .route("/v1/metrics", get(self::metrics))
        .route("/v1/recording", get(recording))
        .route("/v1/publish", post(publish))
        .route("/v1/messages", post(messages))
        .route("/v1/subscribe", get(stream::subscribe))
        .route("/v1/events", get(stream::events))
        .route("/v1/connect", post(connect))
        .route("/v1/disconnect", post(disconnect))
        .route("/v1/forget", post(forget))
        .route("/v1/neighbours", post(neighbours))
        .route("/v1/faults", get(faults).post(disturb))
        .route("/v1/leave", post(leave))
        .route("/v1/openapi.json", get(async || Json(Description::openapi())))
        .fallback(async || Failure::new(StatusCode::NOT_FOUND, "there is no such path"))
        .layer(DefaultBodyLimit::max(largest))
        .with_state(node.downgrade())
}

/// An answer that is a problem.
pub struct Failure(StatusCode, String);

impl Failure {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self(status, error.into())
    }

    pub fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            Error::Topic(TopicError::NobodyReads { .. }) => StatusCode::CONFLICT,
            Error::Topic(_) | Error::Config(_) | Error::Encode(_) => StatusCode::BAD_REQUEST,
            Error::Connect(_) | Error::NotRecorded => StatusCode::CONFLICT,
            Error::Fault(FaultError::Off) => StatusCode::FORBIDDEN,
            Error::Fault(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { error: self.1 })).into_response()
    }
}

/// A JSON body whose mistakes are told like all other problems.
///
/// Unlike axum's own `Json` it does not insist on a content type: only who can open the socket, or
/// has the token, gets this far.
pub struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Failure::new(rejection.status(), rejection.body_text()))?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Failure::bad(format!("the body is not what is expected: {error}")))
    }
}

type Answer<T> = Result<Json<T>, Failure>;

/// This node.
#[utoipa::path(get, path = "/v1/node", responses((status = 200, body = NodeView)))]
async fn node(State(node): State<WeakNode>) -> Answer<NodeView> {
    Ok(Json(node.upgrade()?.overview().await?.into()))
}

/// All other nodes known.
#[utoipa::path(get, path = "/v1/peers", responses((status = 200, body = Vec<PeerView>)))]
async fn peers(State(node): State<WeakNode>) -> Answer<Vec<PeerView>> {
    Ok(Json(node.upgrade()?.peers().await?.into_iter().map(PeerView::from).collect()))
}

/// All members, this node too, and how they stand as seen from here.
#[utoipa::path(get, path = "/v1/members", responses((status = 200, body = Vec<MemberView>)))]
async fn members(State(node): State<WeakNode>) -> Answer<Vec<MemberView>> {
    Ok(Json(node.upgrade()?.members().await?.into_iter().map(MemberView::from).collect()))
}

/// Why a node stands as it stands, as seen from here.
#[utoipa::path(
    get, path = "/v1/why/{node}", params(("node" = String, Path, description = "its id")),
    responses((status = 200, description = "its story"), (status = 400, body = Problem))
)]
async fn why(State(node): State<WeakNode>, Path(about): Path<String>) -> Answer<Story> {
    let about = about.parse().map_err(|error: NotANodeId| Failure::bad(error.to_string()))?;
    Ok(Json(node.upgrade()?.why(about).await?))
}

/// What this node measures, for Prometheus; as JSON where `accept` names `application/json`.
#[utoipa::path(
    get, path = "/v1/metrics",
    responses((
        status = 200, description = "all metrics",
        content(
            (String = "application/openmetrics-text"),
            (Vec<Metric> = "application/json"),
        )
    ))
)]
async fn metrics(State(node): State<WeakNode>, headers: HeaderMap) -> Result<Response, Failure> {
    let node = node.upgrade()?;
    let (overview, peers) = (node.overview().await?, node.peers().await?);
    let metrics = measured::metrics(&overview, &peers);
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|kinds| kinds.contains("application/json")) {
        return Ok(Json(metrics).into_response());
    }
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], measured::text(metrics)).into_response())
}

/// What the flight recorder of membership holds.
#[utoipa::path(
    get, path = "/v1/recording",
    responses(
        (status = 200, description = "a recording", content_type = "application/cbor-seq"),
        (status = 409, body = Problem),
    )
)]
async fn recording(State(node): State<WeakNode>) -> Result<Response, Failure> {
    let recording = node.upgrade()?.recording().await?;
    let kind = [(header::CONTENT_TYPE, "application/cbor-seq")];
    Ok((kind, recording.to_bytes()).into_response())
}

/// Publish a message. The header `traceparent` of W3C Trace Context goes with it; as the standard
/// wants it, one that cannot be read is passed over.
#[utoipa::path(
    post, path = "/v1/publish", request_body = PublishRequest,
    params(("traceparent" = Option<String>, Header, description = "the trace it belongs to")),
    responses((status = 200, body = PublishReply), (status = 400, body = Problem))
)]
async fn publish(
    State(node): State<WeakNode>,
    headers: HeaderMap,
    Body(request): Body<PublishRequest>,
) -> Answer<PublishReply> {
    let payload = request.payload().map_err(Failure::bad)?;
    let relays = NonZeroU8::new(request.relays.unwrap_or(1))
        .ok_or_else(|| Failure::bad("`relays` must be 1 to 255"))?;
    let topic: Topic<Vec<u8>, Raw> = Topic::named(request.topic);
    let topic = if request.foreign { topic.foreign() } else { topic };
    let topic = if request.compressed { topic.compressed() } else { topic };
    let publish = node.upgrade()?.publish(topic, &payload).relays(relays);
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let publish = match traceparent.and_then(|text| text.trim().parse().ok()) {
        Some(context) => publish.trace_context(context),
        None => publish,
    };
    let publish = match request.strategy {
        None => publish,
        Some(name) => {
            let chosen =
                name.parse().map_err(|error: NotAStrategy| Failure::bad(error.to_string()));
            publish.strategy(chosen?)
        }
    };
    let publish = if request.if_read { publish.if_read() } else { publish };
    Ok(Json(match request.confirm_ms {
        None => PublishReply { id: publish.await?, report: None },
        Some(within) => {
            let sent = publish.confirmed(Duration::from_millis(within)).await?;
            PublishReply { id: sent.id, report: Some(ReportView::from(sent.report)) }
        }
    }))
}

/// Read kept messages, oldest first.
#[utoipa::path(
    post, path = "/v1/messages", request_body(content = Object, description = "a query"),
    responses((status = 200, body = Vec<MessageView>))
)]
async fn messages(
    State(node): State<WeakNode>,
    Body(query): Body<Query>,
) -> Answer<Vec<MessageView>> {
    Ok(Json(node.upgrade()?.messages(query).await?.into_iter().map(MessageView::from).collect()))
}

/// Link with whoever lives at an address.
#[utoipa::path(
    post, path = "/v1/connect", request_body = ConnectRequest,
    responses((status = 200, body = NodeReference), (status = 409, body = Problem))
)]
async fn connect(
    State(node): State<WeakNode>,
    Body(request): Body<ConnectRequest>,
) -> Answer<NodeReference> {
    let address = request
        .address
        .parse()
        .map_err(|error| Failure::bad(format!("`{}`: {error}", request.address)))?;
    Ok(Json(NodeReference { node: node.upgrade()?.connect(address).await? }))
}

/// Close a link, and do not dial again.
#[utoipa::path(
    post, path = "/v1/disconnect", request_body = NodeReference, responses((status = 200))
)]
async fn disconnect(
    State(node): State<WeakNode>,
    Body(NodeReference { node: id }): Body<NodeReference>,
) -> Answer<()> {
    Ok(Json(node.upgrade()?.disconnect(id).await?))
}

/// Forget a node that is gone for good.
#[utoipa::path(
    post, path = "/v1/forget", request_body = NodeReference, responses((status = 200))
)]
async fn forget(
    State(node): State<WeakNode>,
    Body(NodeReference { node: id }): Body<NodeReference>,
) -> Answer<()> {
    Ok(Json(node.upgrade()?.forget(id).await?))
}

/// Change the neighbours, where they are given.
#[utoipa::path(
    post, path = "/v1/neighbours", request_body = NeighboursRequest,
    responses((status = 200), (status = 400, body = Problem))
)]
async fn neighbours(
    State(node): State<WeakNode>,
    Body(request): Body<NeighboursRequest>,
) -> Answer<()> {
    let NeighboursRequest { neighbours, degrees } = request;
    let topology = match degrees {
        Some(degrees) => Topology::Mending { neighbours, degrees },
        None => Topology::Fixed(neighbours),
    };
    Ok(Json(node.upgrade()?.rewire(topology).await?))
}

/// The faults in force.
#[utoipa::path(
    get, path = "/v1/faults",
    responses((status = 200, body = Vec<Object>, description = "faults as they can be set"))
)]
async fn faults(State(node): State<WeakNode>) -> Answer<Vec<Fault>> {
    Ok(Json(node.upgrade()?.faults().await?))
}

/// Disturb links on purpose, or end that: all of these, in this order, or none.
#[utoipa::path(
    post, path = "/v1/faults",
    request_body(content = Vec<Object>, description = "faults: `peer`, `direction`, `effect`"),
    responses(
        (status = 200),
        (status = 400, body = Problem),
        (status = 403, body = Problem, description = "the node was not started with `faults`")
    )
)]
async fn disturb(State(node): State<WeakNode>, Body(faults): Body<Vec<Fault>>) -> Answer<()> {
    Ok(Json(node.upgrade()?.disturb(faults).await?))
}

/// Say good-bye to all and stop. The answer comes when all know it; then the node is gone.
#[utoipa::path(post, path = "/v1/leave", responses((status = 200)))]
async fn leave(State(node): State<WeakNode>) -> Answer<()> {
    Ok(Json(node.upgrade()?.leave().await?))
}
