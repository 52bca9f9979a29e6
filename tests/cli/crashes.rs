//! Whatever ends without a word: nothing is left behind, and nothing is mistaken for something.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::world::{Running, World, eventually};

#[test]
fn when_the_process_that_holds_a_network_is_killed_its_nodes_end() {
    let world = World::new();
    let words = format!("start-network -n 3 --base-port {}", world.port);
    let mut held = Running::spawn(world.command(&words));
    held.line_with("3 nodes are ready");
    held.signal(Signal::SIGKILL);
    held.end();
    world.wait_for_silence();
    assert!(world.lab().join("lab.json").exists(), "nobody cleaned up yet");
    let said = world.run("status");
    assert!(said.err.contains("no network \"lab\" is running"), "{said:?}");
    assert!(!world.lab().join("lab.json").exists());
    world.start("-n 3");
}

#[test]
fn when_a_start_is_killed_half_way_nothing_is_left() {
    let world = World::new();
    let words = format!("start-network -n 8 --detach --base-port {}", world.port);
    let mut starting = Running::spawn(world.command(&words));
    eventually("some node was started", || !world.processes().is_empty());
    starting.signal(Signal::SIGKILL);
    starting.end();
    world.wait_for_silence();
    world.start("-n 8");
    assert!(world.ok("send-message 1 x --wait").contains("8 of 8"));
}

#[test]
fn an_interrupted_start_leaves_nothing() {
    let world = World::new();
    let words = format!("start-network -n 8 --detach --base-port {}", world.port);
    let mut starting = Running::spawn(world.command(&words));
    eventually("some node was started", || !world.processes().is_empty());
    starting.signal(Signal::SIGINT);
    // It may have been faster than the signal.
    if starting.end() == Some(0) {
        world.ok("stop-network");
    }
    assert!(world.processes().is_empty());
    assert!(!world.lab().join("lab.json").exists());
}

#[test]
fn a_network_of_killed_nodes_is_stale_and_cleaned_up() {
    let world = World::new();
    world.start("-n 3");
    for pid in world.processes() {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    world.wait_for_silence();
    assert_eq!(world.run("send-message 1 x").code, 1);
    assert_eq!(world.ok("stop-network"), "network \"lab\" is not running\n");
    world.start("-n 3");
}

#[test]
fn a_process_with_a_reused_id_is_never_ended() {
    let world = World::new();
    world.start("-n 2");
    let record = world.lab().join("lab.json");
    let mut lab: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    // As if this very test had got the id of a node that ended long ago.
    let node = lab["nodes"][0]["process"]["pid"].as_i64().unwrap();
    lab["nodes"][0]["process"]["pid"] = std::process::id().into();
    fs::write(&record, lab.to_string()).unwrap();
    assert!(world.ok("stop-network").contains("1 node\n"));
    // Still here. The other one lost its neighbour, and its place in the record by our forgery.
    kill(Pid::from_raw(i32::try_from(node).unwrap()), Signal::SIGTERM).unwrap();
    world.wait_for_silence();
}

#[test]
fn a_record_of_an_earlier_boot_is_stale() {
    let world = World::new();
    world.start("-n 2");
    let record = world.lab().join("lab.json");
    let mut lab: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    world.ok("stop-network");
    for node in lab["nodes"].as_array_mut().unwrap() {
        node["process"]["boot"] = "another".into();
        node["process"]["pid"] = std::process::id().into();
    }
    fs::write(&record, lab.to_string()).unwrap();
    assert_eq!(world.ok("stop-network"), "network \"lab\" is not running\n");
}

#[test]
fn a_paused_node_is_resumed_so_that_it_can_stop() {
    let world = World::new();
    world.start("-n 3");
    let pid = world.processes()[0];
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    let said = world.ok("stop-network");
    // On a busy machine a good-bye may take longer than it is given.
    assert!(said.contains(": 3 nodes"), "{said}");
    assert!(world.processes().is_empty());
}

#[test]
fn a_broken_record_is_told_and_not_believed() {
    let world = World::new();
    fs::create_dir_all(world.lab()).unwrap();
    fs::write(world.lab().join("lab.json"), "{").unwrap();
    let said = world.run("status");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("is not the record of a lab"), "{said:?}");
}
