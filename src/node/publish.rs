//! A message on its way out.

use std::future::IntoFuture;
use std::num::NonZeroU8;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::command::{Command, Publication};
use super::error::Error;
use super::handle::Node;
use crate::base::codec::{Codec, EncodeError};
use crate::base::trace_context::TraceContext;
use crate::protocol::topic::{Envelope, MessageId, Report, Strategy, Topic};

impl Node {
    /// Sends a value to all who read the topic: best effort, each reader gets it once.
    ///
    /// Accepted means: on its way, or waiting for a first reader. Awaiting it gives the message's
    /// id; see [`Publish`] for copies and confirmations. Dropped before it is ready, the message
    /// may or may not have been sent.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let id = node.publish(CHAT, &"hello".to_string()).await?;
    /// assert_eq!((id.author, id.number), (node.id(), 1));
    /// # node.leave().await }
    /// ```
    pub fn publish<T, C: Codec<T>>(&self, topic: Topic<T, C>, value: &T) -> Publish {
        Publish::new(self.clone(), &topic, C::encode(value))
    }
}

/// A message to be published; await it to send it.
#[must_use = "a message is sent when this is awaited"]
#[derive(Debug)]
pub struct Publish {
    node: Node,
    publication: Result<Publication, EncodeError>,
}

/// A message whose readers were asked to confirm: accepted under this id, and the report of how
/// far it came.
#[derive(Debug)]
pub struct Confirmed {
    /// Names the message.
    pub id: MessageId,
    /// Who has it, who has not, how long that took.
    pub report: Report,
}

impl Publish {
    pub(super) fn new<T, C>(
        node: Node,
        topic: &Topic<T, C>,
        payload: Result<Vec<u8>, EncodeError>,
    ) -> Self {
        let publication = payload.map(|payload| Publication {
            topic: topic.name().to_owned(),
            payload: payload.into(),
            relays: NonZeroU8::MIN,
            foreign: topic.is_foreign(),
            strategy: Strategy::default(),
            if_read: false,
            envelope: Envelope { compressed: topic.is_compressed(), trace_context: None },
        });
        Self { node, publication }
    }

    /// Has every neighbour pass the message on this many times. Readers still get it once; copies
    /// on the links grow by this factor. Default 1.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use std::num::NonZeroU8;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let twice = NonZeroU8::MIN.saturating_add(1);
    /// node.publish(CHAT, &"hello".to_string()).relays(twice).await?;
    /// # node.leave().await }
    /// ```
    pub fn relays(mut self, times: NonZeroU8) -> Self {
        if let Ok(publication) = &mut self.publication {
            publication.relays = times;
        }
        self
    }

    /// How the member of each queue group is chosen that gets the message. Default
    /// [`Strategy::RoundRobin`].
    ///
    /// The member is asked to confirm it; one that does not within `topic.confirm_within`, or is
    /// gone, is followed by the next. So each group gets it at least once while it has a member
    /// that lives, and each living member at most once.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// use gossip_mesh::Strategy;
    /// const JOBS: Topic<u32> = Topic::new("jobs");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut jobs = node.subscribe(JOBS).group("workers").own_messages().await?;
    /// node.publish(JOBS, &7).strategy(Strategy::LeastRecent).await?;
    /// assert_eq!(jobs.next().await.unwrap().value, 7);
    /// # node.leave().await }
    /// ```
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        if let Ok(publication) = &mut self.publication {
            publication.strategy = strategy;
        }
        self
    }

    /// Sends it only while another node reads the topic by its card. Otherwise it is refused with
    /// [`TopicError::NobodyReads`](crate::TopicError::NobodyReads), instead of waiting for a first
    /// reader.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use gossip_mesh::{Error, TopicError};
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let sent = node.publish(CHAT, &"hello?".to_string()).if_read().await;
    /// assert!(matches!(sent, Err(Error::Topic(TopicError::NobodyReads { .. }))));
    /// # node.leave().await }
    /// ```
    pub fn if_read(mut self) -> Self {
        if let Ok(publication) = &mut self.publication {
            publication.if_read = true;
        }
        self
    }

    /// Has the message belong to a place in a trace of the program's: readers find it in
    /// [`Delivery::trace_context`](crate::Delivery), and every node that logs the message's steps
    /// logs it beside the message's own trace id. Costs some 30 bytes on the wire.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// use gossip_mesh::TraceContext;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut lines = node.subscribe(CHAT).own_messages().await?;
    /// let context: TraceContext =
    ///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    /// node.publish(CHAT, &"hello".to_string()).trace_context(context).await?;
    /// assert_eq!(lines.next().await.unwrap().trace_context, Some(context));
    /// # node.leave().await }
    /// ```
    pub fn trace_context(mut self, context: TraceContext) -> Self {
        if let Ok(publication) = &mut self.publication {
            publication.envelope.trace_context = Some(context);
        }
        self
    }

    /// Asks all readers to confirm and waits at most `within` for the last of them. Expected are
    /// those whose cards read the topic when the message is accepted, and of each queue group the
    /// chosen member. A confirmation travels back the way the message came. Dropped before it is
    /// ready, the message may have been sent.
    ///
    /// # Errors
    /// As awaiting the publish itself. Readers that are missing are no error; see the report.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use std::time::Duration;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let line = "hello".to_string();
    /// let sent = node.publish(CHAT, &line).confirmed(Duration::from_secs(5)).await?;
    /// assert!(sent.report.missing.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn confirmed(self, within: Duration) -> Result<Confirmed, Error> {
        let (confirm, report) = oneshot::channel();
        let id = self.send(Some((within, confirm))).await?;
        let report = report.await.map_err(|_| Error::Stopped)?;
        Ok(Confirmed { id, report })
    }

    async fn send(
        self,
        confirm: Option<(Duration, oneshot::Sender<Report>)>,
    ) -> Result<MessageId, Error> {
        let publication = self.publication?;
        let publish = |reply| Command::Publish { publication, confirm, reply };
        Ok(self.node.ask(publish).await??)
    }
}

impl IntoFuture for Publish {
    type Output = Result<MessageId, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send(None))
    }
}
