//! Incarnations that are not let in any more, each with the certificate of the quorum that put it
//! out. The driver fills the list, every hello reads it.

use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use hashlink::LinkedHashMap;

use crate::base::id::{Incarnation, NodeId};
use crate::base::limits::MAX_CERTIFICATE;

/// Most nodes barred at once; with more the oldest entry leaves, and its node is told another way.
/// At worst they hold 12 MiB. (Guess: a thousand put out and not back yet are a whole data centre.)
pub(super) const MAX_BARS: usize = 1024;

/// Who is barred.
#[derive(Debug, Default)]
pub(super) struct Bars(RwLock<LinkedHashMap<NodeId, Bar>>);

#[derive(Debug)]
struct Bar {
    /// This one and all before it.
    incarnation: Incarnation,
    certificate: Bytes,
}

impl Bars {
    /// Bars a node's incarnation and those before it, in place of what was barred of it so far. A
    /// certificate above `MAX_CERTIFICATE` is left out: the incarnation is barred all the same.
    pub fn put(&self, node: NodeId, incarnation: Incarnation, certificate: Bytes) {
        let fits = certificate.len() <= MAX_CERTIFICATE;
        let certificate = if fits { certificate } else { Bytes::new() };
        let mut bars = self.0.write().unwrap_or_else(PoisonError::into_inner);
        bars.remove(&node);
        bars.insert(node, Bar { incarnation, certificate });
        if bars.len() > MAX_BARS {
            bars.pop_front();
        }
    }

    /// Lets every incarnation of a node in again.
    pub fn remove(&self, node: NodeId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&node);
    }

    /// The certificate against this incarnation; `None` when it is welcome.
    pub fn against(&self, node: NodeId, incarnation: Incarnation) -> Option<Bytes> {
        let bars = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.get(&node).filter(|bar| incarnation <= bar.incarnation)?;
        Some(bar.certificate.clone())
    }
}
