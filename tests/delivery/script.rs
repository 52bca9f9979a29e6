//! Faults in an order that follows from a seed.

use std::time::Duration;

use gossip_mesh::FaultEffect;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::mesh::{Edge, Mesh};

/// What happens to links, one after the other.
pub struct Script {
    rng: ChaCha8Rng,
    edges: Vec<Edge>,
    /// The kinds of fault take turns.
    turn: u32,
}

/// What happens to a link, and for how long.
type Scene = ((usize, usize), FaultEffect, Duration);

impl Script {
    pub fn new(seed: u64, edges: &[Edge]) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), edges: edges.to_vec(), turn: 0 }
    }

    fn next(&mut self) -> Scene {
        let (one, other) = self.edges[self.rng.random_range(0..self.edges.len())];
        let millis = |rng: &mut ChaCha8Rng, span| Duration::from_millis(rng.random_range(span));
        self.turn += 1;
        let (effect, time) = match self.turn % 4 {
            2 => {
                let time = millis(&mut self.rng, 5..40);
                (FaultEffect::Delay { time, jitter: time }, millis(&mut self.rng, 100..500))
            }
            3 => (FaultEffect::Loss(0.1), millis(&mut self.rng, 100..500)),
            // A stall, after which the same connection goes on.
            0 => (FaultEffect::Cut, millis(&mut self.rng, 100..400)),
            // A break: the link is given up and dialled again.
            _ => (FaultEffect::Cut, millis(&mut self.rng, 2_400..3_000)),
        };
        ((usize::from(one), usize::from(other)), effect, time)
    }

    /// Disturbs one link after another, until `end` is ready. How many were disturbed.
    pub async fn play(mut self, mesh: &Mesh, end: impl Future<Output = ()>) -> u32 {
        tokio::pin!(end);
        let mut scenes = 0;
        loop {
            let (edge, effect, time) = self.next();
            mesh.between(edge, effect).await;
            scenes += 1;
            let over = tokio::time::timeout(time, &mut end).await.is_ok();
            mesh.between(edge, FaultEffect::Clear).await;
            if over {
                return scenes;
            }
        }
    }
}
