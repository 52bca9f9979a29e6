//! `remove-node`: a node leaves, is killed, is forgotten; the rest goes on.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::world::{World, eventually, eventually_none};

#[test]
fn a_node_that_leaves_is_seen_as_left_and_dropped_by_its_neighbours() {
    let world = World::new();
    world.start("circular -n 8");
    assert_eq!(world.ok("remove-node 3"), "node 3 has left\n");
    assert_eq!(world.processes().len(), 7);
    let status = world.status();
    assert_eq!(status["nodes"][2]["standing"], "left");
    assert_eq!(status["nodes"][2]["pid"], json!(null));
    assert_eq!(status["nodes"][1]["neighbours"], json!([1]));
    assert_eq!(status["nodes"][3]["neighbours"], json!([5]));
    let sent = world.ok("send-message 1 still --wait");
    assert!(sent.contains("7 of 7 nodes hold it"), "{sent}");
    let said = world.run("send-message 3 x");
    assert!(said.err.contains("node 3 has left"), "{said:?}");
    assert!(world.ok("stop-network").contains("7 nodes"));
}

#[test]
fn a_killed_node_is_down_by_verdict_not_waited_for_and_then_forgotten() {
    let world = World::new();
    world.start("circular -n 8");
    // Only a member can be put out, and a mesh forms a moment after its nodes are linked.
    eventually("all are members of one mesh", || {
        (1..=8).all(|teller| {
            world.ok(&format!("why {teller} --node {teller}")).contains("8 members live")
        })
    });
    assert!(world.ok("remove-node 3 --kill").starts_with("node 3 was killed"));
    // Its standing is what others see; its process and the picture are what is known here.
    assert!(world.ok("status").lines().any(|line| line.contains("killed  (")));
    let picture: serde_json::Value = serde_json::from_str(&world.ok("plot --json")).unwrap();
    assert_eq!(picture["nodes"][2]["state"], "down");
    let knows = |viewer: &u8| {
        let seen = world.ok(&format!("status --node {viewer} --json"));
        let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
        seen["nodes"][2]["standing"] == "down"
    };
    // Whoever does not know it says why.
    eventually_none("who does not know the verdict", || {
        let others = [1, 2, 4, 5, 6, 7, 8].into_iter().filter(|viewer| !knows(viewer));
        others.map(|viewer| world.ok(&format!("why 3 --node {viewer}"))).collect()
    });
    // Who is down is not waited for, and not missed.
    let sent = world.ok("send-message 1 around --wait");
    assert!(sent.contains("7 of 7 nodes hold it"), "{sent}");
    assert_eq!(world.run("remove-node 3 --kill").code, 1);
    assert!(world.ok("remove-node 3").contains("the others have forgotten it"));
    let sent = world.ok("send-message 1 again --wait");
    assert!(sent.contains("7 of 7 nodes hold it"), "{sent}");
    assert_eq!(world.status()["nodes"][2]["standing"], "left");
}

#[test]
fn the_last_node_can_go_too() {
    let world = World::new();
    world.start("-n 2");
    world.ok("remove-node 1");
    world.ok("remove-node 2");
    assert_eq!(world.run("status").code, 1);
    assert_eq!(world.ok("stop-network"), "network \"lab\" is not running\n");
}

#[test]
fn a_node_that_does_not_answer_holds_nobody_up() {
    let world = World::new();
    world.start("-n 3");
    let pid = i32::try_from(world.status()["nodes"][1]["pid"].as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    for words in ["send-message 2 x", "get-messages 2", "events --node 2"] {
        let said = world.run(words);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains("node 2 does not answer within 5 s"), "{said:?}");
        assert!(said.err.contains("`gossip remove-node 2 --kill` ends it"), "{said:?}");
    }
    let said = world.ok("remove-node 2");
    assert!(said.starts_with("node 2 did not answer and was killed"), "{said}");
}
