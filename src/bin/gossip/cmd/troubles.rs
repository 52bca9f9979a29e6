//! What a node of this process has to tell of itself: who refuses it, and that nobody answers.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Event, Multiaddr, Node};
use tokio::time::sleep;

use crate::render::plain::one_line;
use crate::render::screen::Screen;

/// How long those it was told to join have to answer before their silence is told.
const SILENCE: Duration = Duration::from_secs(2);

/// How many refusals are told, each reason once: strangers may find ever new ones.
const MAX_TOLD: usize = 32;

/// Tells on stderr from now on, until the node stops.
pub fn tell(node: &Node, screen: Screen) {
    // Listens before anything else can happen.
    let mut events = node.events();
    let node = node.clone();
    tokio::spawn(async move {
        let mut told = BTreeSet::new();
        let mut silence = std::pin::pin!(sleep(SILENCE));
        let mut is_silent = true;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Refused { peer, by_us, reason }) => {
                        if told.len() < MAX_TOLD && told.insert((by_us, reason.clone())) {
                            let event = Event::Refused { peer, by_us, reason };
                            screen.remark(&one_line(event.to_string().as_bytes()));
                        }
                    }
                    Some(_) => {}
                    None => return,
                },
                () = &mut silence, if is_silent => {
                    is_silent = false;
                    // Who refuses has answered.
                    if told.is_empty() && is_alone(&node).await {
                        screen.remark(&nobody(&node.config().bootstrap));
                    }
                }
            }
        }
    });
}

/// Whether it was told whom to join, and has no link with anybody.
async fn is_alone(node: &Node) -> bool {
    let wants = !node.config().bootstrap.is_empty();
    wants && node.peers().await.is_ok_and(|peers| !peers.iter().any(|peer| peer.linked))
}

fn nobody(addresses: &[Multiaddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(Multiaddr::to_string).collect();
    let again = if addresses.len() == 1 { "it is" } else { "they are" };
    let addresses = addresses.join(", ");
    format!("nobody answers at {addresses} yet; {again} tried again in the background")
}
