//! The local API of a running node, from outside: requests over one connection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use gossip_mesh::api::{
    MessageView, Metric, NeighboursRequest, NodeReference, NodeView, PeerView, Problem,
    PublishReply, PublishRequest,
};
use gossip_mesh::{Fault, NodeId, Query, Recording, Story, TraceContext};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::request::Builder;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::exit::Failure;

/// How long a node has to begin its answer, and for each further part of it: one that was stopped
/// never does.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What is wanted of topics beside their names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Only what is for the node as a member of this group.
    pub group: Option<&'a str>,
    /// The group is that of the node's host.
    pub by_host: bool,
    /// First so many messages from before.
    pub last: Option<u64>,
    /// First what is so old at most.
    pub since: Option<Duration>,
}

/// A connection to a node. Requests go one after another. A node that does not answer in time is a
/// failure of any of them.
pub struct Api {
    requests: SendRequest<Full<Bytes>>,
    token: Option<String>,
    /// What to say when it does not answer.
    silence: String,
}

/// Server-sent events as they come.
pub struct Stream {
    body: Incoming,
    /// What came and is not a whole line yet.
    rest: Vec<u8>,
}

impl Api {
    /// Connects with the node that serves at this socket.
    ///
    /// # Errors
    /// A sentence when nobody serves there.
    pub async fn at_socket(path: &Path) -> Result<Self, Failure> {
        let silent =
            |error| Failure::failed(format!("no node answers at {} ({error})", path.display()));
        let silence = silence(&format!("the node at {}", path.display()));
        let stream = in_time(UnixStream::connect(path), &silence).await?.map_err(silent)?;
        Ok(Self { requests: converse(stream).await?, token: None, silence })
    }

    /// The same, which says this when the node does not answer.
    #[must_use]
    pub fn or_else_say(mut self, silence: String) -> Self {
        self.silence = silence;
        self
    }

    /// Connects with the node that serves at `place`: the path of a socket, or `HOST:PORT`, for
    /// which the token is in the environment variable `GOSSIP_API_TOKEN`.
    ///
    /// # Errors
    /// A sentence when nobody serves there.
    pub async fn at(place: &str) -> Result<Self, Failure> {
        let is_path = place.contains('/') || Path::new(place).exists();
        if is_path {
            return Self::at_socket(&PathBuf::from(place)).await;
        }
        let silence = silence(&format!("the node at {place}"));
        let stream = in_time(TcpStream::connect(place), &silence).await?.map_err(|error| {
            Failure::failed(format!(
                "no node answers at {place} ({error}): give the path of its socket, or HOST:PORT \
                 when it serves its local API there"
            ))
        })?;
        // A request is small and waited for.
        stream.set_nodelay(true)?;
        let token = std::env::var("GOSSIP_API_TOKEN").ok();
        Ok(Self { requests: converse(stream).await?, token, silence })
    }

    /// The node itself.
    pub async fn node(&mut self) -> Result<NodeView, Failure> {
        self.get("/v1/node").await
    }

    /// All other nodes it knows.
    pub async fn peers(&mut self) -> Result<Vec<PeerView>, Failure> {
        self.get("/v1/peers").await
    }

    /// Why a node stands as it stands.
    pub async fn why(&mut self, node: NodeId) -> Result<Story, Failure> {
        self.get(&format!("/v1/why/{node}")).await
    }

    /// What its flight recorder holds.
    pub async fn recording(&mut self) -> Result<Recording, Failure> {
        let answer = self.ask(Method::GET, "/v1/recording", Bytes::new(), Duration::ZERO).await?;
        Ok(Recording::from_bytes(&self.whole(answer).await?)?)
    }

    /// What it measures.
    pub async fn metrics(&mut self) -> Result<Vec<Metric>, Failure> {
        self.get("/v1/metrics").await
    }

    /// The same as text for Prometheus.
    pub async fn metrics_text(&mut self) -> Result<Vec<u8>, Failure> {
        let request = Request::get("/v1/metrics").header(ACCEPT, "text/plain");
        let answer = self.send(request, Bytes::new(), Duration::ZERO).await?;
        self.whole(answer).await
    }

    /// Publishes a message. The time it asks the node to wait for readers is given to it.
    pub async fn publish(&mut self, request: &PublishRequest) -> Result<PublishReply, Failure> {
        self.publish_traced(request, None).await
    }

    /// The same with a message that belongs to a trace.
    pub async fn publish_traced(
        &mut self,
        request: &PublishRequest,
        context: Option<TraceContext>,
    ) -> Result<PublishReply, Failure> {
        let wait = Duration::from_millis(request.confirm_ms.unwrap_or(0));
        let mut post = Request::post("/v1/publish")
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        if let Some(context) = context {
            post = post.header("traceparent", context.to_string());
        }
        let answer = self.send(post, serde_json::to_vec(request)?.into(), wait).await?;
        self.decode(answer).await
    }

    /// Reads kept messages.
    pub async fn messages(&mut self, query: &Query) -> Result<Vec<MessageView>, Failure> {
        self.post("/v1/messages", query, Duration::ZERO).await
    }

    /// Has it forget a node that is gone for good.
    pub async fn forget(&mut self, node: NodeId) -> Result<(), Failure> {
        self.post("/v1/forget", &NodeReference { node }, Duration::ZERO).await
    }

    /// Gives it other neighbours.
    pub async fn neighbours(&mut self, request: &NeighboursRequest) -> Result<(), Failure> {
        self.post("/v1/neighbours", request, Duration::ZERO).await
    }

    /// What it does to its links on purpose.
    pub async fn faults(&mut self) -> Result<Vec<Fault>, Failure> {
        self.get("/v1/faults").await
    }

    /// Has it disturb its links: all of these, in this order, or none.
    pub async fn disturb(&mut self, faults: &[Fault]) -> Result<(), Failure> {
        self.post("/v1/faults", &faults, Duration::ZERO).await
    }

    /// Has it say good-bye and stop.
    pub async fn leave(&mut self) -> Result<(), Failure> {
        self.post("/v1/leave", &(), Duration::ZERO).await
    }

    /// What is published on these topics from now on, the node's own messages too, and first what
    /// was published earlier; in a group, what is for the node as its member.
    pub async fn subscribe(
        &mut self,
        topics: &[String],
        wanted: Wanted<'_>,
    ) -> Result<Stream, Failure> {
        let Wanted { group, by_host, last, since } = wanted;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(topics.iter().map(|topic| ("topic", topic)));
        query.append_pair("own", "true");
        if let Some(group) = group {
            query.append_pair("group", group);
        }
        if by_host {
            query.append_pair("by_host", "true");
        }
        if let Some(last) = last {
            query.append_pair("last", &last.to_string());
        }
        if let Some(since) = since {
            // Apart: in nanoseconds alone a few centuries would be too many.
            let (seconds, rest) = (since.as_secs(), since.subsec_nanos());
            query.append_pair("since", &format!("{seconds}s {rest}ns"));
        }
        self.stream(&format!("/v1/subscribe?{}", query.finish())).await
    }

    /// What happens on the node from now on.
    pub async fn events(&mut self) -> Result<Stream, Failure> {
        self.stream("/v1/events").await
    }

    async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Failure> {
        let answer = self.ask(Method::GET, path, Bytes::new(), Duration::ZERO).await?;
        self.decode(answer).await
    }

    async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
        wait: Duration,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body)?;
        let answer = self.ask(Method::POST, path, body.into(), wait).await?;
        self.decode(answer).await
    }

    async fn stream(&mut self, path: &str) -> Result<Stream, Failure> {
        let answer = self.ask(Method::GET, path, Bytes::new(), Duration::ZERO).await?;
        Ok(Stream { body: answer.into_body(), rest: Vec::new() })
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        wait: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request =
            Request::builder().method(method).uri(path).header(ACCEPT, "application/json");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        self.send(request, body, wait).await
    }

    async fn send(
        &mut self,
        request: Builder,
        body: Bytes,
        wait: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = request.header(HOST, "gossip");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let gone = |error| {
            Failure::failed(format!(
                "the node ended the conversation ({error}): look whether it still runs"
            ))
        };
        let request = request.body(Full::new(body))?;
        let answer = timeout(PATIENCE + wait, async {
            self.requests.ready().await?;
            self.requests.send_request(request).await
        });
        let answer = answer.await.map_err(|_| Failure::failed(&self.silence))?.map_err(gone)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = self.whole(answer).await?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Failure::failed(problem.error),
            Err(_) => Failure::failed(format!("the node answered {status}")),
        })
    }

    /// All of an answer, which may take long as long as it goes on.
    async fn whole(&self, answer: Response<Incoming>) -> Result<Vec<u8>, Failure> {
        let mut body = answer.into_body();
        let mut whole = Vec::new();
        while let Some(frame) = in_time(body.frame(), &self.silence).await? {
            if let Ok(chunk) = frame?.into_data() {
                whole.extend_from_slice(&chunk);
            }
        }
        Ok(whole)
    }

    async fn decode<T: DeserializeOwned>(&self, answer: Response<Incoming>) -> Result<T, Failure> {
        serde_json::from_slice(&self.whole(answer).await?).map_err(|error| {
            Failure::failed(format!(
                "the node's answer cannot be understood ({error}): is it of the same version?"
            ))
        })
    }
}

impl Stream {
    /// The next event's JSON; `None` when the node has stopped.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                if let Some(value) = line.strip_prefix(b"data:") {
                    return Some(value.trim_ascii().to_vec());
                }
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(chunk) = frame.into_data() {
                self.rest.extend_from_slice(&chunk);
            }
        }
    }
}

async fn converse<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (requests, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the handle, or with an error that every request then shows.
    tokio::spawn(connection);
    Ok(requests)
}

/// What comes of it within [`PATIENCE`].
async fn in_time<T>(doing: impl Future<Output = T>, silence: &str) -> Result<T, Failure> {
    timeout(PATIENCE, doing).await.map_err(|_| Failure::failed(silence))
}

fn silence(node: &str) -> String {
    format!("{node} does not answer within {} s: is its process stopped?", PATIENCE.as_secs())
}
