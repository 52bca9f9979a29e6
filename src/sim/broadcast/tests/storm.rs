//! Meshes, lazy repair, and crashes.

use std::time::Duration;

use super::report;
use crate::sim::broadcast::world::World;
use crate::sim::broadcast::{BroadcastScenario, Graph};

/// Eager copies are mostly lost.
fn lossy() -> BroadcastScenario {
    BroadcastScenario {
        nodes: 200,
        loss: 0.5,
        flood_publish: false,
        messages: 8,
        ask_again: Some(Duration::from_millis(250)),
        ..Default::default()
    }
}

#[test]
fn lazy_gossip_brings_what_eager_copies_missed() {
    let silent = BroadcastScenario { gossip_factor: 0.0, gossip_lazy: 0, ..lossy() };
    let (eager, lazy) = (report(&silent), report(&lossy()));
    assert!(eager.reached < 1.0, "there is something to repair: {}", eager.render());
    assert_eq!(eager.control.ihave, 0.0);
    let mean = |of: &crate::sim::broadcast::BroadcastReport| {
        of.messages.iter().map(|message| message.reached).sum::<f64>() / 8.0
    };
    assert!(mean(&lazy) > mean(&eager), "{}{}", lazy.render(), eager.render());
    assert!(lazy.reached > 0.98, "{}", lazy.render());
}

#[test]
fn one_node_without_eager_copies_gets_the_message_by_asking() {
    // Each author has the two peers it wants, so that it sends to nobody beside its mesh.
    let scenario = BroadcastScenario {
        nodes: 5,
        graph: Graph::Complete,
        low: 1,
        degree: 2,
        messages: 1,
        flood_publish: false,
        jitter: 0.0,
        ..Default::default()
    };
    let mut world = World::new(&scenario);
    world.begin();
    // Node 4 is in nobody's mesh, and may not be grafted for the whole run.
    for peer in 0..4 {
        for (one, other) in [(4, peer), (peer, 4)] {
            let end = world.links.find(one, other).unwrap();
            world.links.set_mesh(end, false);
            world.links.keep_quiet(end, world.end);
        }
    }
    while let Some(event) = world.wheel.next(world.end) {
        world.handle(event);
    }
    let found = world.report();
    assert_eq!(found.reached, 1.0, "{}", found.render());
    let author = world.held.published[0].author;
    assert_ne!(author, 4, "the seed lets another publish");
    assert!(world.held.hops(4, 0) >= 1 && world.counts.wants >= 1);
    assert!(found.times.last > Duration::from_millis(40), "there, back, and there again");
}

#[test]
fn meshes_stay_between_their_bounds_and_both_ends_agree() {
    let scenario = BroadcastScenario { nodes: 500, messages: 1, ..Default::default() };
    let mut world = World::new(&scenario);
    world.begin();
    while let Some(event) = world.wheel.next(world.end) {
        world.handle(event);
    }
    for node in 0..500 {
        let count = world.links.mesh_count(node);
        assert!((scenario.low..=scenario.high).contains(&count), "{count} peers");
        for end in world.links.ends(node) {
            let other = world.links.find(world.links.peer(end), node).unwrap();
            assert_eq!(world.links.in_mesh(end), world.links.in_mesh(other));
        }
    }
}

#[test]
fn when_most_nodes_die_at_once_the_rest_finds_together_again() {
    let scenario = BroadcastScenario { nodes: 1_000, kill: 0.9, ..Default::default() };
    let found = report(&scenario);
    assert_eq!(found.live, 100);
    assert!(found.lost.to_crashed > 0);
    let recovered = found.recovered.expect("the mesh is repaired");
    assert!(recovered <= Duration::from_secs(5), "{}", found.render());
    assert!(found.mean_links >= 20.0, "lost links are replaced: {}", found.render());
}

#[test]
fn a_fixed_graph_is_not_repaired() {
    let scenario = BroadcastScenario {
        nodes: 100,
        graph: Graph::Line,
        fixed: true,
        kill: 0.3,
        messages: 3,
        ..Default::default()
    };
    let found = report(&scenario);
    assert!(found.reached < 1.0 && found.recovered.is_none(), "{}", found.render());
}

#[test]
fn who_comes_back_takes_part_again() {
    let scenario = BroadcastScenario { nodes: 300, churn: 0.02, ..Default::default() };
    let found = report(&scenario);
    assert!(found.live > 240, "about a tenth is away: {}", found.live);
    assert!(found.reached > 0.99, "{}", found.render());
    assert!(found.mean_mesh > 3.0);
}
