//! A topic to hold on to.

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::watch;

use super::error::Error;
use super::handle::Node;
use super::publish::Publish;
use super::publisher::Publisher;
use super::subscribe::Subscribe;
use crate::base::codec::{Cbor, Codec};
use crate::base::id::NodeId;
use crate::protocol::topic::{Strategy, Topic};

impl Node {
    /// A topic of this node to hold on to: publish, subscribe, and ask who reads it.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let chat = node.topic(CHAT);
    /// assert!(!chat.has_reader().await?);
    /// # node.leave().await }
    /// ```
    pub fn topic<T, C: Codec<T>>(&self, topic: Topic<T, C>) -> TopicHandle<T, C> {
        TopicHandle::new(self.clone(), topic)
    }
}

/// A topic of a node: publish, subscribe, and ask who reads it.
pub struct TopicHandle<T, C = Cbor> {
    node: Node,
    topic: Topic<T, C>,
    strategy: Strategy,
}

impl<T, C: Codec<T>> TopicHandle<T, C> {
    pub(super) fn new(node: Node, topic: Topic<T, C>) -> Self {
        Self { node, topic, strategy: Strategy::default() }
    }

    /// Chooses the members of queue groups in this way, for all that is published by this handle.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use gossip_mesh::Strategy;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let chat = node.topic(CHAT).strategy(Strategy::Random);
    /// chat.publish(&"whoever is free".to_string()).await?;
    /// # node.leave().await }
    /// ```
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// As [`Node::publish`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let chat = node.topic(CHAT);
    /// chat.publish(&"one".to_string()).await?;
    /// assert_eq!(chat.publish(&"two".to_string()).await?.number, 2);
    /// # node.leave().await }
    /// ```
    pub fn publish(&self, value: &T) -> Publish {
        self.node.publish(self.topic.clone(), value).strategy(self.strategy.clone())
    }

    /// As [`Node::publisher`].
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const TICKS: Topic<u64> = Topic::new("ticks");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let ticks = node.topic(TICKS).publisher().await?;
    /// ticks.send(&1).await?;
    /// # node.leave().await }
    /// ```
    pub async fn publisher(&self) -> Result<Publisher<T, C>, Error> {
        self.node.publisher(self.topic.clone()).await
    }

    /// As [`Node::subscribe`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let chat = node.topic(CHAT);
    /// let mut lines = chat.subscribe().own_messages().await?;
    /// chat.publish(&"hello".to_string()).await?;
    /// assert_eq!(lines.next().await.unwrap().value, "hello");
    /// # node.leave().await }
    /// ```
    pub fn subscribe(&self) -> Subscribe<T, C> {
        self.node.subscribe(self.topic.clone())
    }

    /// The other nodes that read the topic by their cards: by its name or by a pattern, in a group
    /// or in none. Of a pattern: those that read by this very pattern.
    ///
    /// # Errors
    /// [`Error::Stopped`], and a name that cannot be one.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// // Nobody else: what this node reads itself does not count.
    /// let _lines = node.subscribe(CHAT).await?;
    /// assert!(node.topic(CHAT).readers().await?.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn readers(&self) -> Result<Vec<NodeId>, Error> {
        self.node.readers(self.topic.name()).await
    }

    /// Whether any other node reads the topic.
    ///
    /// # Errors
    /// [`Error::Stopped`], and a name that cannot be one.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// if !node.topic(CHAT).has_reader().await? {
    ///     println!("nobody listens");
    /// }
    /// # node.leave().await }
    /// ```
    pub async fn has_reader(&self) -> Result<bool, Error> {
        Ok(!self.readers().await?.is_empty())
    }

    /// Whether another node reads the topic: at once as it is, and then whenever it changes. For
    /// producers that pause while nobody listens. Changes that come faster than they are taken may
    /// be left out; the last one never is. Ends when the node leaves, and at once for a name that
    /// cannot be one. It keeps the node running.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// two.connect(one.addresses().await?.remove(0)).await?;
    ///
    /// let mut is_read = one.topic(CHAT).is_read();
    /// assert_eq!(is_read.next().await, Some(false));
    /// let lines = two.subscribe(CHAT).await?;
    /// assert_eq!(is_read.next().await, Some(true));
    /// drop(lines);
    /// assert_eq!(is_read.next().await, Some(false));
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub fn is_read(&self) -> BoxStream<'static, bool> {
        let name = self.topic.name().to_owned();
        stream::unfold((self.node.clone(), name, self.node.changes(), None), next_look).boxed()
    }

    /// Waits until another node reads the topic. Dropping it is safe.
    ///
    /// # Errors
    /// [`Error::Stopped`], and a name that cannot be one.
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

/// Whether another node reads a topic: first as it is, then whenever it changes.
async fn next_look((node, topic, mut changes, last): Looking) -> Option<(bool, Looking)> {
    loop {
        changes.mark_unchanged();
        let is_read = !node.readers(&topic).await.ok()?.is_empty();
        if last != Some(is_read) {
            return Some((is_read, (node, topic, changes, Some(is_read))));
        }
        changes.changed().await.ok()?;
    }
}

/// The node, the topic, what tells of changes, and what was seen last.
type Looking = (Node, String, watch::Receiver<u64>, Option<bool>);
