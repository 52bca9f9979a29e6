//! What users say of faults.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::id::NodeId;
use crate::base::time::duration;

/// Longest delay of a link, jitter included.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(60);

/// Most peers that faults are remembered for.
pub(super) const MAX_PEERS: usize = 4_096;

/// Something wrong with a link, on purpose: for tests, and only on a node that was started with
/// [`Builder::faults`](crate::Builder::faults). The node's own side of the link is disturbed; for a
/// fault that both sides see, tell both.
///
/// Effects of different kinds hold together. What is said of one peer prevails over what is said of
/// all, kind by kind; a cut holds as soon as either says so. A fault stays until it is replaced or
/// cleared, also for connections to come, and ends with the node.
///
/// ```
/// # use gossip_mesh::{Config, Node};
/// # #[tokio::main]
/// # async fn main() -> Result<(), gossip_mesh::Error> {
/// use std::time::Duration;
/// use gossip_mesh::{Fault, FaultEffect};
///
/// let one = Node::builder().config(Config::lab()).faults(true).spawn().await?;
/// let two = Node::builder().config(Config::lab()).spawn().await?;
/// two.connect(one.addresses().await?.remove(0)).await?;
///
/// let slow = FaultEffect::Delay { time: Duration::from_millis(50), jitter: Duration::ZERO };
/// one.fault(Fault::with(two.id(), slow).outbound()).await?;
/// one.fault(Fault::with(two.id(), FaultEffect::Cut)).await?;
/// assert_eq!(one.faults().await?.len(), 2);
///
/// one.fault(Fault::with_all(FaultEffect::Clear)).await?;
/// assert!(one.faults().await?.is_empty());
/// # one.leave().await?; two.leave().await }
/// ```
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// With whom.
    pub peer: FaultPeer,
    /// Which way, as this node sees it.
    pub direction: FaultDirection,
    /// What is wrong.
    pub effect: FaultEffect,
}

/// Whose links a [`Fault`] is on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPeer {
    /// Those with everybody, strangers too. To clear these clears those with single peers too.
    All,
    /// Those with this node.
    One(NodeId),
}

/// Which way a [`Fault`] works.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultDirection {
    /// Both ways.
    Both,
    /// On what this node sends.
    Out,
    /// On what this node receives.
    In,
}

/// What a [`Fault`] does.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultEffect {
    /// Nothing comes through. Connections fall silent and stay open, new ones time out.
    Cut,
    /// Everything comes later, at most a minute, in order.
    Delay {
        /// By so much at least.
        #[serde(with = "duration")]
        time: Duration,
        /// And by up to so much more, drawn for each segment.
        #[serde(default, with = "duration")]
        jitter: Duration,
    },
    /// The probability, from 0 to below 1, that a segment of 1,400 bytes is lost. It comes 200 ms
    /// later then, twice as late with each further loss, and what is behind it waits: as under
    /// TCP, no byte is ever missing.
    Loss(f64),
    /// Bytes per second that come through.
    Rate(NonZeroU64),
    /// Nothing is wrong any more.
    Clear,
}

impl Fault {
    /// A fault of the links with one node, both ways.
    ///
    /// ```
    /// # use gossip_mesh::{Fault, FaultDirection, FaultEffect, SecretKey};
    /// let peer = SecretKey::generate().id();
    /// let slow = Fault::with(peer, FaultEffect::Rate(std::num::NonZeroU64::MIN)).outbound();
    /// assert_eq!(slow.direction, FaultDirection::Out);
    /// ```
    pub const fn with(peer: NodeId, effect: FaultEffect) -> Self {
        Self { peer: FaultPeer::One(peer), direction: FaultDirection::Both, effect }
    }

    /// A fault of all links, both ways.
    pub const fn with_all(effect: FaultEffect) -> Self {
        Self { peer: FaultPeer::All, direction: FaultDirection::Both, effect }
    }

    /// The same, only on what this node sends.
    #[must_use]
    pub const fn outbound(self) -> Self {
        Self { direction: FaultDirection::Out, ..self }
    }

    /// The same, only on what this node receives.
    #[must_use]
    pub const fn inbound(self) -> Self {
        Self { direction: FaultDirection::In, ..self }
    }

    /// Whether it can be.
    pub(super) fn check(&self) -> Result<(), FaultError> {
        match self.effect {
            FaultEffect::Loss(loss) if !(0.0..1.0).contains(&loss) => Err(FaultError::Loss),
            FaultEffect::Delay { time, jitter } if time.saturating_add(jitter) > MAX_DELAY => {
                Err(FaultError::Delay)
            }
            _ => Ok(()),
        }
    }
}

/// Why a [`Fault`] was not set. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// The node was started without the permission.
    #[error("this node must not disturb its links: start it with `faults = true` in its settings")]
    Off,
    /// Not a probability, or a certainty.
    #[error("a loss is at least 0 and below 1 (100 %): to lose everything, cut the link")]
    Loss,
    /// Nobody waits so long.
    #[error("a delay with its jitter is at most 60 s")]
    Delay,
    /// The rules are bounded.
    #[error("faults are remembered for at most 4,096 peers: clear some, or set one for all")]
    TooMany,
}
