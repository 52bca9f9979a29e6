//! The topic room: who publishes what to whom, what was received, by which way, and who has it.
//!
//! Two carriers spread what is published to all who joined a bucket. gossipsub is lossy, shows
//! every copy and costs much for each message; it carries the calm. The tree carrier (room `tree`)
//! passes signed batches on by streams between neighbours; it carries bursts. Neither promises
//! order or that nothing is lost. Everything else is decided here, the same for both.
//!
//! ```text
//!                ┌ calm ──► lane ──► batch of one ──► gossipsub ──┐
//!  user ─ publish┤          waits for a reader                    ├► proved? ─► record ─► order
//!  door ─ foreign┘ burst ─► run ───► batch of many ─► tree ───────┘             first?     │
//!                                                                                copy      ▼
//!           subscriptions, shelf (kept), door  ◄── in order, each once, gaps told ─────────┘
//!
//!  repair    who lacks ── Want ──► who brought the next, then others ── Batches ──►
//!  ends      feed silent ── Ends ──► neighbours
//!  ways      receiver ── Trace ──► who brought it ── Trace ──► ... ──► author
//!  receipts  reader ── Receipt ──► who brought it ── Receipt ──► ... ──► author
//! ```
//!
//! A **feed** is what one author writes on one topic in one of its lives; its messages are numbered
//! from 1. A **batch** is a run of a feed, signed by its author (`base::batch`). A **neighbour** is
//! a linked node that topics travel to: every one, or with `relay_all` those with an edge of the
//! fixed graph. There members that watch each other are linked too.
//!
//! # Where
//!
//! | of the spec | what is done | what it is done with |
//! | --- | --- | --- |
//! | publishing: 3 to 6 | `publish`, `seal`, `lanes` | `numbers`, `waiting` |
//! | bursts and large messages: 15 | `gather` | `burst`, `pieces` |
//! | hearing: 7, 8 | `hear` | `record`, `recent`, `received` |
//! | order, repair, ends: 16 to 19 | `repair` | `order`, `digest`, `behind` |
//! | subscriptions: 2, 20 | `subscribing` | `subscription`, `buckets` |
//! | other nodes: 4, 34 | `presence` | `readers`, `arrivals` |
//! | queries and ways: 9, 10 | `reading` | `kept`, `trace`, `ways` |
//! | receipts: 11, 12 | `confirm` | `receipt`, `relay`, `told` |
//! | the door: 13, 14 | `foreign`, `hear` | `subscription` |
//! | queue groups: 22 to 26 | `grouping`, `entrust` | `strategy`, `choice`, `errand` |
//! | late joiners: 29 to 33 | `late`, `earlier` | `catch_up`, `history` |
//!
//! # Spec
//!
//! **Read here** means: a subscription reads the topic, or this node's door carries it.
//!
//! 1. *Upon the first input:* with `relay_all` join every bucket for good; join the buckets of the
//!    door's topics and tell them as read. Until then the deadline is zero.
//! 2. *Upon subscribe or unsubscribe:* when that changes what is read here, tell `Reads`, and join
//!    the bucket or leave it. A bucket is joined while a topic of it is read here, for 60 s after a
//!    publish in it, and while a message in it waits.
//! 3. *Upon publish:* refuse a bad name, a payload above `max_message_bytes`, and a message that
//!    would have to wait when no more may. Else give it the next number of its topic, reply with
//!    its id, and hand it to the subscriptions that want what is published here; when the topic is
//!    read here, keep it. A topic at the door goes out there at once; it waits for members in half
//!    of the outbox at most, and is not refused when that is full.
//! 4. *A message waits* while no other node reads its topic by its card, or the carrier has no peer
//!    for it; then in the order of acceptance within its topic. It is tried when a reader appears,
//!    when a peer joins its bucket, when one becomes a neighbour, and every second. What waits
//!    longer than `wait_for` is dropped and told as `Unread`. The first of a topic is tried alone;
//!    when it is out, the rest follows at once.
//!    A neighbour that reads it, and that the carrier does not yet know to take part, is waited
//!    for, a second at most: its card may come before the carrier's word, and messages would pass
//!    it by. What is used of this second comes back within 30 s, evenly, whatever its cards and
//!    links say.
//!    What had to wait counts as written when it leaves, for all who miss it and ask for it.
//! 5. *Upon `relays: n`:* broadcast the same frame `n` times. The carrier sees `n` broadcasts, the
//!    readers one message, with `n` copies from every neighbour.
//! 6. *Upon full queues to all peers:* the message waits as in 4 and is tried again soon, so that a
//!    publisher that is too fast is refused in the end and nothing is lost before. *Upon a refusal
//!    of the carrier, or when no more may wait:* tell `NotSent`. The message is not retried.
//! 7. *Upon a broadcast or a batch of the tree:* what is no batch, or not signed by its author, is
//!    counted and dropped; one that is known is a copy; of a topic that is neither read nor relayed
//!    here it is remembered, counted and dropped. Else it is kept for repair and put in order, and
//!    what is in order is delivered once to each subscription and kept.
//! 8. *Upon a copy:* remember who brought it, up to `max_copies`. The same broadcast from the same
//!    neighbour is one copy. Copies of what this node wrote do not count.
//! 9. *Upon a query:* return what it selects, oldest first, and mark exactly that as read, at once;
//!    what arrives while ways are found out is not marked. `peek` and `Read` mark nothing.
//! 10. *Upon a query for ways:* the way of a copy is the first way of the neighbour that brought
//!     it, and then this node. Neighbours are asked, and ask on, until the author is reached;
//!     whoever waits on behalf of another waits a bit less. A way through this node is left out,
//!     equal ways are told once, the first copy's way comes first, then whole ways, then shorter
//!     ones. A way whose beginning is not found out within `trace_timeout` says that it is not
//!     complete.
//! 11. *Upon a message that asks for receipts, read here:* tell the neighbour that brought it.
//!     *Upon receipts:* gather them until the next tick and tell them on in the same way. A
//!     neighbour that cannot be told is replaced by who brought another copy, by the author, by any
//!     other, at last by whom they came from. Each passes a node three times at most. Those of a
//!     message that was never here are dropped, and what names more than 4,096 readers is cut.
//! 12. *The author* expects the other nodes that read the topic by their cards at the time of the
//!     publish. It reports when all have confirmed, left or stopped reading, or at the deadline;
//!     with nobody to expect, at once. Readers that were not expected count as holders.
//! 13. *Upon a foreign message at the door:* take it if the door carries its topic, it is not too
//!     large and it was not seen; deliver it here, and broadcast it in this node's name with its
//!     origin, if any other node reads it. It does not wait, so strangers cannot fill the outbox.
//!     What a member that reads the topic signed out there is what its own door says: drop it.
//! 14. *Upon a member's message of a topic at the door:* publish it there once, unless it has an
//!     origin.
//! 15. *Upon a publish in a burst*, when all neighbours that take part in the bucket have a stream
//!     of the tree carrier: gather it. It leaves, while the tree has room, at the next tick or 1 ms
//!     after the batch before, 2 ms when that had 32 messages, at once when 128 messages or 60 KiB
//!     are there, in batches of at most 68 KiB. A burst begins with 16 messages, or KiB, above 20
//!     a second, and ends 2 s after that. A message with relays or receipts, for the door or for
//!     groups, goes by gossipsub all the same; the numbers keep the order. So does what follows on
//!     it while earlier messages are still gathered. A message above 68 KiB leaves in *pieces* of
//!     68 KiB: batches of their own, each with the next number; the first one's is the message's.
//!     *Upon a piece, in order:* keep it, and deliver the message when all are there. When one is
//!     told as a gap, or the next does not come within `repair_for`, the message is missed, each
//!     piece counted as one.
//! 16. *Upon a batch that is not the next of its feed:* it waits. What is missing before it for 60
//!     ms is asked for: from who brought the batch, then the author, the readers, the others, only
//!     neighbours and each once, the next after 1 s without an answer; after a pause of 500 ms
//!     again. Who helped is asked on. After `repair_for`, or when more than `max_early_bytes` wait,
//!     the gap is told to the subscribers (`Delivery::missed`) and as a notice, and the rest is
//!     delivered. A gap behind it that was known all that time is given up when all were asked in
//!     vain, or after 2 s.
//!     *When more than 1 MiB waits:* the tree carrier is to wait (`Behind`), until less than 256
//!     KiB do, or for 2 s.
//! 17. *Upon the first batch of a feed* that does not begin with 1, or an end of a feed of which
//!     nothing is here: ask for what others got before it while this node was reading the topic:
//!     three at once, the author first, then who brought it, readers, others, only neighbours;
//!     another one for each that refuses or does not answer within 400 ms. When three have
//!     answered, or all of them, ask anew 150 ms later, twice, and tell them that there is
//!     something: others repair what they lost, too. An end alone is worth one round. *With the
//!     third round of answers, or that of the author, or 1 s after the batch:* the feed begins here
//!     with the earliest that is there. When something that was sent before it, and after this node
//!     began to read, comes afterwards, all from there on is told as a gap, by a notice.
//! 18. *When a feed has been silent for 300 ms:* tell its end to four neighbours that read it, in
//!     turn, at most once a second. *Upon a new neighbour:* tell the ends of the last `repair_for`.
//!     *Upon an end that is farther than what is here:* the feed lacks something, as in 16.
//! 19. *Upon `Want`:* give the batches that are kept, up to 768 KiB.
//! 20. *Upon a subscription to a pattern* (`base/pattern.rs`): join all buckets, and tell the
//!     pattern as it is. A node reads the topics that its names and patterns stand for. Beyond
//!     1,024 patterns of all nodes together, a further one counts as `>`.
//! 21. *Upon a publish for whoever reads* (`if_read`): refuse it while no other node reads the
//!     topic; one that waits for the carrier is dropped and told as `Unread` when nobody reads it
//!     any more.
//!
//! ## Queue groups
//!
//! ```text
//!  publish ── choose a member of each group ──► head: (group, member) ──► all, as any message
//!                                                       │ named here?
//!  next member, in a message that  ◄── no receipt       └──► one subscription of the group
//!  stands for the first one            in time                        └── Receipt
//! ```
//!
//! 22. *Upon a publish:* name one member of each group that reads the topic, by the strategy; of
//!     several groups 12, in further messages the rest. Readers in no group get it as ever. With
//!     the strategy `all` nobody is named, and all members get it like readers in no group.
//! 23. *Upon a message:* it is for the subscriptions in no group, and for one subscription of each
//!     group this node is named in; that one is confirmed, when the order hands it on. What is for
//!     none of them is dropped, but the order, repair and the ends of feeds count it.
//! 24. *When a named member does not confirm within `confirm_within`, does not read the topic in
//!     the group any more, or is gone:* send the message again, under a number of its own, for the
//!     next member alone, chosen by the same strategy from those that did not have it. With nobody
//!     left wait for a new member, and give up after `wait_for`: told as `Unread`. A confirmation
//!     counts whoever's turn it is.
//! 25. *A message that waits for a first reader* (4) is for the groups that its first readers are
//!     in: when they appear, it is sent again for a member of each. Later groups do not get it.
//! 26. *Upon a publish that would leave more than `max_unconfirmed` open:* refuse it.
//!
//! ## Envelopes
//!
//! 27. *Upon a publish on a compressed topic:* compress the batch it leaves in, as a whole and
//!     before it is signed, unless that saves next to nothing; in a burst, when one of its messages
//!     is to be compressed. All limits count messages as they are. Who passes a batch on or keeps
//!     it for repair has no work with it; it is expanded when its messages are handed on here,
//!     once, for subscriptions and the door. *Upon a batch that says it becomes more than is
//!     allowed:* drop it as in 7. *Upon one that does not expand to what its author said:* count
//!     it, and tell its messages as a gap.
//! 28. *Upon a publish with a trace context:* it travels in the head of the batch, beside 63 others
//!     at most, and comes with the delivery, also when the message is sent again. Of a message in
//!     pieces it is with the first.
//!
//! ## Late joiners
//!
//! ```text
//!  subscribe(last, since) ── Earlier ──► up to three neighbours ───── Kept ──► history
//!                                                                                  │
//!  what comes live meanwhile ─────────────► waits ────────────────────────────► seam ► live
//! ```
//!
//! 29. *Upon a batch that is kept for repair, or of our own:* keep it in the history of its topic
//!     too (`history.rs`), as older than the next one of its feed, however late it was repaired.
//!     Upon the end of the last subscription that read a topic forget what others said there: half
//!     a history would lead others astray.
//! 30. *Upon a subscription that wants what was said before it* (in no group: else refuse it): ask
//!     neighbours for their histories, readers of the topic first, three at a time; another one
//!     for each that has nothing or does not answer within 1 s; without `relay_all`, ask for links
//!     with readers when none is a neighbour. Keep in the own history what they give and their
//!     authors signed, as old as they say. *When three have given*, or nobody is left and this node
//!     has had a neighbour for 1 s or has as many messages as are wanted, after 3 s at most:
//!     deliver from the own history what is wanted, the newest, those of a feed by rising numbers,
//!     all by the time of sending; half of what the subscription can hold at most. A node without a
//!     neighbour delivers what it has at once, and the rest when it gets one within 10 s.
//! 31. *What comes live meanwhile* waits and follows. When nobody here read the topic before, it
//!     waits as batches, and each feed then begins behind its past; what lacks in between is
//!     missing as in 16. Else it waits as messages, and the past ends where they begin. When more
//!     waits than may, it is not waited for any longer.
//! 32. *Upon a batch of a history* that came to the other while this node was reading, or that the
//!     order still lacks: take it as in 7.
//! 33. *Upon `Earlier`:* give what the history has of the topic or pattern, the newest first, up to
//!     768 KiB or 512 batches, and where to go on.
//!
//! ## Edges
//!
//! 34. *Upon `Neighbour`* (with `relay_all`): the link with the peer is an edge from now on, or no
//!     more. Links that are no edges serve questions for ways, and receipts: a message that was
//!     asked for there, or told of, would come by a way that the graph does not have.
//!
//! # Invariants
//!
//! - **order**: a subscription in no group gets the messages of a feed by rising numbers; a number
//!   that is left out was told as missed, or is of a message that was sent again.
//! - **once**: a subscription gets a message once, while it is remembered (`max_seen`, `seen_for`).
//! - **signed**: the author of a message signed the batch it came in, whoever brought it.
//! - **numbered**: the numbers of one author, life and topic rise, and none is given twice.
//! - **one each**: no member of a group is named twice for a message while it stays a member.
//! - **exact**: a query marks what it returned, and nothing else.
//! - **walk**: a way that is told has no node twice and ends here.
//! - **seam**: a subscription that catches up gets no message twice, and none of a feed is left out
//!   between its past and what comes live without being told as missed.
//! - **bounded**: each memory has a bound of count, and of time or bytes.
//!
//! # Limits
//!
//! - Foreign messages pass from a door to the members, never on to another door: members do not
//!   join two foreign meshes that do not touch. Two doors into one mesh give members one message;
//!   foreigners who hear both doors get a member's message from each, under the door's name.
//! - A neighbour that says it reads a topic and never takes part holds the topic's messages up
//!   for a second at first, and then for a thirtieth of the time. Each linked identity can.
//! - A message is confirmed when it is handed to a subscription. What the subscription has not
//!   taken when its node dies is lost; what is confirmed and its receipt lost, two members have.
//! - A message that foreigners bring in names members and is not sent again.
//! - What a member of a group lacks may have been for another: a gap counts both. One right before
//!   messages that are not for this node is told as a notice only.
//! - A gap that takes longer than `confirm_within` to be repaired makes two members have what comes
//!   behind it.
//! - Receipts are not signed: a member can claim to be a reader, or another to be one.
//! - Receipts a relay had taken when it died are lost; the author then reports them missing. So are
//!   those that went around a dead neighbour to a node which the message never came to.
//! - With more than 65,536 receipts under way, the oldest are not told again if they do not arrive.
//! - A way is what the nodes on it say. The first copies' senders are proved only to be linked.
//! - Where the author is not linked, a beginning that three neighbours did not get within 300 ms is
//!   left out; that is told only if it comes after all. Clocks that differ blur what was before.
//! - Repair needs somebody who has the message within `repair_for` and `max_recent_bytes`: with
//!   the defaults a reader that was cut off during a burst of 50 MB is told a gap.
//! - An end that others told is not signed: it makes this node ask, and nothing more. A last
//!   message that is lost everywhere is told as missed with the next one.
//! - A history is in memory: it goes with the last node that keeps it. How old its batches are is
//!   what others say, within a round trip; a node that lies makes old messages look new.
//! - What was said within a round trip of the subscription comes as before it or as live. Receipts
//!   are not given for what was said before.
//! - A question travels over at most 64 nodes; ways longer than 66 nodes are not complete.

mod arrivals;
mod beginning;
mod behind;
mod bounded;
mod buckets;
mod burst;
mod catch_up;
mod choice;
mod command;
pub(crate) mod config;
mod confirm;
mod delivery;
mod digest;
mod earlier;
mod entrust;
mod errand;
pub(crate) mod error;
mod foreign;
mod gap;
mod gather;
mod grouping;
mod hear;
mod history;
mod input;
mod kept;
mod lanes;
mod late;
mod line;
pub(crate) mod machine;
mod names;
mod numbers;
mod order;
mod output;
mod pieces;
mod presence;
mod publish;
mod readers;
mod reading;
mod receipt;
mod received;
mod recent;
mod record;
mod relay;
mod repair;
mod seal;
mod stats;
mod strategy;
mod subscribing;
mod subscription;
mod told;
#[expect(clippy::module_inception, reason = "it holds `Topic`, the room holds topics")]
mod topic;
mod trace;
mod trace_id;
mod waiting;
mod ways;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

pub use command::{Paths, Query, Which};
pub use config::TopicConfig;
pub use delivery::Delivery;
pub use error::TopicError;
pub use received::{Report, Way};
pub use stats::TopicStats;
pub use strategy::{Candidate, Choose, NotAStrategy, Strategy};
pub use topic::Topic;
pub use trace_id::TraceId;
pub use wire::{Hop, MessageId};

pub(crate) use command::Command;
#[cfg(any(feature = "net", feature = "sim", test))]
pub(crate) use command::{Earlier, Envelope};
pub(crate) use input::{Bucket, Carried, Input};
pub(crate) use machine::TopicMachine;
pub(crate) use output::{Notice, Output};
pub(crate) use received::{Kept, Received};
pub(crate) use wire::Message;
