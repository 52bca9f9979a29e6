//! The membership room: who is linked with us, in which life, and who said good-bye.
//!
//! The quorum protocol that finds the dead comes into this room next; what stands here is what it
//! needs below it: exactly one link per peer, and a record of every node's life.
//!
//! # Spec
//!
//! Links:
//! - upon the first connection with a peer: it is the link; the peer is `Alive`, its life noted.
//! - upon a second connection in the same life within `tie_window`: one is kept. Dialled from
//!   different sides: the one that the smaller id dialled. Dialled from the same side: the newer.
//!   The other is closed after `tie_grace`, so that what is under way on it arrives; by the side
//!   that did not dial only after `tie_patience`, because it may see the two in the other order.
//! - upon a later second connection, or one in a newer life: the peer knows nothing of the link we
//!   hold. Everything to it is closed, the new connection too, because gossipsub tells its topics
//!   only to a peer it has no connection with. The peer dials again at once and meets a clean
//!   slate.
//! - upon a connection in an older life, or in one that ended with a good-bye: it is closed; it is
//!   a leftover.
//! - upon `misses` failed pings in a row on a link, or `slow_limit` complaints of gossipsub about a
//!   slow peer within `slow_window`: all connections to it are closed, to be dialled again.
//! - upon a connection while all others to the peer are being closed: it is closed with them.
//! - upon the end of the last connection: the peer is not linked; `Unreachable` unless it left.
//!
//! Leaving:
//! - upon the leave command: every linked peer, and who links until the end, is asked to note a
//!   signed `Left` record; when all have answered, or after `leave_patience`, the node may stop.
//! - upon a valid `Left` record that is news: the node is `Left`, its record is passed to all
//!   linked peers but the one it came from and those who left. News it is of a node that is known,
//!   by its link, its card or an earlier record. Others are ignored: anybody can make up nodes that
//!   say good-bye, and who never knew the node needs none.
//! - upon a forged `Left` record: it is counted, and the rest of the message is not read.
//! - upon a link: the records of the last `remember_left` go to the peer, so that who was away
//!   learns them. Their age travels with them, so that they end everywhere at about the same time.
//! - upon a link or a card with a higher life: the node is back.
//!
//! Knowing:
//! - upon a card: its node is `Alive` when it was not known, or known in an older life. A card of
//!   the same life revives nobody, because old cards still travel while a node is being missed.
//! - upon the end of its link, its card and its record: a node is not known any more.
//!
//! # Invariants
//!
//! 1. At most one link per peer is reported to the other rooms, and `Linked` and `Unlinked`
//!    alternate per peer.
//! 2. The life recorded for a node never falls while it is known.
//! 3. Nobody is `Left` without a record signed by its own key.
//! 4. Records kept and passed on are bounded by `max_left`, members by these, the links and the
//!    cards.

mod certificate;
mod config;
mod finding;
mod left;
mod link;
mod machine;
#[cfg(test)]
mod tests;
mod threshold;
mod wire;

pub use certificate::{Flaw, MAX_VOTES};
pub use config::{MembershipConfig, SelfReset};
pub use finding::{Finding, GoingDownReason, Reprieve};
/// Most pieces of news in one message.
pub(crate) const MAX_NEWS: usize = 64;

/// Most records in one page.
pub(crate) const MAX_PAGE: usize = 256;

pub(crate) use link::{Link, LinkId};
#[cfg(feature = "net")]
pub(crate) use machine::Member;
pub(crate) use machine::{Input, MembershipMachine, Output};
pub use machine::{MembershipStats, Standing};
pub use threshold::{BadThreshold, Threshold};
pub(crate) use wire::Message;
pub use wire::{Alive, Certificate, Phase, Statement, Verdict, Vote};
