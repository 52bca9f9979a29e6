//! A model of gossip broadcast: what gossipsub does with one topic among 1,000 to 100,000 nodes.
//!
//! The rest of the simulator turns the engine of the product, which needs kilobytes for each peer
//! that a node knows. Here a node is a few hundred bytes, so that a world of 100,000 fits into
//! some hundred megabytes and one core. It follows the source of `libp2p-gossipsub`, with the
//! settings of this crate, and is compared with real nodes by `check`.
//!
//! ```
//! use gossip_mesh::sim::broadcast::{BroadcastScenario, run};
//!
//! let scenario = BroadcastScenario::from_toml(r#"
//!     [broadcast]
//!     nodes = 200
//!     kill = 0.5
//!     messages = 3
//!     [broadcast.expect]
//!     reached = 0.99
//! "#).unwrap();
//! let report = run(&scenario).unwrap();
//! assert!(report.failures.is_empty(), "{}", report.render());
//! assert_eq!(run(&scenario).unwrap().trace, report.trace, "the same seed, the same run");
//! ```
//!
//! # Spec
//!
//! 1. *At the beginning* nodes have links (near-regular random graph, `links` each) and join the
//!    topic one after another: a joining node grafts `degree` random peers of those that joined,
//!    a peer with fewer than `low` grafts the newcomer. Then heartbeats run for `warmup`.
//! 2. *Upon a graft:* take the peer into the mesh. Refuse with a prune while the peer is being left
//!    alone after an earlier prune, and when the mesh is at `high` and the peer dialled us.
//! 3. *Upon a prune:* drop the peer from the mesh; both leave each other alone for 10 s.
//! 4. *Upon a publish:* send to all linked peers with `flood_publish`, else to the mesh, filled up
//!    to `degree` with other linked peers.
//! 5. *Upon the first copy:* send it to the mesh, but not to who brought it and not to the author.
//!    *Upon a further copy:* count it.
//! 6. *Upon a heartbeat:* dial when there are fewer than `links` links; graft up to `degree` below
//!    `low`; prune down to `degree` at `high`; keep one peer in the mesh that was dialled. Then
//!    tell `gossip_factor` of the linked peers outside the mesh, `gossip_lazy` at least, what came
//!    within the last `history_gossip` heartbeats (IHAVE).
//! 7. *Upon an IHAVE:* ask (IWANT) for what is neither here nor asked for. What was asked for is
//!    asked again after `ask_again`; without it never, as gossipsub without peer scores.
//! 8. *Upon an IWANT:* send what came within the last `history` heartbeats.
//! 9. *Upon a crash:* nothing is sent or heard by the node any more; `detect` later all its links
//!    are gone, and nobody dials it. A node that comes back knows nothing, and links anew.
//!
//! With `fixed` there is no mesh, no gossip and no dialling: every link carries every message, as
//! in the fixed graphs of the lab.
//!
//! # What it showed
//!
//! gossipsub without peer scores asks for a message once and never again: `gossip_promises` of
//! `libp2p-gossipsub` 0.50 are only given up where scores are kept. Whoever loses the one IWANT or
//! the answer to it gets the message from the mesh or not at all. With half of everything lost
//! (`loss = 0.5`, no `flood_publish`) the worst of 8 messages reaches 97.5 % of 200 nodes, and
//! 99.0 % with `ask_again = "250ms"` (seed 1).
//!
//! # Limits
//!
//! - Processors and bandwidth are free: times are those of the links alone. Messages are below
//!   1,000 bytes, above which gossipsub says IDONTWANT.
//! - A dial takes no time. `loss` meets copies, IHAVE and IWANT; grafts and prunes always arrive,
//!   as gossipsub does not drop them from its queues.
//! - Counters that bound the IHAVE of a peer are not modelled: there are at most 64 messages.
//! - Moments are multiples of 10 µs.

#[cfg(feature = "net")]
mod check;
mod delays;
mod failing;
mod gossip;
mod graph;
mod held;
mod links;
mod measure;
mod mesh;
pub(in crate::sim) mod micros;
mod nodes;
mod report;
mod scenario;
mod tick;
mod wheel;
mod world;

#[cfg(test)]
mod tests;

#[cfg(feature = "net")]
pub use check::{BroadcastCheck, CheckedSize, Measured, check};
pub use report::{BroadcastReport, Control, Hops, Lost, MessageReport, Times};
pub use scenario::{BroadcastExpect, BroadcastScenario, Graph, Latency, is_broadcast};
pub use world::run;
