//! One direction of one connection: when a message arrives, if at all.

use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::base::time::Time;
use crate::sim::scenario::{Kind, Latency, LinkModel};

/// What is remembered of a direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    /// When the last message arrived or will; a stream keeps its order.
    last: Time,
    /// Until when earlier bytes keep the line busy.
    busy: Time,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Lost,
    Arrives(Time),
    /// Two copies.
    Twice(Time, Time),
}

/// Stalls double up to here, as in Linux.
const MAX_STALL: Duration = Duration::from_secs(120);

/// A stream gives a packet up after so many losses in a row.
const MAX_TRIES: u32 = 15;

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;

impl Way {
    /// Sends `bytes` at `now` over a link where this share of packets is lost.
    pub fn send(
        &mut self,
        model: &LinkModel,
        loss: f64,
        bytes: usize,
        now: Time,
        rng: &mut ChaCha8Rng,
    ) -> Fate {
        let begin = self.line(model, bytes, now);
        match model.kind {
            Kind::Stream => match stall(model, loss, rng) {
                None => Fate::Lost,
                Some(stall) => {
                    let arrives = begin + stall + latency(&model.latency, rng);
                    self.last = self.last.max(arrives);
                    Fate::Arrives(self.last)
                }
            },
            Kind::Datagram if chance(loss, rng) => Fate::Lost,
            Kind::Datagram => {
                let mut under_way = latency(&model.latency, rng);
                if chance(model.reorder, rng) {
                    under_way = under_way.mul_f64(rng.random_range(1.0..10.0));
                }
                let arrives = self.last.max(begin + under_way);
                match chance(model.duplicate, rng) {
                    true => Fate::Twice(arrives, arrives + latency(&model.latency, rng)),
                    false => Fate::Arrives(arrives),
                }
            }
        }
    }

    /// Nothing that is sent from now on arrives before `at`, nor before what did so earlier. The
    /// time from which it does.
    pub fn hold_until(&mut self, at: Time) -> Time {
        self.last = self.last.max(at);
        self.last
    }

    /// When the last byte is on the line.
    fn line(&mut self, model: &LinkModel, bytes: usize, now: Time) -> Time {
        let Some(bandwidth) = model.bandwidth else { return now };
        let micros = (bytes as u64).saturating_mul(SECOND) / bandwidth.max(1);
        self.busy = self.busy.max(now) + Duration::from_micros(micros);
        self.busy
    }
}

/// How long a stream repeats itself until a packet comes through; `None` when it never does.
pub(crate) fn stall(model: &LinkModel, loss: f64, rng: &mut ChaCha8Rng) -> Option<Duration> {
    if loss >= 1.0 {
        return None;
    }
    let mut whole = Duration::ZERO;
    let mut next = model.retransmit.0;
    for _ in 0..MAX_TRIES {
        if !chance(loss, rng) {
            return Some(whole);
        }
        whole += next;
        next = (next * 2).min(MAX_STALL);
    }
    None
}

/// One draw of the latency.
pub(crate) fn latency(latency: &Latency, rng: &mut ChaCha8Rng) -> Duration {
    match *latency {
        Latency::Constant(span) => span.0,
        Latency::Uniform(least, most) => {
            let (least, most) = (least.as_micros(), most.as_micros());
            Duration::from_micros(rng.random_range(least..=most.max(least)))
        }
        Latency::Normal { mean, deviation, least } => {
            let most = mean.0 + deviation.0 * 4;
            let drawn = mean.0.as_secs_f64() + deviation.0.as_secs_f64() * bell(rng);
            let drawn = Duration::try_from_secs_f64(drawn).unwrap_or(Duration::ZERO);
            drawn.min(most).max(least.0)
        }
        Latency::Exponential { least, mean } => {
            let tail = -(1.0 - rng.random::<f64>()).ln();
            least.0 + mean.0.mul_f64(tail.min(20.0))
        }
    }
}

/// A draw of the standard normal distribution (Box and Muller).
fn bell(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// True with this probability. Draws nothing where nothing is to decide.
pub(crate) fn chance(share: f64, rng: &mut ChaCha8Rng) -> bool {
    share > 0.0 && rng.random::<f64>() < share
}
