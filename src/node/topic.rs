//! A topic to hold on to, and messages that were kept.

use bytes::Bytes;

use super::error::Error;
use super::handle::Node;
use super::publish::Publish;
use super::publisher::Publisher;
use super::subscribe::Subscribe;
use crate::base::codec::{Cbor, Codec, DecodeError};
use crate::base::id::NodeId;
use crate::base::time::WallTime;
use crate::protocol::topic::{Kept, MessageId, Topic, Way};

/// A topic of a node: publish, subscribe, and ask who reads it.
pub struct TopicHandle<T, C = Cbor> {
    node: Node,
    topic: Topic<T, C>,
}

impl<T, C: Codec<T>> TopicHandle<T, C> {
    pub(super) fn new(node: Node, topic: Topic<T, C>) -> Self {
        Self { node, topic }
    }

    /// As [`Node::publish`].
    pub fn publish(&self, value: &T) -> Publish {
        self.node.publish(self.topic.clone(), value)
    }

    /// As [`Node::publisher`].
    ///
    /// # Errors
    /// As there.
    pub async fn publisher(&self) -> Result<Publisher<T, C>, Error> {
        self.node.publisher(self.topic.clone()).await
    }

    /// As [`Node::subscribe`].
    pub fn subscribe(&self) -> Subscribe<T, C> {
        self.node.subscribe(self.topic.clone())
    }

    /// The other nodes that read the topic, by their cards.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn readers(&self) -> Result<Vec<NodeId>, Error> {
        self.node.readers(self.topic.name()).await
    }

    /// Whether any other node reads the topic.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn has_reader(&self) -> Result<bool, Error> {
        Ok(!self.readers().await?.is_empty())
    }

    /// Waits until another node reads the topic. Dropping it is safe.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// two.connect(one.addresses().await?.remove(0)).await?;
    /// let mut lines = two.subscribe(CHAT).await?;
    ///
    /// let chat = one.topic(CHAT);
    /// chat.wait_for_reader().await?;
    /// assert_eq!(chat.readers().await?, [two.id()]);
    /// # use futures::StreamExt;
    /// chat.publish(&"hello".to_string()).await?;
    /// assert_eq!(lines.next().await.unwrap().value, "hello");
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub async fn wait_for_reader(&self) -> Result<(), Error> {
        let mut changes = self.node.changes();
        loop {
            changes.mark_unchanged();
            if self.has_reader().await? {
                return Ok(());
            }
            changes.changed().await.map_err(|_| Error::Stopped)?;
        }
    }
}

/// A message that was received and kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Names it.
    pub id: MessageId,
    /// The author outside the members, when it came in through a door.
    pub foreign_author: Option<String>,
    /// When the author sent it, on the author's clock.
    pub sent: WallTime,
    /// When the first copy came here, on this node's clock.
    pub received: WallTime,
    /// What was sent, in the topic's codec.
    pub payload: Bytes,
    /// Whether it had been returned by an earlier query.
    pub was_read: bool,
    /// The ways its copies took, the first copy's first; empty when not asked for.
    pub ways: Vec<Way>,
}

impl Message {
    /// The payload as a value of the topic.
    ///
    /// # Errors
    /// When the payload is no `T`.
    pub fn decode<T, C: Codec<T>>(&self, _: &Topic<T, C>) -> Result<T, DecodeError> {
        C::decode(&self.payload)
    }
}

impl From<Kept> for Message {
    fn from(kept: Kept) -> Self {
        let Kept { message, was_read, ways } = kept;
        Self {
            id: message.id.clone(),
            foreign_author: message.foreign_author.clone(),
            sent: message.sent,
            received: message.received,
            payload: message.payload.clone(),
            was_read,
            ways,
        }
    }
}
