//! A node as the local API holds it: it does not keep the node running.

use std::sync::{Arc, Weak};

use tokio::sync::watch;

use super::error::Error;
use super::handle::{Node, Shared};

/// A node that may stop while this is held.
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
