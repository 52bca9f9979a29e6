//! `gossip bench`: how fast it is here, and whether anything is lost.

mod bar;
mod outcomes;
mod topic;

use clap::{Args, Subcommand};

use crate::exit::Failure;
use crate::render::screen::Screen;

/// Measure how fast it is on this machine, and whether anything is lost
#[derive(Args, Debug)]
pub struct Bench {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    Topic(topic::TopicBench),
}

impl Bench {
    /// Measures it. Unlike other commands it uses all processors.
    pub fn run(self, screen: Screen) -> Result<(), Failure> {
        let runtime = tokio::runtime::Runtime::new()?;
        let Kind::Topic(topic) = self.kind;
        let result = runtime.block_on(topic.run(screen));
        runtime.shutdown_background();
        result
    }
}
