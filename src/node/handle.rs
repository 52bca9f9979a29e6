//! `Node`: what a program holds. Its verbs stand in the files named like them; `mod.rs` lists them.

use std::sync::Arc;
#[cfg(feature = "api")]
use std::sync::OnceLock;

use futures::Stream;
use tokio::sync::broadcast::WeakSender;
use tokio::sync::{mpsc, oneshot, watch};

use super::builder::Builder;
use super::command::Command;
use super::error::Error;
use super::subscribe::Subscription;
use crate::base::id::NodeId;
use crate::base::pattern::check_readable;
use crate::config::Config;
use crate::engine::Event;
use crate::protocol::topic::TopicError;

/// A running node. Cheap to clone; all clones are the same node. It stops when it
/// [leaves](Node::leave), or when the last clone and the last subscription are dropped: then
/// without a good-bye, and others find out by themselves.
///
/// Every `async fn` here may be dropped before it is ready; what that means stands with each.
///
/// ```no_run
/// use futures::StreamExt;
/// use gossip_mesh::{Node, Topic};
///
/// const CHAT: Topic<String> = Topic::new("chat");
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), gossip_mesh::Error> {
/// let node = Node::builder().bootstrap("/dns4/seed.example/tcp/4001").spawn().await?;
/// let mut lines = node.subscribe(CHAT).await?;
/// node.publish(CHAT, &"hello".to_string()).await?;
/// while let Some(line) = lines.next().await {
///     println!("{}: {}", line.author, line.value);
/// }
/// node.leave().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Node {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) id: NodeId,
    pub(super) config: Config,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) events: WeakSender<Event>,
    pub(super) changes: watch::Receiver<u64>,
    /// Closed when the local API has said its last word; unset without one.
    #[cfg(feature = "api")]
    pub(super) served: OnceLock<watch::Receiver<()>>,
}

impl Node {
    /// Begins a node: settings first, then [`Builder::spawn`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).name("ada").spawn().await?;
    /// # node.leave().await }
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(super) fn new(
        id: NodeId,
        config: Config,
        commands: mpsc::Sender<Command>,
        events: WeakSender<Event>,
        changes: watch::Receiver<u64>,
    ) -> Self {
        let shared = Shared {
            id,
            config,
            commands,
            events,
            changes,
            #[cfg(feature = "api")]
            served: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Who this node is.
    pub fn id(&self) -> NodeId {
        self.shared.id
    }

    /// The settings it runs with.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).network("home").spawn().await?;
    /// assert_eq!(node.config().network, "home");
    /// # node.leave().await }
    /// ```
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        self.shared.config.name.as_deref().unwrap_or_default()
    }

    /// Nodes other than this one that read a topic, by their cards.
    pub(super) async fn readers(&self, topic: &str) -> Result<Vec<NodeId>, Error> {
        let topic = topic.to_owned();
        // Nobody can ever read what has no name, and who waits would wait for ever.
        if let Err(reason) = check_readable(&topic) {
            return Err(TopicError::BadName { name: topic, reason }.into());
        }
        self.ask(|reply| Command::Readers { topic, reply }).await
    }

    /// Ready whenever what is known of nodes may have changed.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.clone()
    }

    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.map_err(|_| Error::Stopped)
    }

    pub(super) async fn tell(&self, command: Command) -> Result<(), Error> {
        self.shared.commands.send(command).await.map_err(|_| Error::Stopped)
    }

    /// Tells without waiting, from where nobody can wait. A full mailbox loses it.
    pub(super) fn tell_now(&self, command: Command) {
        // What is lost here is found by the driver itself: see the callers.
        let _ = self.shared.commands.try_send(command);
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("id", &self.id()).field("name", &self.name()).finish()
    }
}

// A subscription is what users hold most; it must go wherever their tasks go.
const _: fn() = || {
    fn sendable<T: Send + Sync>() {}
    fn stream<T: Stream + Send + Unpin>() {}
    sendable::<Node>();
    stream::<Subscription<String>>();
};
