//! What is wrong with one direction of a link.

use std::num::NonZeroU64;
use std::time::Duration;

use super::fault::FaultEffect;

/// The effects on one direction; one of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weather {
    pub cut: bool,
    /// A delay, and the most that is added to it by chance.
    pub delay: Option<(Duration, Duration)>,
    /// The probability that a segment is lost; below 1.
    pub loss: Option<f64>,
    /// Bytes per second.
    pub rate: Option<NonZeroU64>,
}

/// The same of both directions of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct BothWays {
    pub out: Weather,
    pub inbound: Weather,
}

impl Weather {
    /// Nothing is wrong.
    pub fn is_calm(&self) -> bool {
        let delayed = self.delay.is_some_and(|(time, jitter)| !(time + jitter).is_zero());
        let lossy = self.loss.is_some_and(|loss| loss > 0.0);
        !self.cut && !delayed && !lossy && self.rate.is_none()
    }

    /// Puts an effect in place of an earlier one of its kind.
    pub fn apply(&mut self, effect: FaultEffect) {
        match effect {
            FaultEffect::Cut => self.cut = true,
            FaultEffect::Delay { time, jitter } => self.delay = Some((time, jitter)),
            FaultEffect::Loss(loss) => self.loss = Some(loss),
            FaultEffect::Rate(rate) => self.rate = Some(rate),
            FaultEffect::Clear => *self = Self::default(),
        }
    }

    /// What holds for a peer, where `all` is said of everybody.
    pub fn over(self, all: Self) -> Self {
        Self {
            cut: self.cut || all.cut,
            delay: self.delay.or(all.delay),
            loss: self.loss.or(all.loss),
            rate: self.rate.or(all.rate),
        }
    }

    /// The effects one by one.
    pub fn effects(self) -> impl Iterator<Item = FaultEffect> {
        let cut = self.cut.then_some(FaultEffect::Cut);
        let delay = self.delay.map(|(time, jitter)| FaultEffect::Delay { time, jitter });
        let loss = self.loss.map(FaultEffect::Loss);
        let rate = self.rate.map(FaultEffect::Rate);
        [cut, delay, loss, rate].into_iter().flatten()
    }
}

impl BothWays {
    /// What holds for a peer, where `all` is said of everybody.
    pub fn over(self, all: Self) -> Self {
        Self { out: self.out.over(all.out), inbound: self.inbound.over(all.inbound) }
    }
}
