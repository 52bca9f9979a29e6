//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::cmd;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::places;

/// Leaderless networks: start many nodes on this machine, or one for a real network, and talk.
#[derive(Debug, Parser)]
#[command(name = "gossip", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Show results as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Tell more on stderr: -v what happens, -vv details, -vvv everything (or set GOSSIP_LOG).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// One variant per command.
#[derive(Debug, Subcommand)]
pub enum Command {
    StartNetwork(cmd::start_network::StartNetwork),
    StopNetwork(cmd::stop_network::StopNetwork),
    Status(cmd::status::Status),
    SendMessage(cmd::send_message::SendMessage),
    GetMessages(cmd::messages::GetMessages),
    RemoveNode(cmd::remove_node::RemoveNode),
    Rewire(cmd::rewire::Rewire),
    ListPeers(cmd::list_peers::ListPeers),
    Plot(cmd::plot::Plot),
    Node(cmd::node::Options),
    Pub(cmd::publish::Pub),
    Sub(cmd::subscribe::Sub),
    Events(cmd::events::Events),
    Metrics(cmd::metrics::Metrics),
    Trace(cmd::trace::Trace),
    Why(cmd::why::Why),
    Verdict(cmd::verdict::Verdict),
    Recorder(cmd::recorder::Recorder),
    Simulate(cmd::simulate::Simulate),
    Fault(cmd::fault::Fault),
    Bench(cmd::bench::Bench),
    Completions(cmd::completions::Completions),
    Man(cmd::man::Man),
}

/// The network meant when none is named.
pub const DEFAULT_NETWORK: &str = "lab";

/// Which network on this machine is meant.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Name of the network
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NETWORK)]
    pub network: String,
    /// Folder with the state of networks [default: gossip-mesh in the user's state folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Which {
    /// The folder with the state of networks.
    ///
    /// # Errors
    /// When nothing says where that is.
    pub fn root(&self) -> Result<PathBuf, Failure> {
        places::state_root(self.data.as_deref())
    }

    /// The network, which runs.
    ///
    /// # Errors
    /// A sentence when it does not.
    pub fn find(&self) -> Result<Network, Failure> {
        Network::find(&self.root()?, &self.network)
    }
}

/// The filter that a level of our own words, or a filter, means.
///
/// # Errors
/// What is wrong with it.
pub fn log_filter(text: &str) -> Result<String, String> {
    let filter = match text {
        "error" | "warn" | "info" | "debug" | "trace" => format!("warn,gossip_mesh={text}"),
        other => other.to_owned(),
    };
    EnvFilter::builder().parse(&filter).map_err(|error| error.to_string())?;
    Ok(filter)
}

/// Sends the log to stderr: as loud as `GOSSIP_LOG` says, else as loud as so many `-v`.
pub fn log_to_stderr(verbose: u8) {
    let loudness = match verbose {
        0 => "error,gossip_mesh=warn,gossip=warn",
        1 => "warn,gossip_mesh=info",
        2 => "info,gossip_mesh=debug",
        _ => "debug,gossip_mesh=trace",
    };
    let filter = EnvFilter::try_from_env("GOSSIP_LOG").unwrap_or_else(|_| loudness.into());
    let person = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(person && !refused)
        .init();
}
