//! A node of a lab, held by the process that started it (see [`crate::lab::launch`]).

use std::io::BufRead;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Config, Node, Peer, Standing};
use tokio::sync::oneshot;

use super::node::{spawn, subscribe};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::process::Process;
use crate::render::screen::Screen;

/// How often a node looks whether it is ready, at least and per node of the lab: all of them look
/// at once, and each look goes through all of them.
const GLANCE: Duration = Duration::from_millis(5);
const GLANCE_PER_NODE: Duration = Duration::from_micros(500);

/// How often a node that was started again looks whether the one that holds the lab still runs.
const HOLDER_GLANCE: Duration = Duration::from_millis(500);

/// Runs it: says `ready` when it knows all `total` nodes, and ends when it is told to, or when
/// stdin ends before it was told to `stay`.
pub async fn run(
    config: Config,
    topics: &[String],
    total: usize,
    screen: Screen,
) -> Result<(), Failure> {
    // Ctrl-C in the terminal is for the process that holds us. It fails where we have a session of
    // our own already.
    let _ = nix::unistd::setsid();
    let mut interrupt = Interrupt::new()?;
    let mut abandoned = abandoned();
    let node = spawn(config).await?;
    // What is read is kept for whoever asks; nobody listens here.
    let mut incoming = subscribe(&node, topics).await?;
    let mut ready = std::pin::pin!(ready(&node, topics, total));
    let mut is_ready = false;
    loop {
        tokio::select! {
            () = interrupt.came() => break,
            Ok(()) = &mut abandoned => break,
            () = node.stopped() => break,
            Some(_) = incoming.next() => {}
            told = &mut ready, if !is_ready => {
                told?;
                is_ready = true;
                // Who does not wait for it any more needs no answer.
                let _ = screen.show("ready\n");
            }
        }
    }
    Ok(node.leave().await?)
}

/// Ready when stdin ends without a word, or when the process ends that we are to stay with.
fn abandoned() -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        // What cannot be read is no word either.
        let _ = std::io::stdin().lock().read_line(&mut line);
        if line == "stay\n" {
            // Nothing is told, ever.
            return std::mem::forget(tell);
        }
        if let Some(holder) = line.strip_prefix("stay with ").map(serde_json::from_str::<Process>) {
            while holder.as_ref().is_ok_and(Process::is_running) {
                std::thread::sleep(HOLDER_GLANCE);
            }
        }
        let _ = tell.send(());
    });
    told
}

/// Waits until the node is linked with its neighbours, knows all others and what they read, and all
/// are members. In a
/// lab of none it waits for nobody.
async fn ready(node: &Node, topics: &[String], total: usize) -> Result<(), Failure> {
    if total == 0 {
        return Ok(());
    }
    let neighbours = node.config().topology.neighbours().count();
    let per_node = GLANCE_PER_NODE.saturating_mul(u32::try_from(total).unwrap_or(u32::MAX));
    loop {
        let peers = node.peers().await?;
        let linked = peers.iter().filter(|peer| peer.linked && peer.neighbour).count();
        let known = peers.iter().filter(|peer| is_known(peer, topics)).count();
        if linked >= neighbours && known + 1 >= total {
            // A node that dies before it is a member cannot be put out.
            let members = node.overview().await?.active;
            if usize::try_from(members).is_ok_and(|members| members >= total) {
                return Ok(());
            }
        }
        tokio::time::sleep(GLANCE.max(per_node)).await;
    }
}

fn is_known(peer: &Peer, topics: &[String]) -> bool {
    peer.standing == Standing::Alive && topics.iter().all(|topic| peer.topics.contains(topic))
}
