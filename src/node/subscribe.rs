//! Messages on their way in, as a stream.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::future::BoxFuture;

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use super::sinks::Deliveries;
use crate::base::codec::{Cbor, Codec};
use crate::base::group::Group;
use crate::base::token::Token;
use crate::engine::Event;
use crate::protocol::topic::{Delivery, Earlier, Topic, TopicError};

impl Node {
    /// Receives what is published on a topic from now on: each message once, those of an author in
    /// the order of their numbers. See [`Subscribe`] for one's own messages and for groups that
    /// share messages. Dropped before it is ready, there is no subscription.
    ///
    /// In the name of a [`Topic`] the level `*` stands for any one level, and `>` at the end for
    /// one or more: such a pattern reads many topics, whose names are in the deliveries.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut lines = node.subscribe(CHAT).own_messages().await?;
    /// node.publish(CHAT, &"hello".to_string()).await?;
    /// assert_eq!(lines.next().await.unwrap().value, "hello");
    ///
    /// let mut rooms = node.subscribe(Topic::<String>::new("rooms/*")).own_messages().await?;
    /// node.publish(Topic::<String>::new("rooms/kitchen"), &"warm".to_string()).await?;
    /// assert_eq!(rooms.next().await.unwrap().id.topic, "rooms/kitchen");
    /// # node.leave().await }
    /// ```
    pub fn subscribe<T, C: Codec<T>>(&self, topic: Topic<T, C>) -> Subscribe<T, C> {
        Subscribe::new(self.clone(), topic)
    }
}

/// A subscription to be made; await it to make it.
#[must_use = "a subscription begins when this is awaited"]
pub struct Subscribe<T, C> {
    node: Node,
    topic: Topic<T, C>,
    own: bool,
    group: Option<Shared>,
    earlier: Earlier,
}

/// A group as the user names it.
enum Shared {
    ByName(String),
    ByHost(String),
}

impl<T, C: Codec<T>> Subscribe<T, C> {
    pub(super) fn new(node: Node, topic: Topic<T, C>) -> Self {
        Self { node, topic, own: false, group: None, earlier: Earlier::default() }
    }

    /// First the newest `count` messages from before the subscription, of all authors together,
    /// from whoever keeps them; then what is published from now on. With
    /// [`since`](Self::since) only what is within both.
    ///
    /// Each message comes once, those of an author in their order, authors mixed by the time of
    /// sending on their clocks; [`Delivery::earlier`] tells which are from before. Up to three
    /// linked nodes that read the topic are asked (others when they have nothing), so messages of
    /// an author that is gone come too, as long as somebody keeps them: readers and authors keep
    /// `topic.max_history` messages of each topic within `topic.max_history_bytes` and
    /// `topic.keep_for`, in memory. There come at most so many, and at most half of what a
    /// subscription holds. What is published meanwhile waits behind them for an answer, 3 s at
    /// most; it may be among the newest itself. A node that is not linked with anybody yet begins
    /// at once with what it has, and asks when it is linked within 10 s. They are not added to what
    /// [`Node::messages`] returns.
    ///
    /// Awaiting it fails with [`TopicError::EarlierInGroup`] together with a group.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const CHAT: Topic<u32> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// for number in 1..=5 {
    ///     node.publish(CHAT, &number).await?;
    /// }
    /// let mut late = node.subscribe(CHAT).own_messages().last(2).await?;
    /// node.publish(CHAT, &6).await?;
    /// for (number, earlier) in [(4, true), (5, true), (6, false)] {
    ///     let delivery = late.next().await.unwrap();
    ///     assert_eq!((delivery.value, delivery.earlier), (number, earlier));
    /// }
    /// # node.leave().await }
    /// ```
    pub fn last(mut self, count: u64) -> Self {
        self.earlier.last = Some(count);
        self
    }

    /// First the messages that were published so long ago at most, as [`last`](Self::last). How
    /// long ago that was tells whoever keeps them: clocks need not agree.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use std::time::Duration;
    /// use futures::StreamExt;
    /// const CHAT: Topic<u32> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// node.publish(CHAT, &1).await?;
    /// let hour = Duration::from_secs(3600);
    /// let mut late = node.subscribe(CHAT).own_messages().since(hour).await?;
    /// assert_eq!(late.next().await.unwrap().value, 1);
    /// # node.leave().await }
    /// ```
    pub fn since(mut self, age: Duration) -> Self {
        self.earlier.since = Some(age);
        self
    }

    /// Also what this node publishes itself.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut lines = node.subscribe(CHAT).own_messages().await?;
    /// node.publish(CHAT, &"to myself".to_string()).await?;
    /// assert_eq!(lines.next().await.unwrap().author, node.id());
    /// # node.leave().await }
    /// ```
    pub fn own_messages(mut self) -> Self {
        self.own = true;
        self
    }

    /// Shares the messages with the other members of this queue group: each message of a publisher
    /// goes to one node of every group, and to all readers in no group. Whose turn it is the
    /// publisher says ([`Publish::strategy`](crate::Publish::strategy)); several subscriptions of
    /// one node share what comes to it. A name has 1 to 64 bytes.
    ///
    /// A member confirms a message when it is handed to its subscription: what a subscription has
    /// not taken yet when its node dies, or misses because it is too slow, is lost.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const JOBS: Topic<u32> = Topic::new("jobs");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut one = node.subscribe(JOBS).group("workers").own_messages().await?;
    /// let mut other = node.subscribe(JOBS).group("workers").own_messages().await?;
    /// for job in 1..=2 {
    ///     node.publish(JOBS, &job).await?;
    /// }
    /// assert_eq!(one.next().await.unwrap().value, 1);
    /// assert_eq!(other.next().await.unwrap().value, 2);
    /// # node.leave().await }
    /// ```
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(Shared::ByName(name.into()));
        self
    }

    /// As [`group`](Self::group), but shares only with members on the same host: one node of every
    /// host gets each message. The host is what the node's label `host` says.
    ///
    /// Awaiting it fails with [`TopicError::NoHost`] on a node without that label.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const JOBS: Topic<u32> = Topic::new("jobs");
    /// let mut config = Config::lab();
    /// config.labels.insert("host".to_owned(), "kitchen".to_owned());
    /// let node = Node::builder().config(config).spawn().await?;
    /// let mut jobs = node.subscribe(JOBS).group_by_host("caches").own_messages().await?;
    /// node.publish(JOBS, &7).await?;
    /// assert_eq!(jobs.next().await.unwrap().value, 7);
    /// # node.leave().await }
    /// ```
    pub fn group_by_host(mut self, name: impl Into<String>) -> Self {
        self.group = Some(Shared::ByHost(name.into()));
        self
    }

    async fn begin(self) -> Result<Subscription<T, C>, Error> {
        let Self { node, topic, own, group, earlier } = self;
        let name = topic.name().to_owned();
        let group = match group {
            None => None,
            Some(Shared::ByName(name)) => Some(Group { name, host: None }),
            Some(Shared::ByHost(name)) => {
                let host = node.config().labels.get("host").ok_or(TopicError::NoHost)?;
                Some(Group { name, host: Some(host.clone()) })
            }
        };
        let subscribe = |reply| Command::Subscribe { topic: name, own, group, earlier, reply };
        let (token, deliveries) = node.ask(subscribe).await??;
        Ok(Subscription { node, topic, token, deliveries, lagged: 0, kind: PhantomData })
    }
}

impl<T: 'static, C: Codec<T> + 'static> IntoFuture for Subscribe<T, C> {
    type Output = Result<Subscription<T, C>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.begin())
    }
}

/// The messages of a topic, or of all topics of a pattern, each once. A delivery's `id` names its
/// topic. Ends when the node stops. Dropping it ends the subscription.
///
/// It holds up to `topic.max_undelivered` messages and `topic.max_undelivered_bytes`; above that
/// new ones are dropped for this subscription alone, and told by [`Delivery::lagged`] of the next
/// one and as [`Event::Lagged`]. A payload that is no `T` is told as [`Event::Undecodable`] and
/// skipped.
pub struct Subscription<T, C = Cbor> {
    pub(super) node: Node,
    topic: Topic<T, C>,
    token: Token,
    deliveries: Deliveries,
    /// Missed right before the next delivery.
    lagged: u64,
    kind: PhantomData<fn() -> (T, C)>,
}

impl<T, C> Subscription<T, C> {
    /// The topic.
    pub fn topic(&self) -> &Topic<T, C> {
        &self.topic
    }

    /// What was missed is told when all that is held was taken: perhaps nothing comes after it.
    fn tell_lag(&self) {
        let missed = self.deliveries.take_untold();
        if missed > 0 {
            let topic = self.topic.name().to_owned();
            self.node.tell_now(Command::Report(Event::Lagged { topic, missed }));
        }
    }
}

impl<T, C: Codec<T>> Stream for Subscription<T, C> {
    type Item = Delivery<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        loop {
            let Poll::Ready(next) = self.deliveries.poll_next(cx) else {
                self.tell_lag();
                return Poll::Pending;
            };
            let Some((lagged, message)) = next else { return Poll::Ready(None) };
            self.lagged += lagged;
            match C::decode(&message.payload) {
                Ok(value) => {
                    let lagged = std::mem::take(&mut self.lagged);
                    return Poll::Ready(Some(Delivery { lagged, ..message.deliver(value) }));
                }
                Err(error) => self.node.tell_now(Command::Report(Event::Undecodable {
                    topic: self.topic.name().to_owned(),
                    author: message.id.author,
                    reason: error.to_string(),
                })),
            }
        }
    }
}

impl<T, C> Drop for Subscription<T, C> {
    fn drop(&mut self) {
        // Should the mailbox be full, the next delivery finds the other end closed.
        self.node.tell_now(Command::Unsubscribe(self.token));
    }
}
