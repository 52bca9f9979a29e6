//! The stream of events.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::engine::Event;

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
