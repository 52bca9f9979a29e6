//! `gossip stop-network`: ends all processes of a network.

use clap::Args;
use serde_json::json;

use crate::args::Which;
use crate::exit::Failure;
use crate::lab::launch::GOODBYE;
use crate::lab::process::{end_all, resume_all};
use crate::lab::state::Folder;
use crate::render::screen::Screen;

/// Stop a network that was started on this machine
///
/// Its nodes say good-bye; one that does not end within 3 s is ended by force. To stop what does
/// not run is no error.
#[derive(Args, Debug)]
pub struct StopNetwork {
    #[command(flatten)]
    which: Which,
}

impl StopNetwork {
    /// Stops it.
    pub fn run(self, screen: Screen) -> Result<(), Failure> {
        let folder = Folder::of(&self.which.root()?, &self.which.network);
        let (stopped, forced) = if folder.read()?.is_some() { stop(&folder)? } else { (0, 0) };
        let network = &self.which.network;
        if screen.json {
            let document = json!({ "network": network, "stopped": stopped, "by_force": forced });
            return screen.document(&document);
        }
        screen.show(match (stopped, forced) {
            (0, _) => format!("network {network:?} is not running\n"),
            (stopped, 0) => format!("network {network:?} has stopped: {}\n", nodes(stopped)),
            (stopped, forced) => format!(
                "network {network:?} has stopped: {}, {forced} of them by force\n",
                nodes(stopped)
            ),
        })
    }
}

/// Ends all processes of a lab and clears its folder; says how many ran, and how many of them had
/// to be ended by force.
fn stop(folder: &Folder) -> Result<(usize, usize), Failure> {
    let _lock = folder.lock()?;
    // Whoever held the lock may have stopped it.
    let Some(record) = folder.read()? else { return Ok((0, 0)) };
    let processes = record.processes();
    let running = processes.iter().filter(|process| process.is_running()).count();
    // One that is paused could not say good-bye.
    resume_all(&processes);
    let forced = end_all(&processes, GOODBYE);
    folder.clear(&record);
    Ok((running, forced))
}

fn nodes(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}
