//! The discovery room: who is out there, and whom to be linked with.
//!
//! ```text
//!  Sighting ──┐                             ┌──► Dial, Unlink, Neighbour, Connected
//!  Linked,    ├──► dialer (outcome, wish) ──┤
//!  DialFailed ┘    target · fixed · mend    │
//!                      ▲ carded, gone       │
//!  Told, Asked, ──► exchange ──► book ──────┼──► Card, Gone, Notice
//!  Answer              ▲          ▲         │
//!  Reads, Listening ──► own ──────┴─────────┴──► Ask, Tell, Answer
//! ```
//!
//! # Spec
//!
//! **Cards** (`card`, `cards`, `own`, `book`)
//!
//! - Upon a change of the node's addresses or topics: gather changes for 5 ms, and of its living
//!   neighbours for 100 ms, then sign one new version of the own card and push it to every linked
//!   peer.
//! - A card has at most 32 KiB, 32 addresses, 1,024 topics, 256 neighbours and 64 labels, each with
//!   a proper name.
//!   The own card leaves out what is beyond; a card of another node beyond it is malformed.
//! - Upon a quarter of `forget_after` without a change: sign a new version all the same.
//! - Upon a card of another node: refuse and count what is malformed or not signed by its owner;
//!   drop what is not newer than the card held, of a life that ended, or as old as `forget_after`;
//!   else keep it, give `Card`, and push it within 5 ms to every linked peer but the one it came
//!   from; after a push what comes next is gathered for 0.5 ms for each card held, 100 ms at most.
//!   With `max_cards` held, a card of one more node is dropped and `CardsFull` given, once
//!   until there was room again. Likewise a card with which all would cost more than
//!   `max_card_bytes` (signed bytes, and 100 for each address, topic, label and neighbour); from
//!   then on no cards are fetched until one leaves or shrinks, but those pushed are taken if they
//!   fit.
//! - Upon a card of a linked node for which there is no room: drop the oldest cards of nodes that
//!   are not linked, as many as needed, and give `Gone` for each. So made-up nodes, which nobody is
//!   ever linked with, cannot keep out the real ones.
//! - Upon a card of this very node: with a higher life, give `OurselvesNewer`, once per life. With
//!   this life and a version or content we did not make, sign a version above it.
//! - Upon `forget_after` since its owner signed it: drop the card of a node that is not linked and
//!   give `Gone`. Its age travels with the card, so it ends everywhere at about the same time.
//!
//! **Exchange** (`exchange`)
//!
//! - Upon a link, and every `exchange_interval` (a quarter more or less) with one linked peer
//!   chosen by chance: compare digests. When they differ the peer lists what it holds, page by
//!   page; tell it what is newer here, fetch what is newer there.
//! - One comparison per peer at a time. An answer that takes 10 s is none; what it would have
//!   brought comes with a later comparison.
//!
//! **Links** (`dialer`, `queues`, `remember`, `target`, `outcome`)
//!
//! - Dial every neighbour that is not linked, or, in the open topology, known nodes until
//!   `target_links` are linked. Dial the bootstrap addresses, and those given to
//!   `Connect`, in either, until whoever lives there is linked, and again when that link is lost,
//!   for ever.
//! - Of two nodes that learn of each other the one with the smaller id dials at once and the other
//!   300 ms later; in a crowd (twice `target_links`) chance within these 300 ms replaces this.
//! - Who must be dialled (neighbours, bootstrap, `Connect`) and is due goes before the known nodes
//!   of the open topology. Of these at most 20 dials begin per second (after a pause 20 at once),
//!   and they take all but 4 of the `max_dials`, yet at least one. So a member that fills cards
//!   with made-up addresses can neither make nodes flood others with dials nor keep those waiting
//!   who must be dialled.
//! - At most `max_dials` at once, one per peer, of at most 8 addresses: first where the peer was
//!   reached last, then the nearest. A dial without an answer for 20 s has failed.
//! - Upon a failed dial: wait `backoff_first`, doubled with every failure in a row up to
//!   `backoff_max`, of that between half and the whole; then dial again. Upon a lost link: the
//!   same, beginning anew when it had lasted 5 s.
//! - Upon `Dialled`: whoever answered lives at the address. Without a link it counts as a failure.
//! - Upon `Stranger`: leave the address, or the peer, alone for `refused_for`, whoever names it.
//! - Upon `Ourselves`: never dial the address again. Upon `WrongPeer`: not that peer at that
//!   address; when it was one of several addresses, find out with dials of one address each.
//! - Upon a sighting: remember it, at most `max_sightings` without a card (the oldest leaves). In
//!   the fixed topology it only adds an address to a neighbour.
//!
//! - Upon `Wanted`: dial the peer now, once, whatever its backoff says; give `Unreached` when no
//!   address of it is known or the dial fails. Its link stays until nobody uses it.
//!
//! **Neighbours** (`fixed`): in the fixed and the mending topology
//!
//! - Upon a link with a node in the map: `Neighbour { joined: true }`. Upon its leaving the map:
//!   `joined: false`; its link is `Unneeded` upon `Rewire` to other neighbours, and closed upon
//!   `Forget`. A link lost says nothing: its neighbourhood ends with it and begins again with the
//!   next.
//! - `Unneeded` closes no link by itself: membership may watch the peer over it.
//!
//! **Mending** (`mend`, `adopt`, `map`): only in the mending topology, and without a coordinator
//!
//! - A neighbour is *living* while it is linked, and for `mend_after` without a link (ten times as
//!   long when it was never linked); no longer upon `Down` or `Left`. The own card names the living
//!   neighbours. An edge is on the *map* when the cards of both its ends name it.
//! - Upon a neighbour that is not living any more: one that was there from the start keeps its
//!   place and is dialled on; one adopted since is none any more. For 30 s from then on, and as
//!   long as it goes on seeing any, the node looks for nodes that are *cut off*: no way on the map
//!   leads to them, they have not left, and were not found dead.
//! - With fewer than `min` living neighbours, or somebody cut off and fewer than `max`: ask one
//!   known node, linked for this if need be, to be neighbours. Who is cut off comes first, so that
//!   pieces find together; then who has the fewest neighbours on the map, being short itself; then
//!   who is more than two steps away, so that no cliques grow; then chance decides. Who cannot be
//!   reached is passed over until its next dial is due. Who says no is asked again after 2 s, and
//!   after each attempt in a row that led nowhere the next waits twice as long, 8 s at most.
//! - Upon `Adopt`: adopt when there are fewer than `max` neighbours; when nobody is cut off, the
//!   last place above `min` is kept free for who is. Else say `Full`; the link that the asker made
//!   for this is `Unneeded`.
//! - With more than `max` living neighbours (a lost one is back): give back an adopted one to whom
//!   other ways on the map lead, the one with most neighbours first: `Dropped`, once a second.
//! - Upon `Dropped`: not a neighbour any more, the link `Unneeded`. The same for a neighbour whose
//!   card, `mend_after` after the link, names neighbours and not this node.
//!
//! **Good-bye and wishes** (`wish`)
//!
//! - Upon `Left`: drop the card, give `Gone`, do not dial, take it out of the neighbours, and for
//!   `forget_after` believe no card of this life or before. A link or card of a higher life is
//!   welcome, and makes a neighbour again of who was one. A bootstrap address stays, for whoever
//!   lives there next, dialled every `backoff_max`.
//! - Upon `Forget`: the same for whatever life is known, and no address or neighbourhood stays.
//! - Upon `Connect`: dial at once, reply when it is decided. Upon `Disconnect`: unlink, and neither
//!   dial the peer nor keep a link it dials until a `Connect` names its address.
//!
//! # Invariants
//!
//! 1. *Newest only*: the rank (life, version) of a card held never falls while it is held.
//! 2. *Signed only*: every card held was signed by the node it speaks of.
//! 3. *Bounded*: cards by `max_cards` and `max_card_bytes`, targets by cards,
//!    `max_sightings`, neighbours and 1,024 addresses of the user; adoptions asked for one at a
//!    time; questions by links; messages by
//!    `MAX_FRAME`.
//! 4. *No spinning*: after every input the deadline lies in the future.
//! 5. *Never giving up*: who must be dialled always has a next dial.
//! 6. *Within degrees*: a mending node takes no neighbour in with `max` living ones. More there are
//!    only while one that was lost is back, until a stand-in is given back.
//! 7. *In one piece*: as long as a node that lost a neighbour sees living nodes cut off, it asks
//!    one after another of them. It stays in vain only where all of one piece have `max`
//!    neighbours.
//!
//! Not protected against: a member (who knows the network key) may hold back cards or lie about
//! their age. It cannot forge one.

mod address;
mod adopt;
mod book;
mod card;
mod cards;
mod config;
mod dialer;
mod error;
mod exchange;
mod fixed;
mod input;
mod machine;
mod map;
mod mend;
mod outcome;
mod output;
mod own;
mod pace;
mod queues;
mod remember;
mod stats;
mod target;
#[cfg(test)]
mod tests;
mod topology;
pub(crate) mod wire;
mod wish;

pub use card::Card;
pub use config::DiscoveryConfig;
pub use error::ConnectError;
pub use input::Source;
pub use stats::DiscoveryStats;
pub use topology::{Degrees, Topology};

pub(crate) use input::{Command, DialFailure, Input};
pub(crate) use machine::{DiscoveryMachine, Settings};
pub(crate) use output::{Notice, Output};
pub(crate) use wire::Message;
