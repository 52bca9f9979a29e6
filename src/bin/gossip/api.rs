//! The local API of a running node, from outside: requests over one connection.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use gossip_mesh::NodeId;
use gossip_mesh::Query;
use gossip_mesh::api::{
    MessageView, NodeReference, NodeView, PeerView, Problem, PublishReply, PublishRequest,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::exit::Failure;

/// A connection to a node. Requests go one after another.
pub struct Api {
    requests: SendRequest<Full<Bytes>>,
    token: Option<String>,
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
        let stream = UnixStream::connect(path).await.map_err(silent)?;
        Ok(Self { requests: converse(stream).await?, token: None })
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
        let stream = TcpStream::connect(place).await.map_err(|error| {
            Failure::failed(format!(
                "no node answers at {place} ({error}): give the path of its socket, or HOST:PORT \
                 when it serves its local API there"
            ))
        })?;
        // A request is small and waited for.
        stream.set_nodelay(true)?;
        let token = std::env::var("GOSSIP_API_TOKEN").ok();
        Ok(Self { requests: converse(stream).await?, token })
    }

    /// The node itself.
    pub async fn node(&mut self) -> Result<NodeView, Failure> {
        self.get("/v1/node").await
    }

    /// All other nodes it knows.
    pub async fn peers(&mut self) -> Result<Vec<PeerView>, Failure> {
        self.get("/v1/peers").await
    }

    /// Publishes a message.
    pub async fn publish(&mut self, request: &PublishRequest) -> Result<PublishReply, Failure> {
        self.post("/v1/publish", request).await
    }

    /// Reads kept messages.
    pub async fn messages(&mut self, query: &Query) -> Result<Vec<MessageView>, Failure> {
        self.post("/v1/messages", query).await
    }

    /// Has it forget a node that is gone for good.
    pub async fn forget(&mut self, node: NodeId) -> Result<(), Failure> {
        self.post("/v1/forget", &NodeReference { node }).await
    }

    /// Has it say good-bye and stop.
    pub async fn leave(&mut self) -> Result<(), Failure> {
        self.post("/v1/leave", &()).await
    }

    /// What is published on these topics from now on, the node's own messages too.
    pub async fn subscribe(&mut self, topics: &[String]) -> Result<Stream, Failure> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(topics.iter().map(|topic| ("topic", topic)));
        query.append_pair("own", "true");
        self.stream(&format!("/v1/subscribe?{}", query.finish())).await
    }

    /// What happens on the node from now on.
    pub async fn events(&mut self) -> Result<Stream, Failure> {
        self.stream("/v1/events").await
    }

    async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Failure> {
        let answer = self.ask(Method::GET, path, Bytes::new()).await?;
        decode(answer).await
    }

    async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body)?;
        let answer = self.ask(Method::POST, path, body.into()).await?;
        decode(answer).await
    }

    async fn stream(&mut self, path: &str) -> Result<Stream, Failure> {
        let answer = self.ask(Method::GET, path, Bytes::new()).await?;
        Ok(Stream { body: answer.into_body(), rest: Vec::new() })
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "gossip");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let gone = |error| Failure::failed(format!("the node ended the conversation ({error})"));
        self.requests.ready().await.map_err(gone)?;
        let answer =
            self.requests.send_request(request.body(Full::new(body))?).await.map_err(gone)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(gone)?.to_bytes();
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Failure::failed(problem.error),
            Err(_) => Failure::failed(format!("the node answered {status}")),
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

async fn decode<T: DeserializeOwned>(answer: Response<Incoming>) -> Result<T, Failure> {
    let body = answer.into_body().collect().await?.to_bytes();
    serde_json::from_slice(&body).map_err(|error| {
        Failure::failed(format!(
            "the node's answer cannot be understood ({error}): is it of the same version?"
        ))
    })
}
