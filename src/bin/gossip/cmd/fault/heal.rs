//! The end of all faults.

use gossip_mesh::{Fault, FaultEffect};
use nix::sys::signal::Signal;
use serde_json::json;

use super::plan::Plan;
use crate::args::Which;
use crate::exit::Failure;
use crate::render::screen::Screen;

/// Has paused nodes go on, and restores all links.
pub async fn heal(which: &Which, screen: Screen) -> Result<(), Failure> {
    let network = which.find()?;
    let mut plan = Plan::default();
    let mut resumed = Vec::new();
    for member in &network.members {
        if member.is_paused() && super::node::signal(member, Signal::SIGCONT) {
            resumed.push(member.number);
        }
        plan.set(member, Fault::with_all(FaultEffect::Clear));
    }
    let told = plan.tell(&network).await;
    told.all()?;
    let died = network.members.iter().filter(|member| member.has_died());
    let died: Vec<usize> = died.map(|member| member.number).collect();
    if screen.json {
        return screen.document(&json!({
            "told": told.told,
            "resumed": resumed,
            "died": died,
        }));
    }
    let mut text = "all links are restored\n".to_owned();
    for number in resumed {
        text.push_str(&format!("node {number} goes on\n"));
    }
    for number in died {
        let words = &network.words;
        text.push_str(&format!(
            "node {number} does not run: `gossip fault restart {number}{words}` starts it again\n"
        ));
    }
    screen.show(text)
}
