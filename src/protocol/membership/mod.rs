//! The membership room: who is there, in which life, and who said good-bye.
//!
//! The quorum protocol that finds the dead comes into this room next; what stands here is what it
//! needs below it: a record of every node's life.
//!
//! # Spec
//!
//! Links:
//! - upon a link: the peer is `Alive`, its life noted.
//! - upon a link in an older life, or in one that ended with a good-bye: `Unlink`; until it is gone
//!   nothing is asked over it, and its end means nothing.
//! - upon the end of a link: the peer is `Unreachable` unless it left.
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
//! 1. The life recorded for a node never falls while it is known.
//! 2. Nobody is `Left` without a record signed by its own key.
//! 3. Records kept and passed on are bounded by `max_left`, members by these, the links and the
//!    cards.

mod agenda;
mod birth;
mod certificate;
mod config;
mod desk;
mod doubt;
mod electorate;
mod finding;
mod holders;
mod leaving;
mod left;
mod machine;
mod meeting;
mod news;
mod observers;
mod probe;
mod probing;
mod refute;
mod roll;
mod round;
mod rows;
mod say;
mod suspecting;
mod sweep;
#[cfg(test)]
mod tests;
mod threshold;
mod vote;
mod watch;
mod wire;
mod witness;

pub use certificate::{Flaw, MAX_VOTES};
pub use config::{MembershipConfig, SelfReset};
pub use finding::{Finding, GoingDownReason, Reprieve};
/// Most pieces of news in one message.
pub(crate) const MAX_NEWS: usize = 64;

/// Most records in one page.
pub(crate) const MAX_PAGE: usize = 256;

#[cfg(feature = "net")]
pub(crate) use machine::Member;
pub(crate) use machine::{Input, MembershipMachine, Output, Saved, Settings};
pub(crate) use roll::Roll;
pub(crate) use rows::KEY as MEMBERS;
pub use machine::{MembershipStats, Standing};
pub use threshold::{BadThreshold, Threshold};
pub(crate) use wire::Message;
#[cfg(feature = "sim")]
pub(crate) use wire::{Left, News, Pulse, Resigned};
pub use wire::{Alive, Certificate, Phase, Statement, Verdict, Vote};
