//! Many messages on one topic, as fast as the network takes them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::task::AtomicWaker;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, TryAcquireError, mpsc};

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use crate::base::codec::{Cbor, Codec};
use crate::base::pattern::check_topic;
use crate::base::trace_context::TraceContext;
use crate::protocol::topic::{Topic, TopicError};

/// Most messages between a publisher and the driver.
const MESSAGES: usize = 1_024;

/// Most bytes between a publisher and the driver. A larger message passes alone.
const BYTES: u32 = 2 * 1024 * 1024;

/// Most messages that the driver takes from one publisher before it is the next one's turn.
const BATCH: usize = 256;

impl Node {
    /// Opens a way for many messages on a topic: it waits for room instead of for a reply to each.
    /// See [`Publisher`].
    ///
    /// # Errors
    /// When the topic's name cannot be one, or the node has stopped.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const TICKS: Topic<u64> = Topic::new("ticks");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let publisher = node.publisher(TICKS).await?;
    /// publisher.send(&1).await?;
    /// publisher.flush().await?;
    /// # node.leave().await }
    /// ```
    pub async fn publisher<T, C: Codec<T>>(
        &self,
        topic: Topic<T, C>,
    ) -> Result<Publisher<T, C>, Error> {
        Publisher::open(self.clone(), topic).await
    }
}

/// Publishes on one topic, without waiting for a reply to every message: [`send`](Self::send)
/// waits only while the outbox is full, [`try_send`](Self::try_send) never.
///
/// The guarantees are those of [`Node::publish`]: order, no duplicates, repair. What was sent is on
/// its way in the order of the calls; [`flush`](Self::flush) waits until the node has taken all of
/// it. A message that is accepted here and cannot go out in time is told as an event.
///
/// What queue groups share goes to their members in turn, and each message on its own: that is
/// slower, and [`send`](Self::send) then waits for members to confirm, too.
///
/// ```
/// # use futures::StreamExt;
/// # use gossip_mesh::{Config, Node, Topic};
/// # #[tokio::main]
/// # async fn main() -> Result<(), gossip_mesh::Error> {
/// const TICKS: Topic<u64> = Topic::new("ticks");
/// let one = Node::builder().config(Config::lab()).spawn().await?;
/// let two = Node::builder().config(Config::lab()).spawn().await?;
/// two.connect(one.addresses().await?.remove(0)).await?;
/// let mut ticks = two.subscribe(TICKS).await?;
/// one.topic(TICKS).wait_for_reader().await?;
///
/// let publisher = one.publisher(TICKS).await?;
/// for tick in 0..1_000 {
///     publisher.send(&tick).await?;
/// }
/// for tick in 0..1_000 {
///     assert_eq!(ticks.next().await.unwrap().value, tick);
/// }
/// # one.leave().await?; two.leave().await }
/// ```
pub struct Publisher<T, C = Cbor> {
    topic: Topic<T, C>,
    to: mpsc::Sender<Payload>,
    room: Arc<Semaphore>,
    max_message: usize,
    node: Node,
}

impl<T, C: Codec<T>> Publisher<T, C> {
    pub(super) async fn open(node: Node, topic: Topic<T, C>) -> Result<Self, Error> {
        let name = topic.name().to_owned();
        if let Err(reason) = check_topic(&name) {
            return Err(TopicError::BadName { name, reason }.into());
        }
        let (to, from) = mpsc::channel(MESSAGES);
        let room = Arc::new(Semaphore::new(BYTES as usize));
        let outgoing = Outgoing {
            topic: name,
            foreign: topic.is_foreign(),
            compressed: topic.is_compressed(),
            from,
            room: Arc::clone(&room),
            gate: Arc::default(),
        };
        node.tell(Command::Publisher(outgoing)).await?;
        let max_message = node.config().topic.max_message_bytes;
        Ok(Self { topic, to, room, max_message, node })
    }

    /// The topic.
    pub fn topic(&self) -> &Topic<T, C> {
        &self.topic
    }

    /// Sends a message, after waiting until there is room for it. Dropped before it is ready, the
    /// message is not sent.
    ///
    /// # Errors
    /// When the value cannot be encoded, is larger than `topic.max_message_bytes`, or the node has
    /// stopped.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const TICKS: Topic<u64> = Topic::new("ticks");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let ticks = node.publisher(TICKS).await?;
    /// for tick in 0..3 {
    ///     ticks.send(&tick).await?;
    /// }
    /// ticks.flush().await?;
    /// # node.leave().await }
    /// ```
    pub async fn send(&self, value: &T) -> Result<(), Error> {
        self.put((self.encode(value)?, None)).await
    }

    /// As [`send`](Self::send), with the place in a trace of the program's that the message belongs
    /// to. See [`Publish::trace_context`](super::Publish::trace_context).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// ```
    /// # use futures::StreamExt;
    /// # use gossip_mesh::{Config, Node, Topic, TraceContext};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// const TICKS: Topic<u64> = Topic::new("ticks");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut ticks = node.subscribe(TICKS).own_messages().await?;
    /// let publisher = node.publisher(TICKS).await?;
    /// let span = TraceContext::new([0x4b; 16], [7; 8], 1).unwrap();
    /// publisher.send_traced(&1, span).await?;
    /// assert_eq!(ticks.next().await.unwrap().trace_context, Some(span));
    /// # node.leave().await }
    /// ```
    pub async fn send_traced(&self, value: &T, context: TraceContext) -> Result<(), Error> {
        self.put((self.encode(value)?, Some(context))).await
    }

    async fn put(&self, payload: Payload) -> Result<(), Error> {
        let permits = cost(&payload);
        let room = self.room.acquire_many(permits).await.map_err(|_| Error::Stopped)?;
        self.to.send(payload).await.map_err(|_| Error::Stopped)?;
        room.forget();
        Ok(())
    }

    /// Sends a message if there is room for it now.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`TopicError::WaitingFull`] when there is no room: then nothing
    /// is sent.
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use gossip_mesh::{Error, TopicError};
    /// const TICKS: Topic<u64> = Topic::new("ticks");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let ticks = node.publisher(TICKS).await?;
    /// match ticks.try_send(&1) {
    ///     Ok(()) => println!("on its way"),
    ///     Err(Error::Topic(TopicError::WaitingFull { .. })) => println!("dropped: too fast"),
    ///     Err(error) => return Err(error),
    /// }
    /// # node.leave().await }
    /// ```
    pub fn try_send(&self, value: &T) -> Result<(), Error> {
        let payload = (self.encode(value)?, None);
        let full = || TopicError::WaitingFull {
            topic: self.topic.name().to_owned(),
            waiting: MESSAGES.saturating_sub(self.to.capacity()),
        };
        let room = self.room.try_acquire_many(cost(&payload)).map_err(|reason| match reason {
            TryAcquireError::Closed => Error::Stopped,
            TryAcquireError::NoPermits => full().into(),
        })?;
        self.to.try_send(payload).map_err(|reason| match reason {
            TrySendError::Closed(_) => Error::Stopped,
            TrySendError::Full(_) => full().into(),
        })?;
        room.forget();
        Ok(())
    }

    /// Waits until the node has taken everything that was sent.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// ```
    /// # use gossip_mesh::{Config, Node, Topic};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), gossip_mesh::Error> {
    /// use futures::StreamExt;
    /// const TICKS: Topic<u64> = Topic::new("ticks");
    /// let node = Node::builder().config(Config::lab()).spawn().await?;
    /// let mut here = node.subscribe(TICKS).own_messages().await?;
    /// let ticks = node.publisher(TICKS).await?;
    /// ticks.send(&1).await?;
    /// ticks.flush().await?;
    /// assert_eq!(here.next().await.unwrap().value, 1);
    /// # node.leave().await }
    /// ```
    pub async fn flush(&self) -> Result<(), Error> {
        self.room.acquire_many(BYTES).await.map(drop).map_err(|_| Error::Stopped)
    }

    fn encode(&self, value: &T) -> Result<Bytes, Error> {
        let payload = C::encode(value)?;
        let (bytes, max) = (payload.len(), self.max_message);
        match bytes <= max {
            true => Ok(payload.into()),
            false => Err(TopicError::TooLarge { bytes, max }.into()),
        }
    }
}

impl<T, C> std::fmt::Debug for Publisher<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("node", &self.node).finish_non_exhaustive()
    }
}

/// A payload, and the place in a trace it belongs to.
type Payload = (Bytes, Option<TraceContext>);

/// What a message takes of the room: its bytes, and the memory around them.
fn cost((payload, _): &Payload) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX).saturating_add(64).min(BYTES)
}

/// The driver's end of a publisher.
#[derive(Debug)]
pub struct Outgoing {
    topic: String,
    foreign: bool,
    compressed: bool,
    from: mpsc::Receiver<Payload>,
    room: Arc<Semaphore>,
    gate: Arc<Gate>,
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // Who waits for room is to hear that there will be none: the node has stopped.
        self.room.close();
    }
}

/// Closed while the topic takes nothing.
#[derive(Debug, Default)]
pub struct Gate {
    closed: AtomicBool,
    waker: AtomicWaker,
}

impl Gate {
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub fn open(&self) {
        if self.closed.swap(false, Ordering::AcqRel) {
            self.waker.wake();
        }
    }
}

/// Messages of one publisher, to be given to the engine.
#[derive(Debug)]
pub struct Sent {
    pub topic: String,
    pub foreign: bool,
    pub compressed: bool,
    pub payloads: VecDeque<Payload>,
    pub gate: Arc<Gate>,
}

impl Stream for Outgoing {
    type Item = Sent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Sent>> {
        let this = self.get_mut();
        this.gate.waker.register(cx.waker());
        if this.gate.closed.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let mut payloads = Vec::new();
        match this.from.poll_recv_many(cx, &mut payloads, BATCH) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(0) => Poll::Ready(None),
            Poll::Ready(_) => {
                let taken: u32 = payloads.iter().map(cost).sum();
                this.room.add_permits(taken as usize);
                let (topic, gate) = (this.topic.clone(), Arc::clone(&this.gate));
                let (foreign, compressed) = (this.foreign, this.compressed);
                let payloads = payloads.into();
                Poll::Ready(Some(Sent { topic, foreign, compressed, payloads, gate }))
            }
        }
    }
}
