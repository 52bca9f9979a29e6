//! `gossip completions`: what a shell needs to complete our words.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Failure;
use crate::render::screen::Screen;

/// Print the completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "For example: gossip completions bash > \
                        ~/.local/share/bash-completion/completions/gossip")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints them.
    pub fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "gossip", &mut out);
        screen.show(out)
    }
}
