//! The membership room: who is there, in which life, who said good-bye, and who is down by the
//! proven verdict of a quorum.
//!
//! ```text
//!  Linked, Unlinked, Unreached ──► say · desk ─────────────────► Ask, Tell, Answer, Reach, Unlink
//!  Asked, Told, Answer, Settled ─────┤ messages
//!        ┌─────────┬─────────────────┼───────────┬────────────┬───────────────┐
//!     probing   suspecting        witness       news        meeting         birth ──► Found,
//!   watch · probe  round · vote   guard · vote  certificate   pulses,       found, join,   Online,
//!   observers   electorate        sweep         refute        pages         go down        Down ..
//!        │ misses ──►│ queries ──────►│            │            │               │
//!        │           └◄── reports ────┘ verdicts ─►│            │               │
//!        └─ doubt ◄── link down                    ▼            ▼               ▼
//!                                       roll: records, A (who lives), D (whose vote counts)
//!  Known, Forgotten, Leave ──► leaving · left      holders: who has the same A
//! ```
//!
//! Terms. *A*: the members that live. *D*: those whose votes count; `n` is the larger of D and
//! every A since D was last agreed on. A *life* is one start of a node, an *incarnation* a life and
//! how often its owner contradicted in it. The unit of all times is `timeout`.
//!
//! # Spec
//!
//! **Links** (`say`, `desk`)
//!
//! - Upon a link: the peer is `Alive`, its life noted, and it is probed.
//! - Upon a link in an older life, or in one that ended with a good-bye: `Unlink`; until it is gone
//!   nothing is asked over it, and its end means nothing.
//! - Upon the end of a link: a member is probed at once, which is no verdict; who is none is
//!   `Unreachable` unless it left.
//! - Upon a question to a peer without a link: want one (`Reach`). The time for the answer begins
//!   when it is up, at most 5 timeouts later; `Unreached` is silence. A peer that was heard before
//!   is waited for so long once, then one timeout, until it is heard again.
//! - Upon `Unneeded`, when the topology has no use for a link any more: `Unlink`, unless one of its
//!   two ends watches the other, which would dial again at once.
//!
//! **Watching** (`probing`, `watch`, `probe`, `observers`)
//!
//! - Every member is watched by K others, drawn by both ids; upon every change of A anew. The first
//!   probe comes within an interval; one that needs a link, after somebody came, an interval later:
//!   when many come at once, who watches whom changes with each, and no link is made in vain.
//! - Upon `probe_interval`, by chance half as much more or less, without a word from a watched
//!   member: probe it. An answer is waited for
//!   `max(timeout, srtt + 4 rttvar) * (1 + own health)`, at most 20 timeouts, and exactly `timeout`
//!   when `adaptive_timeout` is off. For a peer whose way was never measured it is three timeouts.
//!   How late this node itself was of late, when something was due, is added: on a machine that
//!   has too much to do nobody else is to blame. A miss takes a timeout at least, also when the
//!   dial is refused at once, so that a process that restarts is not missed three times in a
//!   millisecond.
//! - Upon another word of the member while its probe is under way: the probe is neither missed nor
//!   answered. Under load an answer stands in line behind messages that say as much.
//! - Upon an answer after its time: the way is measured all the same, as at most twice what is
//!   usual. Else a peer farther than the first wait would never be waited for. What comes later
//!   than `refute_window` is a stall, not a way, and measures nothing.
//! - Upon a miss: the next probe at once, until `miss_limit` in a row or 4 of the last 10.
//! - Then the observers ask one after another, by rank, a quarter of a timeout apart: the first to
//!   ask makes the others hold.
//!
//! **Suspicion** (`suspecting`, `round`, `electorate`)
//!
//! - Upon enough misses of a member whose vote counts, when this node's vote counts, no round and
//!   no hold on it is open: tell the subject, sign the own vote `Down`, and ask the voters by
//!   chance, those in trouble last, as many at once as votes are missing and one (or `fanout`).
//! - A verdict needs `max(majority of n, threshold)` votes, without `partition_safe` the threshold
//!   alone. More than there are voters: `QuorumUnavailable`, told once, and the subject is
//!   `Unreachable`.
//! - Upon no acknowledgement in time, or no report within the time that all its probes may take:
//!   the voter is silent, and the next is asked. A witness that was never linked with the subject,
//!   as most in a sparse graph, waits for a link before it takes a probe for missed: so that is `m`
//!   times the wait for a link (5 timeouts), longer where the subject is far or was slow of late,
//!   and two answers of the witness more. Who waits less loses every vote, and puts nobody out.
//! - Upon enough `Down` votes, once `refute_window` passed since it began: a verdict.
//! - Upon more `Up` votes than the threshold, or so many that no majority is left: `LinkDown`. The
//!   subject stays a member and is not suspected for 100 timeouts, doubled up to 3,000; this node
//!   doubts itself.
//! - Upon a word of the subject, or its next incarnation: the round ends.
//! - Upon nobody left to ask: isolated when nobody at all was heard since it began, else
//!   inconclusive, and again after 5 timeouts.
//!
//! **Witness** (`witness`, `vote`)
//!
//! - Upon a `Query`: acknowledge at once, hold the own suspicion for two refutation windows, probe
//!   the subject up to `miss_limit` times and report. With an own round open: `Down` at once. Who
//!   knows a newer record answers with it. A node that is not active, or whose vote does not count,
//!   never votes.
//! - Upon a word of a subject that this node found down: tell it so. Its next incarnation makes the
//!   statement void, so that nobody can collect such statements over time. For this the node looks
//!   again 20 timeouts after a `Down`, and every 100 from then on.
//!
//! **Verdict** (`certificate`, `verdict`, `news`, `gathered`)
//!
//! - Upon a certificate: valid with `max(majority of n, threshold)` distinct voters of D, none of
//!   them the subject, as many as each of them held necessary, all signatures genuine, of one round
//!   and one incarnation that is not history, their clocks at most `2 refute_window + 4 m` ticks
//!   apart. Record it, bar the incarnation, end its links, pass the proof on. Anything else is
//!   refused, counted and told (`Rejected`), and changes nothing.
//! - Upon a word as a member from an incarnation that was put out: answer with the proof, nothing
//!   else. A peer is never barred, only incarnations of it.
//! - Upon a genuine proof against this node that does not fit the own D: refused, and three other
//!   members are probed. When as many members as a verdict needs refuse this node with one, or so
//!   many nodes that they would be enough had they joined, it is obeyed: they have moved on by
//!   verdicts that this node never heard. When two refuse it and too few others, this node
//!   contradicts 10 timeouts later, which ends the proof for all.
//! - Upon news of its own: tell all linked peers, at once. Upon news of others (`gathered`): pass
//!   it on to 12 at most, at once when nothing was passed on for half a timeout, else together with
//!   what comes until then; while it goes on for a whole one. Who told a piece meanwhile is not
//!   told it.
//!
//! **Refutation** (`refute`)
//!
//! - Upon being suspected: take the next incarnation and tell everybody, at most once per
//!   `refute_window`. From the fourth within `flap_window` on a quorum has to vouch for it;
//!   vouchers are asked for, and others refuse it without.
//!
//! **Self-doubt and isolation** (`doubt`, `going_down`, `seeking`)
//!
//! - Upon `LinkDown`, at most once per half a `flap_window`: probe all members (32 by chance of
//!   more). When more than half of them, and three at least, do not answer: go down.
//! - Upon being woken a timeout late or more, at most once per `probe_interval`: answers may lie
//!   unread, so misses, silences and rounds that fell due meanwhile get a timeout more.
//! - Upon going down, by doubt or by a valid certificate of the own incarnation: end all links,
//!   take the next incarnation, come back after `rejoin_backoff`, doubled with every time in a row
//!   up to `rejoin_max`, and a quarter more by chance; 600 s without one end the row.
//! - Isolated: no probes, suspicions or votes; try the members one by one, after at most `2^tries`
//!   timeouts and 30 s. Upon an answer of an active one: join through it in the next incarnation.
//!   Upon an answer of a member that looks for members itself: go on as before.
//!
//! **Birth** (`birth`, `joining`)
//!
//! - With nobody to join: found, at once. Else ask the first active peer to be taken in; it tells
//!   its records and its D page by page.
//! - After `found_after` without an active peer, counted anew from the last one: found, half as
//!   long later for every known node with a smaller id, and four times as late as this node itself
//!   was of late. Not while a linked peer has yet to say how it is, for 10 timeouts more at most.
//!   Two meshes that meet become one by the union of their records.
//! - With a remembered D, and for those that went down together: go on with it as soon as more than
//!   half of it has met. After 100 timeouts more without that: found anew; who did not come is no
//!   member.
//!
//! **Agreeing** (`meeting`, `settling`, `catch_up`, `roll`, `holders`)
//!
//! - With every probe and answer goes a pulse: incarnation, clock, digests of A and D, and while
//!   they differ which of D are known to have had this A. Upon another A, two timeouts later: fetch
//!   the peer's records. What it told before the own A changed says nothing: when A has not changed
//!   for a timeout it is asked again; one time in 32 its records are fetched all the same, so that
//!   a view that never rests has no holes.
//! - D becomes A when more than half of D are known to have had the same A, or when a voter's D is
//!   this A already, or that of more than half of A. For a node whose own vote does not count yet
//!   one member is enough whose D came from the same, as voters of it and those that told the same
//!   before show, and is this A now: it was taken in on the word of one, too. When it heard no
//!   voter for 50 timeouts, any member is, as if it came anew. A is told to all linked members when
//!   it has rested for half a timeout, or has not rested for five; again every 2 timeouts, and from
//!   the fifth on every 10, until D has become it. From then on three voters that are not linked
//!   are asked, too, or other members where there are too few of them.
//! - Upon all records of a peer whose D is another, told by more than half of D (24 of 32 drawn in
//!   a large mesh) in their pulses: that D takes the place of this one. So who missed a change of
//!   D is not left behind.
//! - Upon something in those records that this D refuses, a verdict of voters that it does not
//!   count or a contradiction that it finds nobody to vouch for: it is read again by the D that
//!   took the place. When more than half of A, counted in the same way, told that very D, it takes
//!   the place of one that has not got this node's vote, or when it has got it. When more than half
//!   of A told that very A, what makes it that A is recorded, if it is genuine. Until then 16 of
//!   them are probed every 5 timeouts. Nobody votes by what it catches up with here, and what
//!   fewer than half believe counts for nothing.
//!
//! **Large meshes** (`electorate`, `guard`, `sweep`)
//!
//! - Above `full_limit` voters: the `committee` drawn by subject, incarnation and attempt votes,
//!   with the node that asks. Nobody votes `Down` or publishes before it hears 24 of 32 drawn by
//!   its own lot and the minute or, when fewer answer, more than half of all (138 of 256 drawn). A
//!   word of the last two timeouts counts, and what was found counts for as long.
//!
//! **Leaving** (`leaving`, `left`)
//!
//! - Upon the leave command: watching ends. Every linked peer, and who links until the end, is
//!   asked to note a signed `Left` record; when all have answered, or after `leave_patience`, the
//!   node may stop.
//! - Upon a valid `Left` record that is news: the node is `Left`, its record is passed to all
//!   linked peers but the one it came from and those who left. News it is of a node that is known,
//!   by its link, its card or an earlier record. Others are ignored: anybody can make up nodes that
//!   say good-bye, and who never knew the node needs none.
//! - Upon a forged `Left` record: it is counted, and the rest of the message is not read.
//! - Upon a link: the records of the last `remember_left` go to the peer, so that who was away
//!   learns them. Their age travels with them, so that they end everywhere at about the same time.
//! - Upon a link or a card with a higher life: the node is back.
//!
//! **Knowing** (`leaving`, `member`, `meeting`)
//!
//! - Upon a card: its node is `Alive` when it was not known, or known in an older life. A card of
//!   the same life revives nobody, because old cards still travel while a node is being missed.
//! - Upon the end of its link, its card and its record: a node is not known any more.
//! - A node with a card that is no member 10 timeouts after it was first known may be of another
//!   mesh: every 10 timeouts one such, drawn by chance, is asked.
//!
//! # Invariants
//!
//! 1. *Proven*: nobody is `Down` without a valid certificate or its own word, nobody `Left` or in a
//!    newer incarnation without its own signature.
//! 2. *Maximum*: a record is the highest of `Alive(i) < Down(i) < Left < Alive(i + 1)`; neither
//!    order nor repetition of news matters, and no incarnation recorded, or owned, ever falls.
//! 3. *One side*: two certificates of the same D share a voter; of two parts of a mesh that do not
//!    hear each other at most one issues any. (By committee: but for the guard's probability.)
//! 4. *One chain*: D moves only with more than half of it, so no two sides hold quorums of
//!    different D's that came from one.
//! 5. *Nobody reached is put out*: who answers more than `n - quorum` of its voters stays.
//! 6. *Quiet*: without a fault nobody is suspected, reset or put out.
//! 7. *Bounded*: records by `max_members`, good-byes by `max_left`, rounds and looks by the
//!    members, questions by links; certificates have 64 votes at most, messages 64 pieces of news,
//!    pages 256.
//! 8. *No spinning*: after every input the deadline lies in the future.
//! 9. *No dead end*: every phase but `Active` has a deadline that leads on.
//!
//! # Deviations from the design of the protocol
//!
//! - What all shall know is flooded over the links, each news once, and not published on a gossip
//!   topic: the same in the real network and in the pretended one, and alive when topics are not.
//! - Certificates name their voters by id and not by index, so that anybody can verify one offline.
//! - A vote carries the quorum that its voter holds necessary, and a certificate needs as many
//!   votes as each of its voters says: voters that see a larger mesh are not outvoted by a smaller
//!   view, and whoever wants more than there are is left out instead of preventing every verdict.
//! - The majority is of the larger of D and every A since D was agreed on: a joint majority, as in
//!   the membership changes of Raft. A majority before a join and one after it cannot decide apart.
//! - D becomes A when pulses show that more than half of D had the same A; nobody counts who
//!   applied which certificate. So joins, deaths and good-byes are agreed on in one way.
//! - Two meshes that meet become the union of both; none of them leaves and rejoins, which would
//!   take down a healthy mesh to please another.
//! - Founding takes turns by id among the known nodes; the least of those that reach each other
//!   cannot know that it is.
//! - Observers ask one after another (rank times a quarter of a timeout), which leaves one
//!   coordinator in most failures without any message.
//! - A witness that found a node down and hears it tells it (see above).
//! - The clock in a statement is the coordinator's reckoning when the voter had no pulse of the
//!   subject in the last minute: in a large mesh few members ever had one.
//! - The guard counts only who was heard in the last two timeouts. Whoever was heard in the two
//!   probe intervals before would let the smaller side of a fresh cut pass. And it looks twice: the
//!   single sample of 32 stops most verdicts when 30 % die at once.
//! - Isolated members that answer each other go on, and do not wait for an active one: after an
//!   outage of the whole network there is none.
//!
//! Not protected against: agreement is on removals, it is no consensus; A differs between nodes for
//! a moment. Two nodes, and two halves, put nobody out. When more than half of D crash at once no
//! verdict is possible until some of them are back.

mod agenda;
mod birth;
mod catch_up;
mod certificate;
mod config;
mod desk;
mod doubt;
mod due;
mod electorate;
mod finding;
mod gathered;
mod going_down;
mod guard;
mod holders;
mod input;
mod joining;
mod leaving;
mod left;
mod machine;
mod meeting;
mod member;
mod news;
mod observers;
mod output;
mod probe;
mod probing;
mod refute;
mod roll;
mod round;
mod rows;
mod say;
mod seeking;
mod settling;
mod stats;
mod suspecting;
mod sweep;
#[cfg(test)]
mod tests;
mod threshold;
mod verdict;
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

pub(crate) use input::Input;
pub(crate) use machine::{MembershipMachine, Settings};
#[cfg(feature = "net")]
pub(crate) use member::Member;
pub use member::Standing;
pub(crate) use output::{Output, Saved};
pub(crate) use roll::Roll;
#[cfg(any(feature = "net", feature = "sim"))]
pub(crate) use rows::KEY as MEMBERS;
pub use stats::MembershipStats;
pub use threshold::{BadThreshold, Threshold};
pub(crate) use wire::Message;
pub use wire::{Alive, Certificate, Phase, Statement, Verdict, Vote};
#[cfg(feature = "sim")]
pub(crate) use wire::{Left, News, Pulse, Resigned};
