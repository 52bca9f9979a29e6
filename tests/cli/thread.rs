//! The first minute: start, send, read, stop.

use nix::sys::signal::Signal;

use super::world::{Running, World};

#[test]
fn sixteen_nodes_hold_a_message_and_show_the_path_it_took() {
    let world = World::new();
    let lines = world.start("");
    assert_eq!(lines.lines().filter(|line| line.starts_with("node ")).count(), 16, "{lines}");
    assert!(lines.contains("16 nodes are ready"), "{lines}");

    let sent = world.ok("send-message 4 apple --wait");
    assert!(sent.contains("16 of 16 nodes hold it after"), "{sent}");
    let shown = world.ok("get-messages 8 -p -t");
    let mut shown = shown.lines();
    assert_eq!(shown.next(), Some("unread messages of node 8 (1)"));
    let bullet = shown.next().unwrap();
    assert!(bullet.starts_with("  • apple  sent "), "{bullet}");
    let path = shown.next().unwrap();
    assert!(path.starts_with("      4 → ") && path.contains("→ 8"), "{path}");
    assert_eq!(world.ok("get-messages 8"), "no unread messages of node 8\n");
    assert!(world.ok("get-messages 8 read").starts_with("read messages of node 8 (1)\n  • apple"));

    assert!(world.ok("stop-network").contains("16 nodes"));
    assert!(world.processes().is_empty());
}

#[test]
fn what_is_shown_as_a_path_is_a_walk_of_the_graph() {
    let world = World::new();
    world.start("circular --num-nodes=6");
    world.ok("send-message 1 round --wait");
    let shown = world.ok("get-messages 4 --all-paths");
    let paths: Vec<&str> = shown.lines().skip(2).map(|line| line.trim()).collect();
    assert!(!paths.is_empty(), "{shown}");
    for path in paths {
        let path = path.trim_end_matches("(first)").trim();
        assert!(["1 → 2 → 3 → 4", "1 → 6 → 5 → 4"].contains(&path), "{shown}");
    }
}

#[test]
fn twenty_times_stopped_and_started_at_once_no_node_fails() {
    let world = World::new();
    for _ in 0..20 {
        world.start("-n 4");
        assert!(world.ok("send-message 2 again --wait").contains("4 of 4 nodes hold it"));
        assert!(world.ok("stop-network").contains("4 nodes"));
        assert!(world.processes().is_empty());
    }
}

#[test]
fn to_stop_twice_is_fine() {
    let world = World::new();
    assert_eq!(world.ok("stop-network"), "network \"lab\" is not running\n");
    world.start("-n 2");
    world.ok("stop-network");
    assert_eq!(world.ok("stop-network"), "network \"lab\" is not running\n");
}

#[test]
fn in_the_foreground_ctrl_c_stops_all() {
    let world = World::new();
    let words = format!("start-network line -n 3 --base-port {}", world.port);
    let mut held = Running::spawn(world.command(&words));
    held.line_with("3 nodes are ready");
    assert!(world.ok("send-message 1 x --wait").contains("3 of 3"));
    held.signal(Signal::SIGINT);
    assert_eq!(held.end(), Some(0));
    assert!(world.processes().is_empty());
    assert_eq!(world.run("status").code, 1);
}

#[test]
fn a_network_in_the_foreground_can_be_stopped_from_elsewhere() {
    let world = World::new();
    let words = format!("start-network -n 3 --base-port {}", world.port);
    let mut held = Running::spawn(world.command(&words));
    held.line_with("3 nodes are ready");
    assert!(world.ok("stop-network").contains("3 nodes"));
    assert_eq!(held.end(), Some(0));
}

#[test]
fn networks_of_different_names_run_side_by_side() {
    let world = World::new();
    world.start("-n 2");
    let second = world.port + 10;
    world.ok(&format!("start-network -n 3 --network two --base-port {second} --detach"));
    assert!(world.ok("send-message 1 x --wait").contains("2 of 2"));
    assert!(world.ok("send-message 3 y --wait --network two").contains("3 of 3"));
    assert_eq!(world.ok("get-messages 2 all").lines().count(), 3);
    world.ok("stop-network");
    assert!(world.ok("send-message 3 y --wait --network two").contains("3 of 3"));
    assert!(world.ok("stop-network --network two").contains("3 nodes"));
}

#[test]
fn status_is_data() {
    let world = World::new();
    world.start("star -n 4");
    let status = world.status();
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    let first = &nodes[0];
    assert_eq!(first["number"], 1);
    assert_eq!(first["name"], "node-1");
    assert_eq!(first["standing"], "alive");
    assert_eq!(first["neighbours"], serde_json::json!([2, 3, 4]));
    assert_eq!(nodes[2]["neighbours"], serde_json::json!([1]));
    let address = first["addresses"][0].as_str().unwrap();
    assert!(address.ends_with(first["peer_id"].as_str().unwrap()), "{address}");
    assert!(world.processes().contains(&i32::try_from(first["pid"].as_i64().unwrap()).unwrap()));
}

#[test]
fn a_state_folder_with_a_long_path_works_too() {
    let world = World::new();
    let deep = world.folder().join("deep/".repeat(30));
    let data = deep.to_str().unwrap();
    world.start(&format!("-n 2 --data {data}"));
    assert!(world.ok(&format!("send-message 1 x --wait --data {data}")).contains("2 of 2"));
    world.ok(&format!("stop-network --data {data}"));
    assert!(world.processes().is_empty());
}

#[test]
fn the_example_lines_of_old_run_unchanged() {
    let world = World::new();
    world.start("random 5 -n 8");
    assert!(world.ok("send-message 8 banana --relays=3").contains("node 8 sent message 1"));
    world.ok("get-messages 3 read -p --time");
    world.ok("stop-network");
    world.start("circular --num-nodes=32");
    assert!(world.ok("send-message 4 apple --wait").contains("32 of 32"));
    world.ok("stop-network");
    world.start("--plot -n 5");
    assert!(world.lab().join("plot.svg").exists());
}

#[test]
fn hints_name_the_network_and_the_folder_they_are_about() {
    let world = World::new();
    let place = format!("--network two --data {}", world.folder().join("own").display());
    let said = world.start(&format!("-n 2 {place}"));
    assert!(said.contains(&format!("`gossip stop-network {place}` stops it")), "{said}");
    world.ok(&format!("remove-node 2 {place}"));
    let said = world.run(&format!("get-messages 2 {place}"));
    assert!(said.err.contains(&format!("`gossip status {place}` shows")), "{said:?}");
    world.ok(&format!("stop-network {place}"));
}
