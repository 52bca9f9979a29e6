//! Messages as they come and go over the local API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::micros;
use crate::base::id::NodeId;
use crate::base::trace_context::TraceContext;
use crate::node::Message;
use crate::protocol::topic::{Delivery, MessageId, Report, Way};

/// A message to publish: its payload as `text` or as `payload_base64`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PublishRequest {
    /// The topic's name.
    pub topic: String,
    /// The payload, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The payload, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// How often every neighbour passes it on; 1 to 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relays: Option<u8>,
    /// Doors carry the topic too.
    pub foreign: bool,
    /// Compress it on the wire.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compressed: bool,
    /// How the member is chosen that gets it in a queue group: `round-robin`, `random`,
    /// `least-recent` or `all`. Default `round-robin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Refuse it while no other node reads the topic.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub if_read: bool,
    /// Ask the readers to confirm, and wait this long for the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_ms: Option<u64>,
}

/// What became of a publish.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PublishReply {
    /// Names the message.
    #[schema(value_type = Object)]
    pub id: MessageId,
    /// How far it came, when confirmations were asked for.
    pub report: Option<ReportView>,
}

/// Who has a message.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ReportView {
    /// Readers that confirmed.
    #[schema(value_type = Vec<String>)]
    pub holders: Vec<NodeId>,
    /// Readers that did not confirm in time.
    #[schema(value_type = Vec<String>)]
    pub missing: Vec<NodeId>,
    /// From acceptance to the last confirmation.
    pub elapsed_us: u64,
}

/// A message that was received.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct MessageView {
    /// Names it.
    #[schema(value_type = Object)]
    pub id: MessageId,
    /// The author outside the members, when it came in through a door.
    pub foreign_author: Option<String>,
    /// When it was sent, on the author's clock; microseconds since 1970.
    pub sent_us: u64,
    /// When the first copy came, on this node's clock; microseconds since 1970.
    pub received_us: u64,
    /// The payload, when it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The payload, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// The place in a trace that its publisher gave it: a W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub traceparent: Option<TraceContext>,
    /// How many messages of its author on its topic, right before it, are lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u64,
    /// How many messages were dropped right before it, because the subscription was too slow.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lagged: u64,
    /// Whether an earlier query returned it.
    pub was_read: bool,
    /// Whether it was published before the subscription that it comes from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
    /// The ways its copies took, the first copy's first; empty when not asked for.
    #[schema(value_type = Vec<Object>)]
    pub ways: Vec<Way>,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let Report { holders, missing, elapsed } = report;
        Self { holders, missing, elapsed_us: micros(elapsed) }
    }
}

impl PublishRequest {
    /// The payload; an error in words when there is none, or more than one.
    pub(in crate::node::api) fn payload(&self) -> Result<Vec<u8>, String> {
        match (&self.text, &self.payload_base64) {
            (Some(text), None) => Ok(text.clone().into_bytes()),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|error| format!("`payload_base64`: {error}"))
            }
            _ => Err("give the payload as `text` or as `payload_base64`".to_owned()),
        }
    }
}

/// For what is left out where there is none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Text where it is UTF-8, base64 where it is not.
fn payload_views(payload: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(payload) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(STANDARD.encode(payload))),
    }
}

impl MessageView {
    /// The payload's bytes.
    pub fn payload(&self) -> Vec<u8> {
        match (&self.text, &self.payload_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        let (text, payload_base64) = payload_views(&message.payload);
        Self {
            id: message.id,
            foreign_author: message.foreign_author,
            sent_us: message.sent.0,
            received_us: message.received.0,
            text,
            payload_base64,
            traceparent: message.trace_context,
            missed: 0,
            lagged: 0,
            was_read: message.was_read,
            earlier: false,
            ways: message.ways,
        }
    }
}

impl From<Delivery<Vec<u8>>> for MessageView {
    fn from(delivery: Delivery<Vec<u8>>) -> Self {
        let (text, payload_base64) = payload_views(&delivery.value);
        Self {
            id: delivery.id,
            foreign_author: delivery.foreign_author,
            sent_us: delivery.sent.0,
            received_us: delivery.received.0,
            text,
            payload_base64,
            traceparent: delivery.trace_context,
            missed: delivery.missed,
            lagged: delivery.lagged,
            was_read: false,
            earlier: delivery.earlier,
            ways: Vec::new(),
        }
    }
}
