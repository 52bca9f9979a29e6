//! Nodes along the edges of a graph, whose links can be disturbed.

use std::num::NonZeroU64;
use std::time::Duration;

use gossip_mesh::{Config, Fault, FaultEffect, Node};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::book::{Book, LOAD};
use crate::nodes;

pub type Edge = (u8, u8);

/// Two triangles, and an edge from each corner to its like: everybody has three neighbours, and
/// nobody is the only way to another.
pub const PRISM: [Edge; 9] =
    [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)];

/// Nodes, each of which reads.
pub struct Mesh {
    pub nodes: Vec<Node>,
    pub books: Vec<Book>,
}

/// Messages that each node has sent when a test begins.
pub const FIRST: u64 = 1;

static MACHINE: RwLock<()> = RwLock::const_new(());

/// Who measures has the machine for itself: two tests at a time would measure each other.
pub async fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().await
}

/// Who does not measure keeps out of the way of who does.
pub async fn beside_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().await
}

/// A lab whose links can be disturbed, and in which a dead one is soon found out.
pub fn fragile() -> Config {
    let mut config = nodes::lab();
    config.faults = true;
    config.link.ping_interval = Duration::from_millis(400);
    config.link.ping_timeout = Duration::from_millis(800);
    config.link.hello_timeout = Duration::from_millis(500);
    config.link.handshake_timeout = Duration::from_millis(500);
    // What is cut for seconds is not to be given up where the machine is slow as well.
    config.topic.repair_for = Duration::from_secs(30);
    config
}

impl Mesh {
    /// Nodes that all read, know it of each other, and had the first message of each: where a feed
    /// begins is found out once, and not while links fail.
    pub async fn of(config: &Config, count: u8, edges: &[Edge]) -> Self {
        let nodes = nodes::graph_of(config, count, edges).await;
        let mut books = Vec::new();
        for node in &nodes {
            books.push(Book::open(node).await);
        }
        for node in &nodes {
            nodes::knows_readers(node, LOAD.name(), &nodes.iter().collect::<Vec<_>>()).await;
        }
        let mesh = Self { nodes, books };
        for node in &mesh.nodes {
            node.publish(LOAD, &Vec::new()).await.expect("the node runs");
        }
        let all: Vec<usize> = (0..mesh.nodes.len()).collect();
        for author in 0..mesh.nodes.len() {
            mesh.reach(&all, author, FIRST).await;
        }
        mesh
    }

    /// Does this to all that others send to a node.
    pub async fn towards(&self, target: usize, effect: FaultEffect) {
        let peer = self.nodes[target].id();
        for node in self.nodes.iter().filter(|node| node.id() != peer) {
            node.fault(Fault::with(peer, effect).outbound()).await.expect("faults are allowed");
        }
    }

    /// Does this to a link, both ways.
    pub async fn between(&self, (one, other): (usize, usize), effect: FaultEffect) {
        for (here, there) in [(one, other), (other, one)] {
            let fault = Fault::with(self.nodes[there].id(), effect).outbound();
            self.nodes[here].fault(fault).await.expect("faults are allowed");
        }
    }

    /// Takes back all faults.
    pub async fn heal(&self) {
        for node in &self.nodes {
            node.fault(Fault::with_all(FaultEffect::Clear)).await.expect("faults are allowed");
        }
    }

    /// Waits until these have the last message of the author.
    pub async fn reach(&self, readers: &[usize], author: usize, number: u64) {
        for reader in readers {
            self.books[*reader].reaches(&self.nodes[author], number).await;
        }
    }

    pub async fn end(self) {
        drop(self.books);
        nodes::leave(self.nodes).await;
    }
}

/// Only so many bytes in a second.
pub fn rate(bytes: u64) -> FaultEffect {
    FaultEffect::Rate(NonZeroU64::new(bytes).expect("above zero"))
}

/// Everything comes so much later.
pub fn delay(millis: u64) -> FaultEffect {
    FaultEffect::Delay { time: Duration::from_millis(millis), jitter: Duration::ZERO }
}
