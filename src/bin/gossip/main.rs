//! The binary `gossip`: networks of many nodes on this machine, single nodes, and a look into both.
//!
//! - [`args`]: the words of the command line; each command's own are with the command
//! - [`cmd`]: a file per command
//! - [`lab`]: networks of many processes: their graph, their state on disk, their start and end
//! - [`bench`]: the engine of measurement, which knows no command line
//! - [`api`]: the local API of a running node, from outside
//! - [`render`]: what the terminal shows
//! - [`exit`], [`interrupt`]: how a command ends, and who may end it
//! - [`places`]: where things are kept on this machine

mod api;
mod args;
mod bench;
mod cmd;
mod exit;
mod interrupt;
mod lab;
mod places;
mod render;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    args::log_to_stderr(cli.verbose);
    let screen = render::screen::Screen::new(cli.json);
    exit::code(cmd::run(cli.command, screen), screen)
}
