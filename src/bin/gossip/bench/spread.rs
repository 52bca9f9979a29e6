//! Percentiles of samples.

/// How samples are spread, in the unit of the samples.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spread {
    /// Half of them are not above it.
    pub p50: u64,
    /// Nine of ten.
    pub p90: u64,
    /// Ninety-nine of a hundred.
    pub p99: u64,
    /// None is above it.
    pub max: u64,
}

impl Spread {
    /// Of these samples, in any order; `None` of none.
    ///
    /// Samples are kept and sorted instead of counted in a histogram: there are some thousands, and
    /// sorted they are exact.
    pub fn of(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        let max = *samples.last()?;
        // At the rank below, as the programs that this is compared with do it.
        let at = |percent: usize| {
            samples.get((samples.len() - 1) * percent / 100).copied().unwrap_or(max)
        };
        Some(Self { p50: at(50), p90: at(90), p99: at(99), max })
    }
}
