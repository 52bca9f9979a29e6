//! Server-sent events: what happens, and what is published.

use std::convert::Infallible;

use axum::extract::{RawQuery, State};
use axum::response::Sse;
use axum::response::sse::{Event as Sent, KeepAlive};
use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt};
use serde::Serialize;

use super::routes::Failure;
use super::view::MessageView;
use crate::base::codec::Raw;
use crate::node::handle::WeakNode;
use crate::protocol::topic::Topic;

type Events =
    Sse<axum::response::sse::KeepAliveStream<BoxStream<'static, Result<Sent, Infallible>>>>;

fn sent(values: impl Stream<Item = impl Serialize> + Send + 'static) -> Events {
    let events = values.map(|value| {
        // Our views are plain values, which always have a JSON form.
        Ok(Sent::default().json_data(&value).unwrap_or_default())
    });
    Sse::new(events.boxed()).keep_alive(KeepAlive::default())
}

/// What happens on this node, from now on.
#[utoipa::path(get, path = "/v1/events", responses((status = 200, description = "events")))]
pub async fn events(State(node): State<WeakNode>) -> Result<Events, Failure> {
    Ok(sent(node.upgrade()?.events()))
}

/// What is published on one or more topics, from now on. `topic` may be repeated, and be a pattern.
#[utoipa::path(
    get, path = "/v1/subscribe",
    params(
        ("topic" = String, Query, description = "a topic or a pattern; may be repeated"),
        ("own" = Option<bool>, Query, description = "also what this node publishes itself"),
        ("group" = Option<String>, Query, description = "share the messages with this group"),
        ("by_host" = Option<bool>, Query, description = "with its members on this host only"),
    ),
    responses((status = 200, description = "messages"), (status = 400, body = super::Problem))
)]
pub async fn subscribe(
    State(node): State<WeakNode>,
    RawQuery(query): RawQuery,
) -> Result<Events, Failure> {
    let asked = Asked::read(query.as_deref().unwrap_or_default())?;
    let node = node.upgrade()?;
    let mut all = SelectAll::new();
    for topic in asked.topics {
        let subscribe = node.subscribe::<Vec<u8>, Raw>(Topic::named(topic));
        let subscribe = if asked.own { subscribe.own_messages() } else { subscribe };
        let subscribe = match &asked.group {
            None => subscribe,
            Some(name) if asked.by_host => subscribe.group_by_host(name),
            Some(name) => subscribe.group(name),
        };
        all.push(subscribe.await?);
    }
    Ok(sent(all.map(MessageView::from)))
}

struct Asked {
    topics: Vec<String>,
    own: bool,
    group: Option<String>,
    by_host: bool,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Failure> {
        let mut asked = Self { topics: Vec::new(), own: false, group: None, by_host: false };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "topic" => asked.topics.push(value.into_owned()),
                "own" => asked.own = value == "true",
                "group" => asked.group = Some(value.into_owned()),
                "by_host" => asked.by_host = value == "true",
                other => return Err(Failure::bad(format!("`{other}` is not asked for here"))),
            }
        }
        if asked.by_host && asked.group.is_none() {
            return Err(Failure::bad("`by_host` goes with a `group`"));
        }
        if asked.topics.is_empty() {
            return Err(Failure::bad("name at least one `topic`"));
        }
        Ok(asked)
    }
}
