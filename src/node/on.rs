//! Messages on their way in, to a callback.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::{FutureExt, StreamExt};
use tokio::task::JoinHandle;

use super::command::Command;
use super::error::Error;
use super::handle::Node;
use super::subscribe::Subscription;
use crate::base::codec::Codec;
use crate::engine::Event;
use crate::protocol::topic::{Delivery, Topic};

impl Node {
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
}

/// A callback that is being called. Dropping it ends the subscription; a call under way ends
/// where it next awaits.
#[must_use = "dropping it ends the subscription"]
#[derive(Debug)]
pub struct Handler {
    task: JoinHandle<()>,
}

impl Handler {
    fn new<T, C, F, R>(subscription: Subscription<T, C>, handler: F) -> Self
    where
        T: Send + 'static,
        C: Codec<T> + 'static,
        F: FnMut(Delivery<T>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self { task: tokio::spawn(call_each(subscription, handler)) }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn call_each<T, C, F, R>(mut subscription: Subscription<T, C>, mut handler: F)
where
    C: Codec<T>,
    F: FnMut(Delivery<T>) -> R,
    R: Future<Output = ()>,
{
    while let Some(delivery) = subscription.next().await {
        // What the handler left half done is its own; we share nothing with it.
        let call = AssertUnwindSafe(async { handler(delivery).await });
        if let Err(panic) = call.catch_unwind().await {
            let topic = subscription.topic().name().to_owned();
            let message = panic_message(panic.as_ref());
            let report = Command::Report(Event::HandlerPanicked { topic, message });
            if subscription.node.tell(report).await.is_err() {
                return;
            }
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it did not say why".to_owned())
}
