//! Server-sent events: what happens, and what is published.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Sse;
use axum::response::sse::{Event as Sent, KeepAlive};
use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt};
use jiff::SignedDuration;
use serde::Serialize;

use super::routes::Failure;
use super::view::MessageView;
use crate::base::codec::Raw;
use crate::node::weak::WeakNode;
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

/// What is published on one or more topics, from now on, and before that what was published
/// earlier, as far as it is wanted and kept. `topic` may be repeated, and be a pattern.
#[utoipa::path(
    get, path = "/v1/subscribe",
    params(
        ("topic" = String, Query, description = "a topic or a pattern; may be repeated"),
        ("own" = Option<bool>, Query, description = "also what this node publishes itself"),
        ("group" = Option<String>, Query, description = "share the messages with this group"),
        ("by_host" = Option<bool>, Query, description = "with its members on this host only"),
        ("last" = Option<u64>, Query,
            description = "first the newest so many of each `topic` from before; in no group"),
        ("since" = Option<String>, Query,
            description = "first what is so old at most, like `10m`; in no group"),
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
        let subscribe = match asked.last {
            None => subscribe,
            Some(last) => subscribe.last(last),
        };
        let subscribe = match asked.since {
            None => subscribe,
            Some(since) => subscribe.since(since),
        };
        all.push(subscribe.await?);
    }
    Ok(sent(all.map(MessageView::from)))
}

#[derive(Default)]
struct Asked {
    topics: Vec<String>,
    own: bool,
    group: Option<String>,
    by_host: bool,
    last: Option<u64>,
    since: Option<Duration>,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Failure> {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "topic" => asked.topics.push(value.into_owned()),
                "own" => asked.own = value == "true",
                "group" => asked.group = Some(value.into_owned()),
                "by_host" => asked.by_host = value == "true",
                "last" => asked.last = Some(value.parse().map_err(|_| not("last", "a number"))?),
                "since" => asked.since = Some(span(&value).ok_or_else(|| not("since", SPAN))?),
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

const SPAN: &str = "a time like `10m` or `1h 30m`";

fn not(name: &str, form: &str) -> Failure {
    Failure::bad(format!("`{name}` is {form}"))
}

fn span(text: &str) -> Option<Duration> {
    let span: SignedDuration = text.parse().ok()?;
    Duration::try_from(span).ok()
}
