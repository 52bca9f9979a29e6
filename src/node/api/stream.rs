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

/// What is published on one or more topics, from now on. `topic` may be repeated.
#[utoipa::path(
    get, path = "/v1/subscribe",
    params(
        ("topic" = String, Query, description = "a topic; may be repeated"),
        ("own" = Option<bool>, Query, description = "also what this node publishes itself"),
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
        all.push(subscribe.await?);
    }
    Ok(sent(all.map(MessageView::from)))
}

struct Asked {
    topics: Vec<String>,
    own: bool,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Failure> {
        let mut asked = Self { topics: Vec::new(), own: false };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "topic" => asked.topics.push(value.into_owned()),
                "own" => asked.own = value == "true",
                other => return Err(Failure::bad(format!("`{other}` is not asked for here"))),
            }
        }
        if asked.topics.is_empty() {
            return Err(Failure::bad("name at least one `topic`"));
        }
        Ok(asked)
    }
}
