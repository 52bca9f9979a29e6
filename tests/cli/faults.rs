//! `fault`: links and nodes of a lab are broken on purpose, and mended.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::world::{Running, World, eventually};

fn faults(world: &World) -> Value {
    serde_json::from_str(&world.ok("fault list --json")).unwrap()
}

/// The neighbours a node has links with, by number.
fn neighbours(world: &World, number: usize) -> Value {
    world.status()["nodes"][number - 1]["neighbours"].clone()
}

#[track_caller]
fn failed(world: &World, words: &str, code: i32, sentence: &str) {
    let said = world.run(words);
    assert_eq!(said.code, code, "gossip {words}: {said:?}");
    assert!(said.err.contains(sentence), "gossip {words}: {said:?}");
}

#[test]
fn a_cut_link_is_gone_until_it_is_restored() {
    let world = World::new();
    world.start("circular -n 4");
    assert_eq!(world.ok("fault list"), "nothing is wrong\n");
    assert_eq!(world.ok("fault cut 1 node-2"), "1 ↔ 2: cut\n");
    assert_eq!(world.ok("fault list").lines().last(), Some("1 ↔ 2  cut"));
    eventually("both have lost the link", || {
        neighbours(&world, 1) == json!([4]) && neighbours(&world, 2) == json!([3])
    });
    let sent = world.ok("send-message 1 around --wait");
    assert!(sent.contains("4 of 4 nodes hold it"), "{sent}");
    assert_eq!(world.ok("fault restore 2 1"), "2 ↔ 1: restored\n");
    assert_eq!(world.ok("fault list"), "nothing is wrong\n");
    eventually("the link is back", || neighbours(&world, 1) == json!([2, 4]));
}

#[test]
fn what_is_wrong_one_way_is_listed_with_its_direction() {
    let world = World::new();
    world.start("complete -n 3");
    assert_eq!(world.ok("fault cut 1 2 --one-way"), "1 → 2: cut\n");
    assert_eq!(world.ok("fault delay 2 3 50ms --jitter 10ms"), "2 ↔ 3: delay 50ms to 60ms\n");
    assert_eq!(world.ok("fault loss 3 1 12.5% --one-way"), "3 → 1: loss 12.5 %\n");
    assert_eq!(world.ok("fault rate 3 1 64000 --one-way"), "3 → 1: rate 64000 bytes/s\n");
    let listed = world.ok("fault list");
    let lines: Vec<&str> = listed.lines().skip(1).collect();
    assert_eq!(
        lines,
        ["1 → 2  cut", "2 ↔ 3  delay 50ms to 60ms", "3 → 1  loss 12.5 %, rate 64000 bytes/s"]
    );
    let links = &faults(&world)["links"];
    assert_eq!(links[0], json!({ "from": 1, "to": 2, "effects": ["cut"] }));
    let delay = json!({ "delay": { "time": "50ms", "jitter": "10ms" } });
    assert_eq!(links[1], json!({ "from": 2, "to": 3, "effects": [delay] }));
    world.ok("fault restore all all");
    assert_eq!(world.ok("fault list"), "nothing is wrong\n");
}

#[test]
fn a_delay_is_felt() {
    let world = World::new();
    world.start("line -n 3");
    world.ok("fault delay all all 100ms");
    let sent: Value =
        serde_json::from_str(&world.ok("send-message 1 slow --wait --json --timeout=15")).unwrap();
    // Twice there and twice back.
    let elapsed = sent["report"]["elapsed_us"].as_u64().unwrap_or_default();
    assert!(elapsed >= 400_000, "{sent}");
}

#[test]
fn a_split_network_talks_within_its_parts_and_heals() {
    let world = World::new();
    world.start("complete -n 4");
    let said = world.ok("fault split 1-2");
    assert!(said.starts_with("split into 1-2 | 3-4; `gossip fault heal"), "{said}");
    eventually("each side sees only itself", || {
        let [one, two, three, four] = [1, 2, 3, 4].map(|number| neighbours(&world, number));
        [one, two, three, four] == [json!([2]), json!([1]), json!([4]), json!([3])]
    });
    // Nobody comes in anew either.
    let said = world.run("send-message 1 half --wait --timeout=2");
    assert!(said.out.contains("2 of "), "{said:?}");
    assert_eq!(faults(&world)["links"].as_array().unwrap().len(), 8);
    let listed = world.ok("fault list");
    assert_eq!(listed.lines().skip(1).collect::<Vec<_>>(), ["1 ↔ 3-4  cut", "2 ↔ 3-4  cut"]);
    assert!(world.ok("fault heal").starts_with("all links are restored\n"));
    eventually("all are linked again", || neighbours(&world, 1) == json!([2, 3, 4]));
    eventually("all hear all again", || {
        world.run("send-message 4 whole --wait --timeout=2").out.contains("4 of 4")
    });
}

#[test]
fn a_node_is_paused_and_goes_on() {
    let world = World::new();
    world.start("complete -n 3");
    let said = world.ok("fault pause 2");
    assert!(said.starts_with("node 2 is paused; `gossip fault resume 2"), "{said}");
    assert!(world.ok("status").contains(" paused "));
    assert_eq!(faults(&world)["paused"], json!([2]));
    failed(&world, "get-messages 2", 1, "it is paused, and `gossip fault resume 2`");
    failed(&world, "fault delay 2 1 5ms", 1, "not told: node 2 (it is paused");
    // One side is enough for a cut.
    assert_eq!(world.ok("fault cut 1 2"), "1 ↔ 2: cut\n");
    let healed = world.ok("fault heal");
    assert_eq!(healed, "all links are restored\nnode 2 goes on\n");
    assert_eq!(world.ok("fault list"), "nothing is wrong\n");
    world.ok("fault pause 3");
    assert_eq!(world.ok("fault resume 3"), "node 3 goes on\n");
    eventually("all hear all", || {
        world.run("send-message 1 x --wait --timeout=2").out.contains("3 of 3")
    });
    world.ok("fault pause 1");
    assert!(world.ok("stop-network").contains(": 3 nodes"));
}

#[test]
fn a_killed_node_comes_back_as_the_same() {
    let world = World::new();
    world.start("circular -n 4");
    world.ok("send-message 3 before --wait");
    let before = world.status();
    let said = world.ok("fault kill 3");
    assert!(said.starts_with("node 3 is killed; `gossip fault restart 3"), "{said}");
    assert_eq!(world.status()["nodes"][2]["running"], false);
    assert_eq!(faults(&world)["died"], json!([3]));
    assert_eq!(world.ok("fault list").lines().last(), Some("node 3  dead"));
    failed(&world, "fault kill 3", 1, "node 3 was killed");
    failed(&world, "fault pause 3", 1, "node 3 was killed");
    assert!(world.ok("fault heal").contains("`gossip fault restart 3"));
    world.ok("fault cut 3 2");
    assert!(world.ok("fault restart 3").starts_with("node 3 runs again (process "));
    eventually("it finds the neighbour it is not cut off from", || {
        neighbours(&world, 3) == json!([4])
    });
    world.ok("fault heal");
    failed(&world, "fault restart 3", 1, "node 3 runs: `gossip fault kill 3");
    let after = world.status();
    for same in ["number", "name", "peer_id", "addresses"] {
        assert_eq!(before["nodes"][2][same], after["nodes"][2][same]);
    }
    assert_ne!(before["nodes"][2]["pid"], after["nodes"][2]["pid"]);
    eventually("it has its neighbours again", || neighbours(&world, 3) == json!([2, 4]));
    eventually("it hears all again", || {
        world.run("send-message 1 after --wait --timeout=2").out.contains("4 of 4")
    });
    assert!(world.ok("get-messages 3").contains("after"));
    assert!(world.ok("stop-network").contains(": 4 nodes"));
    assert!(world.processes().is_empty());
}

#[test]
fn a_restarted_node_ends_with_the_process_that_holds_the_network() {
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let world = World::new();
        let words = format!("start-network -n 3 --base-port {}", world.port);
        let mut held = Running::spawn(world.command(&words));
        held.line_with("3 nodes are ready");
        world.ok("fault kill 2");
        world.ok("fault restart 2");
        held.signal(signal);
        held.end();
        world.wait_for_silence();
    }
}

#[test]
fn what_cannot_be_broken_is_told() {
    let world = World::new();
    world.start("-n 4 complete");
    failed(&world, "fault cut 1 1", 2, "a link has two ends, and both were node 1");
    failed(&world, "fault cut 1 9", 1, "there is no node \"9\"");
    failed(&world, "fault delay 1 2 2m", 1, "a delay with its jitter is at most 60 s");
    failed(&world, "fault split 1-4", 2, "one group of all nodes is no split");
    failed(&world, "fault split 1-2 2-3", 2, "node 2 is in two groups");
    failed(&world, "fault split 3-1", 2, "write 1-3");
    failed(&world, "fault split 1-9", 1, "there is no node \"9\"");
    world.ok("remove-node 4");
    failed(&world, "fault restart 4", 1, "node 4 was taken out of the network");
    failed(&world, "fault delay 4 1 5ms", 1, "node 4 has left");
    assert_eq!(world.ok("fault list"), "nothing is wrong\n");
}
