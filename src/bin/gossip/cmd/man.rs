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
    /// The command, e.g. `plot` or `fault cut`
    #[arg(value_name = "COMMAND")]
    names: Vec<String>,
}

impl Man {
    /// Prints it.
    pub fn run(self, screen: Screen) -> Result<(), Failure> {
        let page = self.names.iter().try_fold(Cli::command(), |above, name| named(&above, name));
        let page = Page::new(page?);
        let mut out = Vec::new();
        page.render(&mut out)?;
        screen.show(out)
    }
}

fn named(above: &Command, name: &str) -> Result<Command, Failure> {
    let (dashed, spaced) = (
        above.get_display_name().unwrap_or(above.get_name()),
        above.get_bin_name().unwrap_or(above.get_name()),
    );
    let found = above.find_subcommand(name).ok_or_else(|| {
        Failure::usage(format!("there is no command {name:?}: `{spaced} help` lists them"))
    })?;
    let found = found.clone();
    Ok(found.display_name(format!("{dashed}-{name}")).bin_name(format!("{spaced} {name}")))
}
