//! Random graphs whose degrees lie within limits.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::draw;
use super::error::ShapeError;
use super::shape::Drawn;

/// The fewest and the most neighbours of a node. One that is `None` was not given and adapts to the
/// other and to the number of nodes; one that is given is kept or refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The fewest; 3 unless given.
    pub min: Option<usize>,
    /// The most; 2 above the fewest unless given.
    pub max: Option<usize>,
}

impl Limits {
    /// Both limits for so many nodes.
    ///
    /// # Errors
    /// [`ShapeError`] when there are no nodes, or no connected graph lies within the limits.
    pub fn fit(self, nodes: usize) -> Result<(usize, usize), ShapeError> {
        if nodes == 0 {
            return Err(ShapeError::NoNodes);
        }
        let most = nodes - 1;
        let odd = |degree: usize| !degree.is_multiple_of(2) && !nodes.is_multiple_of(2);
        let min = self.min.unwrap_or_else(|| match self.max {
            Some(max) if max <= MIN && max > 1 && odd(max) => max - 1,
            Some(max) => MIN.min(max).min(most),
            None => MIN.min(most),
        });
        let max = self.max.unwrap_or_else(|| min.saturating_add(SPARE));
        match (min, max) {
            (min, max) if min > max => Err(ShapeError::LimitsCrossed { min, max }),
            (min, _) if min > most => Err(ShapeError::DegreeTooHigh { degree: min, nodes }),
            (_, 0) if nodes > 1 => Err(ShapeError::DegreeZero),
            (_, 1) if nodes > 2 => Err(ShapeError::DegreeOne { nodes }),
            (min, max) if min == max && odd(min) => {
                Err(ShapeError::DegreeOdd { degree: min, nodes })
            }
            limits => Ok(limits),
        }
    }

    /// Draws a connected graph of `nodes` nodes within the limits. The same arguments give the same
    /// graph.
    ///
    /// # Errors
    /// As [`Limits::fit`].
    pub fn draw(self, nodes: usize, seed: u64) -> Result<Drawn, ShapeError> {
        let (min, max) = self.fit(nodes)?;
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // A chain of more than two nodes needs two neighbours each, but for its ends.
        let least = min.max(2).min(nodes - 1);
        let degree = least + usize::from(!(nodes * least).is_multiple_of(2));
        let mut graph = draw::random_regular(nodes, degree, rng);
        for _ in 0..nodes {
            let (a, b) = (rng.random_range(0..nodes), rng.random_range(0..nodes));
            if graph.degree(a) < max && graph.degree(b) < max {
                graph.link(a, b);
            }
        }
        let label = format!("random, degrees {min} to {max}");
        Ok(Drawn { graph, label, note: None, mends: true })
    }
}

const MIN: usize = 3;
const SPARE: usize = 2;
