//! Messages that were received and are still kept.

use bytes::Bytes;

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use crate::base::codec::{Codec, DecodeError};
use crate::base::time::WallTime;
use crate::base::trace_context::TraceContext;
use crate::protocol::topic::{Kept, MessageId, Query, Topic, Way};

impl Node {
    /// Messages this node received and still keeps (see the `max_kept` settings), oldest first.
    /// Exactly what is returned is marked as read, unless the query peeks. Dropped before it is
    /// ready, messages may have been marked that nobody saw.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Query, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// assert!(node.messages(Query::default()).await?.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn messages(&self, query: Query) -> Result<Vec<Message>, Error> {
        let kept = self.ask(|reply| Command::Read { query, reply }).await?;
        Ok(kept.into_iter().map(Message::from).collect())
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
    /// The place in a trace of the publisher's that it belongs to, when the publisher gave one.
    pub trace_context: Option<TraceContext>,
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
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Query, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut lines = node.subscribe(CHAT).own_messages().await?;
    /// node.publish(CHAT, &"hello".to_string()).await?;
    /// lines.next().await;
    /// let kept = node.messages(Query::default()).await?.remove(0);
    /// assert_eq!(kept.decode(&CHAT).unwrap(), "hello");
    /// # node.leave().await }
    /// ```
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
            trace_context: message.trace_context,
            was_read,
            ways,
        }
    }
}
