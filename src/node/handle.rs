//! `Node`: what a program holds.

use std::sync::Arc;
#[cfg(feature = "api")]
use std::sync::{OnceLock, Weak};

use futures::Stream;
use multiaddr::Multiaddr;
use tokio::sync::broadcast::{self, WeakSender};
use tokio::sync::{mpsc, oneshot, watch};

use super::builder::Builder;
use super::command::Command;
use super::error::Error;
use super::events::Events;
use super::peer::{Member, Overview, Peer};
use super::publish::Publish;
use super::publisher::Publisher;
use super::subscribe::{Handler, Subscribe};
use super::topic::{Message, TopicHandle};
use crate::base::codec::Codec;
use crate::base::id::NodeId;
use crate::config::Config;
use crate::engine::{Event, Recording, Story};
use crate::net::Fault;
use crate::protocol::discovery::Topology;
use crate::protocol::topic::{Delivery, Query, Topic};

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
    shared: Arc<Shared>,
}

struct Shared {
    id: NodeId,
    config: Config,
    commands: mpsc::Sender<Command>,
    events: WeakSender<Event>,
    changes: watch::Receiver<u64>,
    /// Closed when the local API has said its last word; unset without one.
    #[cfg(feature = "api")]
    served: OnceLock<watch::Receiver<()>>,
}

/// A node that may stop while this is held.
#[cfg(feature = "api")]
#[derive(Clone)]
pub struct WeakNode(Weak<Shared>);

#[cfg(feature = "api")]
impl WeakNode {
    pub fn upgrade(&self) -> Result<Node, Error> {
        self.0.upgrade().map(|shared| Node { shared }).ok_or(Error::Stopped)
    }

    /// Ready when the node has stopped. Does not keep it running.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let ended = self.upgrade().map(|node| node.ended());
        async move {
            if let Ok(ended) = ended {
                ended.await;
            }
        }
    }
}

#[cfg(feature = "api")]
impl Node {
    pub(super) fn downgrade(&self) -> WeakNode {
        WeakNode(Arc::downgrade(&self.shared))
    }

    /// Ready when the node has stopped. Does not keep it running.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut changes = self.changes();
        async move { while changes.changed().await.is_ok() {} }
    }

    pub(super) fn is_served(&self, served: watch::Receiver<()>) {
        // Set once, by the builder.
        let _ = self.shared.served.set(served);
    }
}

impl Node {
    /// Begins a node: settings first, then [`Builder::spawn`].
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
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        self.shared.config.name.as_deref().unwrap_or_default()
    }

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

    /// Opens a way for many messages on a topic: it waits for room instead of for a reply to each.
    /// See [`Publisher`].
    ///
    /// # Errors
    /// When the topic's name cannot be one, or the node has stopped.
    pub async fn publisher<T, C: Codec<T>>(
        &self,
        topic: Topic<T, C>,
    ) -> Result<Publisher<T, C>, Error> {
        Publisher::open(self.clone(), topic).await
    }

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

    /// Calls `handler` with each message of a topic, one after another, until the returned
    /// [`Handler`] is dropped. A handler that panics is reported as [`Event::HandlerPanicked`] and
    /// called again with the next message; nothing else is harmed.
    ///
    /// # Errors
    /// As [`Node::subscribe`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let _handler = node.on(CHAT, |line| async move { println!("{}", line.value) }).await?;
    /// # node.leave().await }
    /// ```
    pub async fn on<T, C, F, R>(&self, topic: Topic<T, C>, handler: F) -> Result<Handler, Error>
    where
        T: Send + 'static,
        C: Codec<T> + 'static,
        F: FnMut(Delivery<T>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let subscription = self.subscribe(topic).await?;
        Ok(Handler::new(subscription, handler))
    }

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

    /// All other nodes known, linked or not, those that left among them.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// assert!(node.peers().await?.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn peers(&self) -> Result<Vec<Peer>, Error> {
        self.ask(Command::Peers).await
    }

    /// Who belongs to the mesh as seen from here, this node too, and how each stands: by rising id,
    /// those that left or were put out among them for as long as they are remembered. See
    /// [`Node::peers`] for where others are and what they read, and [`Node::why`] for the reasons.
    /// Dropping it is safe.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Standing};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let members = node.members().await?;
    /// assert_eq!((members.len(), members[0].id), (1, node.id()));
    /// # node.leave().await }
    /// ```
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        self.ask(Command::Members).await
    }

    /// Why a node stands as it stands: what this node found out about it, in order, and in what
    /// condition it is; also why it is *not* down. Of this node itself it tells its refutations,
    /// self-doubts and take-downs. The story of a node never heard of is empty. Dropping it is
    /// safe.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Condition, Config, Node, SecretKey};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let stranger = SecretKey::generate().id();
    /// let story = node.why(stranger).await?;
    /// assert_eq!(story.condition, Condition::Unknown);
    /// assert_eq!(story.headline(&|_| "eve".to_owned()), "eve: never heard of here");
    /// # node.leave().await }
    /// ```
    pub async fn why(&self, node: NodeId) -> Result<Story, Error> {
        self.ask(|reply| Command::Why { node, reply }).await
    }

    /// What came into this node's membership for the last while, to be looked at again elsewhere:
    /// see [`Recording::replay`]. Some MiB, and no secrets. Dropping it is safe.
    ///
    /// # Errors
    /// [`Error::NotRecorded`] when the settings say so, [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Recording};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let saved = node.recording().await?.to_bytes();
    /// let recording = Recording::from_bytes(&saved).unwrap();
    /// assert_eq!(recording.header().node, node.id());
    /// assert!(recording.replay().all(|step| step.unwrap().same));
    /// # node.leave().await }
    /// ```
    pub async fn recording(&self) -> Result<Recording, Error> {
        self.ask(Command::Recording).await?.ok_or(Error::NotRecorded)
    }

    /// This node at this moment: addresses, topics, counters.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).name("ada").spawn().await?;
    /// assert_eq!(node.overview().await?.name, "ada");
    /// # node.leave().await }
    /// ```
    pub async fn overview(&self) -> Result<Overview, Error> {
        self.ask(Command::Overview).await
    }

    /// Where others can dial this node, each ending in `/p2p/` and its id.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let address = node.addresses().await?.remove(0);
    /// assert!(address.to_string().ends_with(&node.id().to_string()));
    /// # node.leave().await }
    /// ```
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, Error> {
        let overview = self.overview().await?;
        Ok(overview.addresses.into_iter().map(|address| self.pinned(address)).collect())
    }

    /// The address with this node's id at its end.
    fn pinned(&self, address: Multiaddr) -> Multiaddr {
        let id = multiaddr::PeerId::from(self.id());
        address.clone().with_p2p(id).unwrap_or(address)
    }

    /// What happens from now on.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Event, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut events = one.events();
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// two.connect(one.addresses().await?.remove(0)).await?;
    /// while let Some(event) = events.next().await {
    ///     if event == (Event::Online { node: two.id(), life: two.overview().await?.life }) {
    ///         break;
    ///     }
    /// }
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub fn events(&self) -> Events {
        match self.shared.events.upgrade() {
            Some(events) => Events::new(events.subscribe()),
            // The node has stopped: an ended stream.
            None => Events::new(broadcast::channel(1).1),
        }
    }

    /// Links with whoever lives at this address; `/p2p/…` at its end pins the id. Where nobody
    /// answers, the address is remembered and tried again in the background. Dropped before it is
    /// ready, the dial goes on.
    ///
    /// # Errors
    /// Linked already, nobody there, not of this network, ourselves.
    ///
    /// ```
    /// # use gossip_mesh::{Config, ConnectError, Error, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// let address = one.addresses().await?.remove(0);
    /// assert_eq!(two.connect(address.clone()).await?, one.id());
    /// let again = two.connect(address).await;
    /// assert_eq!(again, Err(Error::Connect(ConnectError::AlreadyLinked(one.id()))));
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub async fn connect(&self, address: Multiaddr) -> Result<NodeId, Error> {
        Ok(self.ask(|reply| Command::Connect { address, reply }).await??)
    }

    /// Closes the link with a node: it is not dialled, and a link it dials is closed at once, until
    /// told to connect. Whoever is not linked yet is kept off likewise. The other node knows
    /// nothing of this; it tries again, less and less often.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let one = Node::builder().config(Config::lab()).spawn().await?;
    /// let two = Node::builder().config(Config::lab()).spawn().await?;
    /// let id = two.connect(one.addresses().await?.remove(0)).await?;
    /// two.disconnect(id).await?;
    /// # one.leave().await?; two.leave().await }
    /// ```
    pub async fn disconnect(&self, node: NodeId) -> Result<(), Error> {
        self.tell(Command::Disconnect(node)).await
    }

    /// Forgets a node that is gone for good: its card, its addresses, its place among the
    /// neighbours. It is welcome if it comes back in a new life.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, SecretKey};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let long_gone = SecretKey::generate().id();
    /// node.forget(long_gone).await?;
    /// # node.leave().await }
    /// ```
    pub async fn forget(&self, node: NodeId) -> Result<(), Error> {
        self.tell(Command::Forget(node)).await
    }

    /// Changes whom this node wants to be linked with. A node that began with neighbours stays
    /// with them: they change, and whether it mends its neighbourhood.
    ///
    /// # Errors
    /// [`Error::Stopped`]. A change between open and either of the others is refused as a
    /// contradiction of settings, because gossipsub's mesh is set up once; so are degrees that
    /// contradict each other.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, SecretKey, Topology};
    /// # use std::collections::BTreeMap;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let mut config = Config::lab();
    /// config.topology = Topology::Fixed(BTreeMap::new());
    /// let node = Node::builder().config(config).spawn().await?;
    /// let neighbour = SecretKey::generate().id();
    /// let place = "/ip4/127.0.0.1/tcp/7002".parse().unwrap();
    /// node.rewire(Topology::Fixed(BTreeMap::from([(neighbour, vec![place])]))).await?;
    /// # node.leave().await }
    /// ```
    pub async fn rewire(&self, topology: Topology) -> Result<(), Error> {
        if topology.is_open() != self.config().topology.is_open() {
            return Err(Error::Config(crate::config::ConfigError::one(
                "a running node cannot change between an open and a fixed topology: start it \
                 anew with the other one"
                    .to_owned(),
            )));
        }
        if let Some(wrong) = topology.contradiction() {
            return Err(Error::Config(crate::config::ConfigError::one(wrong.to_owned())));
        }
        self.tell(Command::Rewire(topology)).await
    }

    /// Disturbs links of this node on purpose, or ends that: for tests. Dropped before it is ready,
    /// it may or may not have been done.
    ///
    /// # Errors
    /// [`Error::Fault`] where this is not allowed, or cannot be: nothing was changed.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use gossip_mesh::{Error, Fault, FaultEffect, FaultError};
    /// let cut_off = Fault::with_all(FaultEffect::Cut);
    /// let node = Node::builder().config(Config::lab()).faults(true).spawn().await?;
    /// node.fault(cut_off).await?;
    /// assert_eq!(node.faults().await?, [cut_off]);
    /// let other = Node::builder().config(Config::lab()).spawn().await?;
    /// assert_eq!(other.fault(cut_off).await, Err(Error::Fault(FaultError::Off)));
    /// # node.leave().await?; other.leave().await }
    /// ```
    pub async fn fault(&self, fault: Fault) -> Result<(), Error> {
        self.disturb(vec![fault]).await
    }

    /// The same for several, in this order: all or none.
    pub(super) async fn disturb(&self, faults: Vec<Fault>) -> Result<(), Error> {
        Ok(self.ask(|reply| Command::Disturb { faults, reply }).await??)
    }

    /// The faults in force.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// assert!(node.faults().await?.is_empty());
    /// # node.leave().await }
    /// ```
    pub async fn faults(&self) -> Result<Vec<Fault>, Error> {
        self.ask(Command::Faults).await
    }

    /// Says good-bye to all (they see *left*, not *failed*), stops, and returns when sockets and
    /// files are closed. All other verbs give [`Error::Stopped`] from then on. Dropped before it
    /// is ready, the node leaves all the same.
    ///
    /// # Errors
    /// None today; a node that has stopped already is no error.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Error, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// node.leave().await?;
    /// assert_eq!(node.peers().await, Err(Error::Stopped));
    /// # Ok(()) }
    /// ```
    pub async fn leave(&self) -> Result<(), Error> {
        match self.ask(Command::Leave).await {
            Ok(()) | Err(Error::Stopped) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until the node has stopped, whoever made it stop, and its local API has given its last
    /// answers. Dropping it is safe.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let leaving = node.clone();
    /// tokio::spawn(async move { leaving.leave().await });
    /// node.stopped().await;
    /// # Ok(()) }
    /// ```
    pub async fn stopped(&self) {
        self.shared.commands.closed().await;
        #[cfg(feature = "api")]
        if let Some(mut served) = self.shared.served.get().cloned() {
            while served.changed().await.is_ok() {}
        }
    }

    /// Nodes other than this one that read a topic, by their cards.
    pub(super) async fn readers(&self, topic: &str) -> Result<Vec<NodeId>, Error> {
        let topic = topic.to_owned();
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
    stream::<super::subscribe::Subscription<String>>();
};
