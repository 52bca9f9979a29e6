//! `rewire`, and neighbours that are replaced by themselves.

use std::collections::BTreeSet;

use serde_json::Value;

use super::world::{World, eventually};

/// The neighbours of each running node, by number, as the nodes tell.
fn neighbours(world: &World) -> Vec<(u64, BTreeSet<u64>)> {
    let status = world.status();
    let running = status["nodes"].as_array().unwrap().iter().filter(|node| node["running"] == true);
    let numbers =
        |list: &Value| list.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    running.map(|node| (node["number"].as_u64().unwrap(), numbers(&node["neighbours"]))).collect()
}

fn is_connected(graph: &[(u64, BTreeSet<u64>)]) -> bool {
    let mut found = BTreeSet::from([graph[0].0]);
    let mut edge = vec![graph[0].0];
    while let Some(number) = edge.pop() {
        let (_, others) = graph.iter().find(|(n, _)| *n == number).unwrap();
        edge.extend(others.iter().copied().filter(|other| found.insert(*other)));
    }
    found.len() == graph.len()
}

#[test]
fn a_rewired_network_has_its_degrees_at_once_and_again_after_losses() {
    let world = World::new();
    world.start("random -n 8 --seed 5");
    let said: Value =
        serde_json::from_str(&world.ok("rewire --min 2 --max 4 --seed 7 --json")).unwrap();
    assert_eq!(said["shape"], "random, degrees 2 to 4");
    let graph = neighbours(&world);
    for (node, (number, others)) in said["nodes"].as_array().unwrap().iter().zip(&graph) {
        let told: BTreeSet<u64> =
            node["neighbours"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        assert_eq!((node["number"].as_u64(), &told), (Some(*number), others));
        assert!((2..=4).contains(&others.len()), "{graph:?}");
    }
    assert!(is_connected(&graph), "{graph:?}");
    assert!(world.ok("send-message 1 after --wait").contains("8 of 8"));

    // All neighbours of one node go without a word.
    let (alone, lost) = graph.iter().min_by_key(|(_, others)| others.len()).unwrap().clone();
    for number in &lost {
        world.ok(&format!("remove-node {number} --kill"));
    }
    eventually("the rest is in one piece, within its degrees", || {
        let graph = neighbours(&world);
        let enough = |others: &BTreeSet<u64>| (2..=4).contains(&others.len());
        graph.len() == 8 - lost.len()
            && is_connected(&graph)
            && graph.iter().all(|(_, o)| enough(o))
    });
    assert!(world.ok(&format!("list-peers {alone} --json")).contains("\"number\""));
    for number in &lost {
        world.ok(&format!("remove-node {number}"));
    }
    let sent = world.ok(&format!("send-message {alone} still --wait"));
    assert!(sent.contains(&format!("{0} of {0}", 8 - lost.len())), "{sent}");
}

#[test]
fn a_drawn_random_network_mends_itself_and_a_ring_does_not() {
    let world = World::new();
    world.start("random 3 -n 8 --seed 3");
    let before = neighbours(&world);
    world.ok("remove-node 2");
    world.ok("remove-node 5");
    eventually("everyone has three neighbours again", || {
        let graph = neighbours(&world);
        graph.len() == 6 && graph.iter().all(|(_, others)| others.len() >= 3)
    });
    assert!(before.iter().all(|(_, others)| others.len() == 3));
    world.ok("stop-network");

    let ring = World::new();
    ring.start("circular -n 6");
    ring.ok("remove-node 2");
    ring.ok("remove-node 5");
    let edges: usize = neighbours(&ring).iter().map(|(_, others)| others.len()).sum();
    assert_eq!(edges, 2 * 2, "1-6 and 3-4 are left");
    // Rewired it is whole again.
    assert!(ring.ok("rewire --min 2 --max 2").contains("all links stand"));
    assert!(is_connected(&neighbours(&ring)));
    assert!(ring.ok("send-message 1 whole --wait").contains("4 of 4"));
}

#[test]
fn messages_sent_while_the_network_is_rewired_reach_all() {
    let world = World::new();
    world.start("random -n 8");
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for n in 0..20 {
                world.ok(&format!("send-message {} n{n}", n % 8 + 1));
            }
        });
        for _ in 0..2 {
            world.ok("rewire --min 2 --max 4");
        }
        sending.join().unwrap();
    });
    eventually("every node has all of them", || {
        (1..=8).all(|node| {
            let kept = world.ok(&format!("get-messages {node} --json"));
            let kept: Value = serde_json::from_str(&kept).unwrap();
            let texts = kept["messages"].as_array().or(kept.as_array()).unwrap();
            (0..20)
                .all(|n| texts.iter().any(|kept| kept.to_string().contains(&format!("\"n{n}\""))))
        })
    });
}

#[test]
fn limits_that_cannot_be_change_nothing() {
    let world = World::new();
    let said = world.run("rewire");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("no network \"lab\" is running"), "{said:?}");
    world.start("line -n 4");
    for (limits, why) in [
        ("--min 4 --max 2", "no node has at least 4 and at most 2 neighbours"),
        ("--max 1", "separate pairs"),
        ("--min 9", "needs at least 10 nodes"),
    ] {
        let said = world.run(&format!("rewire {limits}"));
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(why), "{said:?}");
    }
    let edges: usize = neighbours(&world).iter().map(|(_, others)| others.len()).sum();
    assert_eq!(edges, 2 * 3);
}
