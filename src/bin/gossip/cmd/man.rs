//! `gossip man`: the manual.

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::args::Cli;
use crate::exit::Failure;
use crate::render::screen::Screen;

/// Print the manual page, of gossip or of one command
#[derive(Args, Debug)]
#[command(after_help = "For example: gossip man | man -l -")]
pub struct Man {
    /// The command
    command: Option<String>,
}

impl Man {
    /// Prints it.
    pub fn run(self, screen: Screen) -> Result<(), Failure> {
        let gossip = Cli::command();
        let page = match &self.command {
            None => Page::new(gossip),
            Some(name) => Page::new(named(&gossip, name)?),
        };
        let mut out = Vec::new();
        page.render(&mut out)?;
        screen.show(out)
    }
}

fn named(gossip: &Command, name: &str) -> Result<Command, Failure> {
    let found = gossip.find_subcommand(name).ok_or_else(|| {
        Failure::usage(format!("there is no command {name:?}: `gossip help` lists them"))
    })?;
    Ok(found.clone().display_name(format!("gossip-{name}")).bin_name(format!("gossip {name}")))
}
