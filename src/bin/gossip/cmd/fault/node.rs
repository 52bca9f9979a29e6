//! Faults of nodes.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use super::One;
use crate::cmd::remove_node;
use crate::exit::Failure;
use crate::lab::launch;
use crate::lab::member::{Member, Network};
use crate::render::screen::Screen;

/// How long the system may take to stop a process, or to have it go on.
const PROMPTLY: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(1);

/// Stops its process until it is resumed.
pub fn pause(one: One, screen: Screen) -> Result<(), Failure> {
    let network = one.which.find()?;
    let member = network.running(Some(&one.node))?;
    if !signal(member, Signal::SIGSTOP) {
        return Err(unmoved(&network, member));
    }
    let (number, words) = (member.number, &network.words);
    let back = format!("; `gossip fault resume {number}{words}` has it go on");
    tell(member, "paused", &back, screen)
}

/// Has it go on; one that was not paused does anyway.
pub fn resume(one: One, screen: Screen) -> Result<(), Failure> {
    let network = one.which.find()?;
    let member = network.running(Some(&one.node))?;
    if !signal(member, Signal::SIGCONT) {
        return Err(unmoved(&network, member));
    }
    if screen.json {
        return screen.document(&json!({ "node": member.number, "state": "running" }));
    }
    screen.show(format!("node {} goes on\n", member.number))
}

/// Ends its process without a word. It keeps its place in the lab.
pub fn kill(one: One, screen: Screen) -> Result<(), Failure> {
    let network = one.which.find()?;
    // Held to the end, so that nobody starts or stops the network meanwhile.
    let _lock = network.lab.as_ref().map(|folder| folder.lock()).transpose()?;
    let network = one.which.find()?;
    let member = network.running(Some(&one.node))?;
    remove_node::note(&network, member, remove_node::kill(member))?;
    let (number, words) = (member.number, &network.words);
    let back = match network.lab {
        Some(_) => format!("; `gossip fault restart {number}{words}` starts it again"),
        None => String::new(),
    };
    tell(member, "killed", &back, screen)
}

/// Starts it again where it was.
pub async fn restart(one: One, screen: Screen) -> Result<(), Failure> {
    let network = one.which.find()?;
    let Some(folder) = &network.lab else {
        return Err(Failure::failed(format!(
            "network {:?} is no lab: start the node as it was started before",
            network.name
        )));
    };
    let _lock = folder.lock()?;
    let network = one.which.find()?;
    let member = network.member(&one.node)?;
    may_restart(&network, member)?;
    let mut record = folder.running()?;
    let starter = record.starter.clone().filter(|_| !record.detached);
    let process = launch::restart(folder, member.number, &record, starter.as_ref()).await?;
    if let Some(entry) = record.nodes.iter_mut().find(|entry| entry.number == member.number) {
        entry.process = Some(process.clone());
        entry.removed = None;
    }
    if let Err(failure) = folder.write(&record) {
        // What is in no record would never be stopped.
        process.signal(Signal::SIGKILL);
        return Err(failure);
    }
    if screen.json {
        let number = member.number;
        return screen.document(&json!({ "node": number, "state": "running", "pid": process.pid }));
    }
    screen.show(format!("node {} runs again (process {})\n", member.number, process.pid))
}

fn may_restart(network: &Network, member: &Member) -> Result<(), Failure> {
    let number = member.number;
    if member.is_running() {
        return Err(Failure::failed(format!(
            "node {number} runs: `gossip fault kill {number}{}` ends it first",
            network.words
        )));
    }
    if member.has_died() {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "node {number} was taken out of the network: only a node that was killed or died can be \
         started again"
    )))
}

/// Stops a process or has it go on, and sees that it does.
pub fn signal(member: &Member, signal: Signal) -> bool {
    let Some(process) = &member.process else { return false };
    if !process.signal(signal) {
        return false;
    }
    let wanted = signal == Signal::SIGSTOP;
    let mut left = PROMPTLY;
    while process.is_paused() != wanted {
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(GLANCE);
        left = left.saturating_sub(GLANCE);
    }
    true
}

fn unmoved(network: &Network, member: &Member) -> Failure {
    Failure::failed(format!(
        "the process of node {} does not do what it is told: `gossip status{}` shows whether it \
         still runs",
        member.number, network.words
    ))
}

/// Tells how it is with a node now, and how it gets better.
fn tell(member: &Member, state: &str, back: &str, screen: Screen) -> Result<(), Failure> {
    let number = member.number;
    if screen.json {
        return screen.document(&json!({ "node": number, "state": state }));
    }
    screen.show(format!("node {number} is {state}{back}\n"))
}
