//! Floor 4b: the pretend world. It drives the engine of the product in virtual time.
//!
//! ```text
//!  Scenario (TOML) ──► schedule ──► world ──► Outcome ──► Report
//!                                     │ watched by expect/, tally
//!                      stage: queue, hosts, connections, weather
//!                                     │ drives
//!                                   Engine
//! ```
//!
//! One world has one queue, one generator, one thread: the same scenario and seed give the same
//! trace, down to its hash. Many worlds run side by side.
//!
//! # Map
//!
//! - `scenario/`: the file; `schedule`: its faults as single acts at fixed times
//! - `stage`: the state of a world; `deliver`, `obey`, `post`, `connect`, `befall`: what happens
//! - `host`: one machine; `clock`, `disk`: what it has; `cast`: how its node is made
//! - `link`: one direction of a connection; `weather`: cuts, losses, partitions
//! - `look`: what is seen of a node, the only file that knows the rooms' looks
//! - `scene`: what is seen of a world; `expect/`: what is expected; `tally`: what is measured
//! - `adversary/`: who cheats
//! - `broadcast/`: a model of gossip broadcast for 100,000 nodes, in flat arrays
//! - `tree/`: the room of the tree carrier, alone, for some thousand nodes
//! - `hot`: the machines alone, for benchmarks
//! - `run`, `report`: many seeds; `shrink`: the least that still fails; `timeline`: a picture
//!
//! # What is pretended
//!
//! - A connection comes up after 7 one-way trips, and is pinged by both ends as libp2p does.
//!   Answered pings are told to a node only when they are news.
//! - Connections' own packets are repeated as TCP does in either kind of link; messages are lost
//!   (`datagram`) or stalled (`stream`). A loss of 1, or a cut, swallows everything.
//! - Broadcasts are flooded over links to those who joined the bucket: no gossipsub, no mesh.
//! - A crash is told to peers by a reset, unless silent. A machine whose process is gone answers
//!   what comes for an old connection with a reset.
//! - There is no Kademlia, mDNS, door or foreign peer.

mod adversary;
mod bare;
mod befall;
pub mod broadcast;
mod cast;
mod clock;
mod connect;
mod deliver;
mod disk;
mod expect;
mod happening;
mod host;
#[doc(hidden)]
pub mod hot;
mod link;
mod look;
mod mark;
mod obey;
mod post;
mod queue;
mod report;
mod run;
mod scenario;
mod scene;
mod schedule;
mod shrink;
mod stage;
mod tally;
#[cfg(test)]
mod tests;
mod timeline;
mod trace;
pub mod tree;
mod weather;
mod workload;
mod world;

pub use expect::EXPECTATIONS;
pub use report::{Outcome, Report, Spread};
pub use run::{run, run_many};
pub use scenario::{
    ClockModel, DiskModel, Fault, FaultKind, Form, Group, Hostile, Kind, Latency, LinkModel, Rooms,
    Scenario, ScenarioError, Shape, Span, Start, Who, Word, Workload,
};
pub use shrink::{Shrunk, shrink};
pub use timeline::timeline;
