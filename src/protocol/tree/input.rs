//! What may happen to the room, and what it wants done.

use std::time::Duration;

use super::frame::Name;
use super::wire::Message;
use crate::base::id::NodeId;

/// Everything that can happen to the room.
#[derive(Clone, Debug)]
pub(crate) enum Input<F> {
    /// The deadline came.
    Tick,
    /// A neighbour can be reached by this carrier, or its round trip was measured anew.
    Up {
        /// Who.
        peer: NodeId,
        /// From a question to its answer, where that is known.
        round_trip: Option<Duration>,
    },
    /// A neighbour cannot be reached any more; what was queued for it is lost.
    Down {
        /// Who.
        peer: NodeId,
    },
    /// A neighbour takes part in a bucket. Holds until `Parted`, whether the link is up or not.
    Joined {
        /// Who.
        peer: NodeId,
        /// In what.
        bucket: u16,
    },
    /// A neighbour takes part in a bucket no more.
    Parted {
        /// Who.
        peer: NodeId,
        /// In what.
        bucket: u16,
    },
    /// Our own next frame. It is taken even when `Room(false)` was said: whoever goes on then fills
    /// the memory.
    Publish(F),
    /// A frame came, and was written by whom it says.
    Heard {
        /// Who brought it.
        from: NodeId,
        /// The frame.
        frame: F,
    },
    /// A neighbour said something.
    Told {
        /// Who.
        from: NodeId,
        /// What.
        message: Message,
    },
    /// This node lacks frames, and what came behind them is so much that those who bring more are
    /// to wait; or no more.
    Behind(bool),
    /// A link took some of the bytes that were queued for it.
    Sent {
        /// Whose link.
        peer: NodeId,
        /// How many.
        bytes: usize,
    },
}

/// Everything the room can want.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Output<F> {
    /// Queue a frame for a link, behind those queued before.
    Send {
        /// Whose link.
        to: NodeId,
        /// The frame.
        frame: F,
    },
    /// Tell a neighbour something, before queued frames where that can be.
    Tell {
        /// Whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// A frame came for the first time. They come in the order of arrival.
    Deliver {
        /// Who brought it.
        from: NodeId,
        /// The frame.
        frame: F,
    },
    /// A further copy of a frame came.
    Copy {
        /// Who brought it.
        from: NodeId,
        /// Which.
        name: Name,
    },
    /// Own frames may be published, or have to wait. They may at the beginning.
    Room(bool),
    /// Take no more frames from this neighbour's link for now, or go on. A hold ends with its
    /// link.
    Hold {
        /// Whose link.
        from: NodeId,
        /// Whether it is to wait.
        held: bool,
    },
}
