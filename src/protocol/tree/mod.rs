//! The tree room: frames go over a tree for each source, and what was missed is asked for.
//!
//! ```text
//!  author ──► Publish ─┐                         ┌──► Send      eager links, at once
//!  link ────► Heard ───┴─ first? ─ pass on ──────┤
//!                          │ copy: Prune         └──► Announce  lazy links, gathered
//!  link ────► Announce ──► wants ── in time? ─────► Graft       who offered it, then others
//!  link ────► Graft ─────► cache ─────────────────► Send, and the link is eager
//!  link ────► Sent ──────► loads ── full? ────────► Hold, Room  who feeds it waits
//! ```
//!
//! It knows nothing of topics, membership or sockets. A source is an author in one life and one
//! bucket; its frames are numbered from 1 and signed, and links carry them in order. The order of
//! messages, and repair of what is too old for this room, are made above.
//!
//! # Spec
//!
//! *Passing on*
//!
//! 1. *Upon the first copy of a frame:* deliver it, and send it over all eager links to neighbours
//!    that take part in its bucket; not to who brought it, to its author, or to the parent. *Upon
//!    an own frame:* the same without delivering. All links of a new source are eager, but where
//!    its author had another source: the newest one's tree is where the new one begins. Otherwise
//!    the first frame makes the tree, so own frames that follow it wait for the longest measured
//!    round trip of the links (500 ms at most): else all of them would be flooded.
//! 2. *The parent* of a source is who brought its newest frame, unless it had been pruned within
//!    the patience (6): what was under way before the prune came changes nothing, nor does what
//!    fills a gap.
//! 3. *Upon a further copy:* tell it; the bringer's link becomes lazy for this source, and the
//!    bringer is told to prune, again after the patience if it goes on. The parent is not pruned.
//! 4. *Upon a prune:* the link is lazy for this source.
//! 5. *Announcements:* what came is gathered for `gather` and then told to all links over which it
//!    was not sent, as runs. The parent is told only of what it did not bring. So the last frame of
//!    a source is announced too, and under load an announcement names many frames.
//!
//! *Repair*
//!
//! 6. *The patience* with a neighbour is two round trips of its link, or `graft_after` if that is
//!    longer.
//! 7. *Upon an announcement, or a frame that is not the next one:* what was not here is wanted. It
//!    is asked for when the patience with who announced it is over and, as long as the source has a
//!    parent, so much time has passed since an earlier frame of the source came: links keep the
//!    order, so what is behind may still come. Where the frames paused for longer of late (500 ms
//!    at most), they may do so again. A source without a parent asks at once.
//! 8. *Who is asked:* who announced it, in that order, then every other neighbour in the bucket;
//!    each for its patience, or as long as its answers took of late, and twice as long in each
//!    round, within `keep_for`. Then it is dropped and counted.
//! 9. *Upon a graft:* send those of the frames that are kept, the rest as soon as the link is not
//!    full; the link is eager for this source. What was not announced yet is announced to it at
//!    once.
//! 10. *Upon frames that come clearly after an announcement of them* (5 ms and a quarter of the
//!     round trip; while others of the source come in between, as long as these paused of late),
//!     eight times in a row: graft who announced them, without asking for frames. Its
//!     copies then come first, and the old parent is pruned. Where they do not, twice as many are
//!     needed the next time.
//! 11. *Upon a new neighbour, or one that joins a bucket:* its link is eager, and it is told the
//!     newest run of each source that was active within `keep_for`. *Upon its loss:* it is
//!     nobody's parent.
//!
//! *Pressure*
//!
//! 12. *A link is full* from `high` bytes queued until there are `low`. Meanwhile those who fed it
//!     wait: neighbours that brought what was queued (`Hold`), own frames (`Room`). So pressure
//!     travels back over the tree to the author, and over no other link: a frame never goes back
//!     to who brought it, so two neighbours do not wait for each other.
//! 13. *A full link is demoted* when it did not move for `stuck_after`, or when others ran dry
//!     while they waited for it for much more than half of the time. Links that are all full are
//!     not demoted: they go as fast as each other. A demoted link is lazy for all sources; it holds
//!     up nobody and can still ask for what it can take. Calm for `penalty`, it is as others again;
//!     that time doubles with each demotion, up to 64 times. A node that looks late, because it had
//!     too much to do itself, begins to look anew: others on its machine have too much to do as
//!     well. A link that did not move for twice the `stall` is demoted all the same.
//! 14. *Who is held* for 50 ms is told how far away the full link is, and takes so many times
//!     longer to demote the link to who told it: the nearest decides, and the others need not.
//! 15. *While the parent is held* for a second times that distance *and another announced a frame
//!     that is not here:* others go on already, so the full link is demoted and not relied on (16).
//!     Nothing is asked for elsewhere while the parent is held.
//! 16. *A demoted link that is the only one to take a frame* gets it nevertheless, and those who
//!     feed it wait, until it did not move for `stall`. Then it gets announcements only, until it
//!     moves. It is not the only one beside a neighbour that has the frames from elsewhere: who
//!     waited for it would be the slow one for others. Own frames wait as long as there is no other
//!     link at all.
//! 17. *Upon a link that becomes lazy for a source:* who fed it waits for it no more, until the
//!     next frame shows that it still feeds it.
//!
//! 18. *While this node is behind* (the room above lacks messages and has much behind them): its
//!     neighbours are told. Who hears it lets those wait who feed that link, as if it was full, but
//!     gives what is asked for, and does not demote the link for it: for 3 s at most, and half
//!     of the time in the long run, whatever is said. So a mesh goes as fast as it repairs, and
//!     what is missing here is not gone elsewhere. Nobody is held for it: what is missing may be on
//!     the same link as what should wait. Who said so is not held itself, as long as less than four
//!     times `high` waits for the links it feeds: it would not be heard when it is well again, and
//!     neighbours that are all behind would wait for each other.
//! 19. *What fills a gap* makes nobody wait: it comes from everywhere, not only down the tree, and
//!     nodes that waited for each other in a circle would stand still. Over a full link it is owed
//!     like what was asked for.
//!
//! # Invariants
//!
//! - **once**: a frame is delivered once, while its source is remembered (`max_sources`).
//! - **told**: a neighbour in the bucket gets every first copy, or an announcement of it, or
//!   brought it.
//! - **released**: every hold ends with the link, when the full link has room, or after three times
//!   `stuck_after` and `stall` together.
//! - **bounded**: sources, wants, kept bytes, gaps and runs have bounds; no sequence makes more
//!   work than a window of 256 frames.
//!
//! # Limits
//!
//! - What several authors send that are all as fast as the links can be lost here between links
//!   that wait for each other in a circle, and are demoted for it: up to a third of the frames in
//!   a test of seven such authors. Nobody is locked up, and repair by number gets them.
//! - What a neighbour says is not read while its frames are not taken.
//!
//! # Deviations
//!
//! PlumTree (Leitão, Pereira, Rodrigues 2007) has one tree for all and marks links both ways. Here
//! trees have a direction, because each source has its own: grafting makes the other side send and
//! nothing else, and a child does not send to its parent. The paper takes any further copy for a
//! reason to prune; with many frames under way that cuts off the only parent now and then (2).

mod cache;
mod config;
mod frame;
mod gather;
mod grove;
mod input;
mod link;
mod load;
mod machine;
mod openings;
mod pass;
mod press;
mod repair;
mod seen;
mod stats;
mod wants;
mod wire;

#[cfg(test)]
mod tests;

pub use config::TreeConfig;
pub use stats::TreeStats;

pub(crate) use frame::{Frame, Name, Source};
pub(crate) use input::{Input, Output};
pub(crate) use machine::TreeMachine;
pub(crate) use wire::Message;
#[cfg(all(test, feature = "net"))]
pub(crate) use wire::Run;
