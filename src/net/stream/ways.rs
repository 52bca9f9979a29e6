//! The connections with one peer, and the streams on them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use libp2p::swarm::ConnectionId;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::queue::Queue;
use super::report::StreamId;
use crate::base::time::Time;

/// First wait before a stream that broke is opened again over the same connection. It doubles.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// Longest wait. A stream that lived longer begins anew with the first.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Runs as long as it is held.
#[derive(Debug)]
pub(super) struct Task(AbortHandle);

impl Task {
    pub fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work).abort_handle())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Our stream to a peer.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub connection: ConnectionId,
    pub stream: StreamId,
    pub queue: Arc<Queue>,
    pub since: Time,
    pub _task: Task,
}

/// A stream that a peer opened.
#[derive(Debug)]
pub(super) struct Incoming {
    pub stream: StreamId,
    pub _task: Task,
}

/// Open a stream over this connection, after this time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Attempt {
    pub connection: ConnectionId,
    pub after: Duration,
}

/// Everything with one peer. At most one stream of ours, and one of the peer's per connection.
#[derive(Debug)]
pub(super) struct Ways {
    /// Oldest first; never empty.
    connections: Vec<ConnectionId>,
    opening: Option<ConnectionId>,
    outgoing: Option<Outgoing>,
    incoming: HashMap<ConnectionId, Incoming>,
    /// While true, the peer's batches are not read.
    held: watch::Sender<bool>,
    pause: Duration,
}

impl Ways {
    pub fn new() -> Self {
        Self {
            connections: Vec::new(),
            opening: None,
            outgoing: None,
            incoming: HashMap::new(),
            held: watch::Sender::new(false),
            pause: MIN_PAUSE,
        }
    }

    pub const fn is_over(&self) -> bool {
        self.connections.is_empty()
    }

    pub const fn outgoing(&self) -> Option<&Outgoing> {
        self.outgoing.as_ref()
    }

    /// A connection began. It is tried at once, whatever became of those before.
    pub fn add(&mut self, connection: ConnectionId) -> Option<Attempt> {
        self.connections.push(connection);
        self.pause = MIN_PAUSE;
        if self.outgoing.is_some() { None } else { self.attempt(Duration::ZERO) }
    }

    /// A connection ended, and its streams with it. True when ours was among them; then the next
    /// connection is tried at once.
    pub fn remove(&mut self, connection: ConnectionId) -> (bool, Option<Attempt>) {
        self.connections.retain(|other| *other != connection);
        self.incoming.remove(&connection);
        let down = self.take_outgoing(|out| out.connection == connection).is_some();
        let given_up = self.opening.take_if(|opening| *opening == connection).is_some();
        let attempt = (down || given_up).then(|| self.attempt(Duration::ZERO)).flatten();
        (down, attempt)
    }

    /// Is this the stream that was asked for? If so it is no longer awaited.
    pub fn expects(&mut self, connection: ConnectionId) -> bool {
        self.opening.take_if(|opening| *opening == connection).is_some()
    }

    /// Our stream is open.
    pub fn open(&mut self, outgoing: Outgoing) {
        self.outgoing = Some(outgoing);
    }

    /// The peer's batches are to wait, or not; until our stream ends.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held && self.outgoing.is_some());
    }

    /// The peer opened a stream, which takes the place of an earlier one over this connection.
    /// Nothing for a connection that is gone.
    pub fn accept(
        &mut self,
        connection: ConnectionId,
        incoming: impl FnOnce(watch::Receiver<bool>) -> Incoming,
    ) {
        if self.connections.contains(&connection) {
            // The earlier one ends first.
            self.incoming.remove(&connection);
            self.incoming.insert(connection, incoming(self.held.subscribe()));
        }
    }

    /// A stream ended. True when it was ours; then it is tried again after a while.
    pub fn ended(&mut self, stream: StreamId, now: Time) -> (bool, Option<Attempt>) {
        self.incoming.retain(|_, incoming| incoming.stream != stream);
        let Some(out) = self.take_outgoing(|out| out.stream == stream) else {
            return (false, None);
        };
        if now.since(out.since) > MAX_PAUSE {
            self.pause = MIN_PAUSE;
        }
        (true, self.retry())
    }

    /// Tries again, later from time to time.
    pub fn retry(&mut self) -> Option<Attempt> {
        let after = self.pause;
        self.pause = self.pause.saturating_mul(2).min(MAX_PAUSE);
        self.attempt(after)
    }

    fn take_outgoing(&mut self, is_it: impl FnOnce(&mut Outgoing) -> bool) -> Option<Outgoing> {
        let outgoing = self.outgoing.take_if(is_it);
        if outgoing.is_some() {
            self.held.send_replace(false);
        }
        outgoing
    }

    /// The newest connection is tried: with a new life of the peer it is the one that lives.
    fn attempt(&mut self, after: Duration) -> Option<Attempt> {
        let connection = self.connections.last().copied()?;
        self.opening = Some(connection);
        Some(Attempt { connection, after })
    }
}
