//! What is wrong with a link, from words and in words.

use std::time::Duration;

use gossip_mesh::FaultEffect;
use jiff::SignedDuration;

/// A time like `50ms`.
pub fn time(text: &str) -> Result<Duration, String> {
    let form = "a time has the form 50ms, 2s or 1s 500ms";
    let time: SignedDuration = text.parse().map_err(|_| form.to_owned())?;
    Duration::try_from(time).map_err(|_| form.to_owned())
}

/// A probability like `10%` or `0.1`.
pub fn loss(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let loss = number.parse().ok().map(|number: f64| number / whole);
    loss.filter(|loss| (0.0..1.0).contains(loss)).ok_or_else(|| {
        "a loss has the form 10% or 0.1 and is below 100%: to lose everything, cut the link"
            .to_owned()
    })
}

/// An effect as a few words behind a link.
pub fn words(effect: &FaultEffect) -> String {
    match effect {
        FaultEffect::Cut => "cut".to_owned(),
        FaultEffect::Delay { time, jitter } if jitter.is_zero() => format!("delay {}", show(*time)),
        FaultEffect::Delay { time, jitter } => {
            format!("delay {} to {}", show(*time), show(time.saturating_add(*jitter)))
        }
        // Three digits tell 0.1 % from nothing, and hide what binary fractions add.
        FaultEffect::Loss(loss) => format!("loss {} %", (loss * 100_000.0).round() / 1_000.0),
        FaultEffect::Rate(rate) => format!("rate {rate} bytes/s"),
        FaultEffect::Clear => "restored".to_owned(),
        _ => "disturbed".to_owned(),
    }
}

fn show(time: Duration) -> String {
    SignedDuration::try_from(time).map_or_else(|_| format!("{time:?}"), |time| format!("{time:#}"))
}
