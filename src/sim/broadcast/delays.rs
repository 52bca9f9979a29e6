//! How long a message is under way.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::scenario::Latency;
use super::tick::ticks;

/// Steps in which the distribution is drawn.
const STEPS: usize = 1_024;

/// A latency for each link, the same both ways and for the whole run, without memory per link: it
/// is hashed from the two ends. Jitter comes anew with every message.
#[derive(Debug)]
pub struct Delays {
    quantiles: Vec<u32>,
    jitter: f64,
    seed: u64,
}

impl Delays {
    pub fn new(latency: Latency, jitter: f64, seed: u64) -> Self {
        let quantiles = (0..STEPS)
            .map(|step| (step as f64 + 0.5) / STEPS as f64)
            .map(|share| ticks(latency.quantile(share)).max(1))
            .collect();
        Self { quantiles, jitter, seed }
    }

    /// Ticks from one node to another.
    pub fn draw(&self, a: u32, b: u32, rng: &mut ChaCha8Rng) -> u32 {
        let link = u64::from(a.min(b)) << 32 | u64::from(a.max(b));
        let step = mix(self.seed ^ mix(link)) as usize % STEPS;
        let latency = self.quantiles[step];
        if self.jitter == 0.0 {
            return latency;
        }
        (f64::from(latency) * (1.0 + self.jitter * rng.random::<f64>())) as u32
    }
}

/// SplitMix64: every bit of the result depends on every bit of the number.
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
