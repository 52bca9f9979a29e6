//! Everything that waits in the queue of a world.

use bytes::Bytes;
use multiaddr::Multiaddr;

use super::schedule::Act;
use crate::base::token::Token;
use crate::engine::Input;
use crate::engine::frame::Message;
use crate::protocol::topic::Bucket;

/// What is to happen. Nodes count from 0; `generation` names one start of a node.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A node is told something by its own machine.
    Input { node: u32, generation: u32, input: Input },
    /// A message arrives over a connection.
    Letter { link: u64, to: u32, letter: Letter },
    /// A node's deadline may have come.
    Wake { node: u32, generation: u32 },
    /// A dial arrives where it was meant for.
    Dial { from: u32, generation: u32, token: Token, to: u32, address: Multiaddr },
    /// The dialler learns that its connection is up.
    Up { link: u64, token: Token, address: Multiaddr },
    /// An end of a connection learns that the other is gone.
    Gone { link: u64, end: usize },
    /// An end of a connection pings the other.
    Ping { link: u64, end: usize },
    /// The time of a ping to a paused node is over.
    PingOver { link: u64, end: usize },
    /// A line of the schedule.
    Act(Act),
    /// The node starts for the first time.
    Begin { node: u32 },
    /// Somebody publishes a message.
    Load,
    /// An adversary's turn.
    Scheme { node: u32 },
    /// Time to look at everything.
    Look,
}

/// What travels over a connection.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    /// A question, with its name.
    Ask(u64, Message),
    /// A statement.
    Tell(u64, Message),
    /// An answer to a question.
    Answer(u64, Message),
    /// A statement arrived.
    Arrived(u64),
    /// A copy of a broadcast.
    Copy { author: u32, number: u64, bucket: Bucket, frame: Bytes },
    /// The peer takes part in a bucket.
    Joined(Bucket),
    /// No more.
    Parted(Bucket),
}
