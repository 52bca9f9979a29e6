//! What a subscriber gets.

use super::wire::MessageId;
use crate::base::id::NodeId;
use crate::base::time::WallTime;
use crate::base::trace_context::TraceContext;

/// One message of a topic, decoded. A subscription gets every message once.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Delivery<T> {
    /// Names the message for ever.
    pub id: MessageId,
    /// The member that published it, proved by its signature. For a message from outside: the
    /// member through whose door it came.
    pub author: NodeId,
    /// The author outside the members, when it came in through a door: its libp2p peer id. The
    /// member at the door vouches for it.
    pub foreign_author: Option<String>,
    /// What was sent.
    pub value: T,
    /// When the author sent it, on the author's clock.
    pub sent: WallTime,
    /// When the first copy came here, on this node's clock.
    pub received: WallTime,
    /// How many messages of this author on this topic, right before this one, could not be
    /// repaired and are lost. 0 is the rule.
    pub missed: u64,
    /// How many messages this subscription missed right before this one, of whatever author and
    /// topic, because it did not take them in time. 0 is the rule.
    pub lagged: u64,
    /// The place in a trace of the publisher's that it belongs to, when the publisher gave one.
    pub trace_context: Option<TraceContext>,
    /// Whether it was published before the subscription began, and comes because of its
    /// [`last`](crate::Subscribe::last) or [`since`](crate::Subscribe::since). What is missing
    /// between such messages is not counted in `missed`.
    pub earlier: bool,
}
