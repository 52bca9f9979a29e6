//! How far a run is, for a person at a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::measure::Onlooker;
use crate::bench::plan::Plan;
use crate::bench::run::Phase;
use crate::render::screen::Screen;

/// A line that grows; hidden where nobody looks.
pub struct Bar(ProgressBar);

impl Bar {
    /// For messages of this system and of this many bytes.
    pub fn new(system: &str, size: u32, screen: Screen) -> Self {
        if screen.json || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0).with_prefix(format!("{system}, {size} bytes"));
        let style = "{prefix}: {bar:32} {pos} of {len} messages everywhere, {msg}";
        Self(match ProgressStyle::with_template(style) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// So much is planned.
    pub fn is_for(&self, plan: &Plan) {
        self.0.set_length(plan.total());
    }

    /// Something that is not measured goes on.
    pub fn says(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// The run is over.
    pub fn ends(&self) {
        self.0.finish_and_clear();
    }
}

impl Onlooker for Bar {
    fn begins(&self, phase: Phase) {
        self.says(match phase {
            Phase::WarmUp => "warming up",
            Phase::Latency => "single messages",
            Phase::Throughput => "the load",
        });
    }

    fn everywhere(&self, messages: u64) {
        self.0.set_position(messages);
    }
}
