//! `gossip remove-node`: takes a node out of a network.

use std::time::Duration;

use clap::Args;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::args::Which;
use crate::exit::Failure;
use crate::lab::launch::GOODBYE;
use crate::lab::member::{Member, Network};
use crate::lab::process::{end_all, wait};
use crate::lab::state::Removal;
use crate::render::screen::Screen;

/// Take a node out: it leaves; one that is dead already is forgotten by the others
#[derive(Args, Debug)]
pub struct RemoveNode {
    /// Number, name or beginning of the PeerId of the node
    node: String,
    /// End its process without a word, so that the others must find out
    #[arg(long)]
    kill: bool,
    #[command(flatten)]
    which: Which,
}

impl RemoveNode {
    /// Takes it out.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        // Held to the end, so that nobody starts or stops the network meanwhile.
        let _lock = network.lab.as_ref().map(|folder| folder.lock()).transpose()?;
        let network = self.which.find()?;
        let member = network.member(&self.node)?;
        let removal = match (member.is_running(), self.kill) {
            (true, true) => kill(member),
            (true, false) => leave(member).await,
            (false, true) => return Err(dead_already(&network, member)),
            (false, false) => forget(&network, member).await,
        };
        note(&network, member, removal)?;
        if screen.json {
            return screen.document(&json!({ "node": member.number, "removed": removal }));
        }
        let number = member.number;
        screen.show(match removal {
            Removal::Left => format!("node {number} has left\n"),
            Removal::Killed => format!(
                "node {number} {}; `gossip remove-node {number}{}` has it forgotten\n",
                if self.kill { "was killed" } else { "did not answer and was killed" },
                network.words
            ),
            Removal::Forgotten => format!("node {number} was dead; the others have forgotten it\n"),
        })
    }
}

fn dead_already(network: &Network, member: &Member) -> Failure {
    Failure::failed(format!(
        "node {0} does not run any more: `gossip remove-node {0}{1}`, without --kill, has the \
         others forget it",
        member.number, network.words
    ))
}

/// Ends its process without a word.
pub(super) fn kill(member: &Member) -> Removal {
    if let Some(process) = &member.process {
        process.signal(Signal::SIGKILL);
        wait(&mut vec![process], Duration::from_secs(5));
    }
    Removal::Killed
}

/// Has it say good-bye; ends it when it does not answer, or does not end.
async fn leave(member: &Member) -> Removal {
    let told = tokio::time::timeout(GOODBYE, async { member.api().await?.leave().await }).await;
    if let Some(process) = &member.process {
        wait(&mut vec![process], if told.is_ok() { GOODBYE } else { Duration::ZERO });
        if end_all(std::slice::from_ref(process), GOODBYE) > 0 {
            return Removal::Killed;
        }
    }
    Removal::Left
}

/// Has all that run forget it.
async fn forget(network: &Network, gone: &Member) -> Removal {
    let mut telling = tokio::task::JoinSet::new();
    for member in network.members.iter().filter(|member| member.is_running()) {
        let (member, id) = (member.clone(), gone.peer_id);
        // One that does not answer forgets by itself, in time.
        telling.spawn(tokio::time::timeout(GOODBYE, async move {
            member.api().await?.forget(id).await
        }));
    }
    telling.join_all().await;
    Removal::Forgotten
}

/// Notes in the lab's record how the node was taken out.
pub(super) fn note(network: &Network, member: &Member, removal: Removal) -> Result<(), Failure> {
    let Some(folder) = &network.lab else { return Ok(()) };
    let Some(mut record) = folder.read()? else { return Ok(()) };
    if let Some(node) = record.nodes.iter_mut().find(|node| node.number == member.number) {
        // Who left needs not be forgotten too.
        node.removed = match (node.removed, removal) {
            (Some(Removal::Left), Removal::Forgotten) => Some(Removal::Left),
            _ => Some(removal),
        };
    }
    folder.write(&record)
}
