//! The stream of events.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::handle::Node;
use crate::engine::Event;

impl Node {
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
}

/// What happens on a node, from the moment of the call of [`Node::events`](crate::Node::events)
/// on. Ends when the node stops. A reader that falls more than 1,024 events behind gets
/// [`Event::EventsLagged`] in place of those it missed.
pub struct Events {
    waiting: Pin<Box<dyn Stream<Item = Event> + Send>>,
}

impl Events {
    pub(super) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        let next = |mut receiver: broadcast::Receiver<Event>| async move {
            match receiver.recv().await {
                Ok(event) => Some((event, receiver)),
                Err(RecvError::Lagged(missed)) => Some((Event::EventsLagged { missed }, receiver)),
                Err(RecvError::Closed) => None,
            }
        };
        Self { waiting: Box::pin(futures::stream::unfold(receiver, next)) }
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.waiting.as_mut().poll_next(cx)
    }
}
