//! Where every connection has to pass: settings, limits, and what the driver can ask.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use libp2p::PeerId;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::{ConnectedPoint, Endpoint};

use super::acquaintances::{Acquaintances, Introduced};
use super::bars::Bars;
use super::dialogue::{Credentials, converse, introduce};
use super::line::Line;
use super::proof::{ProofKey, Role};
use super::stats::{Counters, HelloStats};
use super::wire::Introduction;
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::key::NetworkKey;
use crate::net::refusal::{HelloError, HelloFailure, Limits, Refusal};

/// What a node says in its hellos, and how patient it is.
#[derive(Clone, Debug)]
pub(crate) struct HelloSettings {
    /// This node.
    pub me: NodeId,
    /// The name of the network; other names are refused. A name by `base::name`.
    pub network: String,
    /// The secret of the network; without it the network is open to all who know its name.
    pub key: Option<NetworkKey>,
    /// Which start of this node.
    pub life: Life,
    /// Largest payload of a message, in bytes; the same on every node.
    pub max_message_bytes: u64,
    /// Over how many gossipsub topics our topics are spread; the same on every node.
    pub buckets: u16,
    /// What this node can do beyond the format version. At most 32 of at most 64 bytes.
    pub features: BTreeSet<String>,
    /// Program and version, for people. A name by `base::name`.
    pub agent: String,
    /// Longest time for a whole hello.
    pub timeout: Duration,
    /// Most incoming hellos at once. One more is told that we are busy; when there are twice as
    /// many, the next ones end without a word. Our own dials are limited where they begin.
    pub max_under_way: usize,
}

/// The hello of this node. Clones share one state.
#[derive(Clone)]
pub(crate) struct Hello(Arc<Desk>);

struct Desk {
    me: PeerId,
    /// Taken at the start of every hello; only the incarnation in it ever changes.
    own: RwLock<Arc<Credentials>>,
    said: Said,
    bars: Bars,
    timeout: Duration,
    max_under_way: usize,
    counters: Counters,
    acquaintances: Acquaintances,
}

/// What an introduction says beside the incarnation.
struct Said {
    limits: Limits,
    features: BTreeSet<String>,
    agent: String,
}

impl Said {
    fn introduction(&self, incarnation: Incarnation) -> Vec<u8> {
        let (features, agent) = (self.features.clone(), self.agent.clone());
        introduce(&Introduction { incarnation, limits: self.limits, features, agent })
    }
}

impl Hello {
    /// The hello that follows these settings.
    pub(crate) fn new(settings: HelloSettings) -> Self {
        let HelloSettings { max_message_bytes, buckets, life, features, agent, .. } = settings;
        let limits = Limits { max_message_bytes, buckets };
        let said = Said { limits, features, agent };
        let me = settings.me.into();
        let own = Credentials {
            me,
            key: ProofKey::new(&settings.network, settings.key.as_ref()),
            network: settings.network,
            limits,
            introduction: said.introduction(Incarnation { life, refutations: 0 }),
        };
        Self(Arc::new(Desk {
            me,
            own: RwLock::new(Arc::new(own)),
            said,
            bars: Bars::default(),
            timeout: settings.timeout,
            max_under_way: settings.max_under_way,
            counters: Counters::default(),
            acquaintances: Acquaintances::default(),
        }))
    }

    /// What the peer said of itself in the hello of this connection. To be called once for every
    /// connection the swarm reports; forgets it. `None` only for a connection that did not pass
    /// here, or after a thousand others.
    pub(crate) fn take(&self, peer: &PeerId, point: &ConnectedPoint) -> Option<Introduced> {
        self.0.acquaintances.take(peer, point)
    }

    /// Says from now on that this node is in this incarnation. Hellos under way do not change.
    pub(crate) fn rise(&self, incarnation: Incarnation) {
        let introduction = self.0.said.introduction(incarnation);
        let mut own = self.0.own.write().unwrap_or_else(PoisonError::into_inner);
        *own = Arc::new(Credentials { introduction, ..Credentials::clone(&own) });
    }

    /// Refuses this incarnation of a node and those before it, with the certificate of the quorum
    /// that put it out. At most 1,024 nodes: with more the oldest entry leaves. A certificate above
    /// `MAX_CERTIFICATE` is not sent along.
    pub(crate) fn bar(&self, node: NodeId, incarnation: Incarnation, certificate: Bytes) {
        self.0.bars.put(node, incarnation, certificate);
    }

    /// Refuses no incarnation of a node any more.
    pub(crate) fn unbar(&self, node: NodeId) {
        self.0.bars.remove(node);
    }

    /// Counts an incoming connection that ended before its hello began.
    pub(crate) fn never_began(&self, error: HelloError) {
        self.0.counters.count::<()>(&Err(error));
    }

    /// How the hellos went so far.
    pub(crate) fn stats(&self) -> HelloStats {
        self.0.counters.snapshot()
    }

    /// Says hello on a fresh connection and hands it on when both sides agree.
    ///
    /// # Errors
    /// Why not; the connection is gone then, and the peer knows the reason if it is a refusal.
    pub(crate) async fn greet(
        self,
        peer: PeerId,
        muxer: StreamMuxerBox,
        point: ConnectedPoint,
    ) -> Result<(PeerId, StreamMuxerBox), HelloFailure> {
        let mut line = Line::new(muxer);
        let end = self.0.meet(&peer, &mut line, role_at(&point)).await;
        self.0.counters.count(&end);
        match end {
            Ok(introduced) => {
                self.0.acquaintances.note(&peer, &point, introduced);
                Ok((peer, line.into_muxer()))
            }
            Err(error) => Err(HelloFailure { peer: peer.into(), error }),
        }
    }
}

impl Desk {
    async fn meet(
        &self,
        peer: &PeerId,
        line: &mut Line,
        role: Role,
    ) -> Result<Introduced, HelloError> {
        if *peer == self.me {
            return Err(HelloError::RefusedByUs(Refusal::Ourselves));
        }
        let slot = matches!(role, Role::Listener).then(|| self.counters.enter());
        let taken = slot.as_ref().map_or(0, |slot| slot.taken);
        let busy = HelloError::RefusedByUs(Refusal::Busy);
        if taken > self.max_under_way.saturating_mul(2) {
            return Err(busy);
        }

        let own = self.own.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut stream = None;
        let hello = async {
            let stream = stream.insert(line.first_stream(role).await?);
            if taken > self.max_under_way {
                return Err(busy);
            }
            line.drive(converse(stream, &own, &self.bars, peer, role)).await
        };
        let end = match tokio::time::timeout(self.timeout, hello).await {
            Ok(end) => end,
            Err(_elapsed) => Err(HelloError::Silence),
        };
        if let (Err(HelloError::RefusedByUs(why)), Some(stream)) = (&end, &mut stream) {
            line.part(stream, why).await;
        }
        let Introduction { incarnation, features, agent, .. } = end?;
        Ok(Introduced { peer: (*peer).into(), incarnation, features, agent })
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("me", &self.0.me).finish_non_exhaustive()
    }
}

/// Who opens the first stream. In a hole punch both ends dial, and one plays the listener.
fn role_at(point: &ConnectedPoint) -> Role {
    match point {
        ConnectedPoint::Dialer { role_override: Endpoint::Dialer, .. } => Role::Dialer,
        ConnectedPoint::Dialer { .. } | ConnectedPoint::Listener { .. } => Role::Listener,
    }
}
