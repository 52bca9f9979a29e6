//! Joining, and the shape of the network.

use std::collections::BTreeMap;

use super::world::{MS, SECOND, World, address, id, pair, settings};
use crate::base::id::NodeId;
use crate::protocol::discovery::{Command, Input, Output, Settings, Source, Topology};

#[test]
fn sixteen_nodes_that_join_through_one_all_know_fifteen_and_are_linked_with_all() {
    let mut world = World::new();
    for number in 0..16 {
        world.start_open(number, if number == 0 { &[] } else { &[0] });
    }
    world.run(2 * SECOND);
    for number in 0..16 {
        assert_eq!(world.known(number), 15, "node {number}");
    }
    assert_eq!(world.links.len(), 16 * 15 / 2);
}

#[test]
fn newcomers_join_through_the_second_when_the_first_is_gone() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[0]);
    world.start_open(2, &[0]);
    world.run(SECOND);
    world.kill(0);
    world.start_open(3, &[0, 1]);
    world.run(2 * SECOND);
    assert!(world.knows(3, 1) && world.knows(3, 2) && world.knows(2, 3));
}

#[test]
fn an_entry_point_that_is_down_at_the_start_is_joined_when_it_comes_up() {
    let mut world = World::new();
    world.start_open(1, &[0]);
    world.run(300 * SECOND);
    world.start_open(0, &[]);
    world.run(31 * SECOND);
    assert!(world.knows(1, 0) && world.knows(0, 1));
}

#[test]
fn a_list_that_names_the_node_itself_does_no_harm() {
    let mut world = World::new();
    world.start_open(0, &[0, 1]);
    world.start_open(1, &[0, 1]);
    world.run(2 * SECOND);
    assert!(world.knows(0, 1));
    assert_eq!(world.dials(0, &address(0), world.now - SECOND), []);
}

#[test]
fn two_that_see_each_other_at_once_dial_once() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[]);
    for (me, other) in [(0, 1), (1, 0)] {
        let (peer, addresses) = (Some(id(other)), vec![address(other)]);
        world.input(me, Input::Sighting { source: Source::Mdns, peer, addresses });
    }
    world.run(2 * SECOND);
    let dials = world.log.iter().filter(|(_, _, o)| matches!(o, Output::Dial { .. }));
    let dials: Vec<u8> = dials.map(|(_, number, _)| *number).collect();
    assert_eq!(dials, [if id(0) < id(1) { 0 } else { 1 }]);
}

#[test]
fn an_open_node_dials_until_it_has_its_links_and_no_further() {
    let mut world = World::new();
    for number in 0..30 {
        let mut settings = settings(number);
        settings.config.target_links = 4;
        settings.bootstrap = vec![address(0)];
        world.start(number, settings);
        world.run(100 * MS);
    }
    world.run(10 * SECOND);
    for number in 0..30 {
        assert_eq!(world.known(number), 29, "node {number}");
        let links = world.links.iter().filter(|(a, b)| *a == number || *b == number).count();
        assert!(links >= 4, "node {number} has {links}");
    }
    let begun = world.log.iter().filter(|(_, _, o)| matches!(o, Output::Dial { .. })).count();
    assert!(begun < 30 * 12, "{begun} dials");
}

/// Each node with its two neighbours on a ring of `size`.
pub fn ring(number: u8, size: u8) -> Topology {
    let map = |other: u8| (id(other), vec![address(other)]);
    let map: BTreeMap<NodeId, _> =
        [(number + 1) % size, (number + size - 1) % size].map(map).into();
    Topology::Fixed(map)
}

fn ring_world(size: u8) -> World {
    let mut world = World::new();
    for number in 0..size {
        world.start(number, Settings { topology: ring(number, size), ..settings(number) });
    }
    world.run(2 * SECOND);
    world
}

#[test]
fn a_fixed_ring_links_exactly_its_edges_and_all_know_all() {
    let world = ring_world(8);
    let edges = (0..8).map(|n| pair(n, (n + 1) % 8)).collect();
    assert_eq!(world.links, edges);
    for number in 0..8 {
        assert_eq!(world.known(number), 7);
        let joined = world.outputs(number);
        let joined = joined.filter(|o| matches!(o, Output::Neighbour { joined: true, .. }));
        assert_eq!(joined.count(), 2);
    }
}

#[test]
fn in_a_fixed_topology_a_sighting_causes_no_dial() {
    let mut world = ring_world(8);
    let (peer, addresses) = (Some(id(4)), vec![address(4)]);
    world.input(0, Input::Sighting { source: Source::Mdns, peer, addresses: addresses.clone() });
    world.input(0, Input::Sighting { source: Source::Mdns, peer: None, addresses });
    world.run(5 * SECOND);
    assert!(!world.links.contains(&(0, 4)));
}

#[test]
fn a_rewiring_closes_what_is_removed_and_dials_what_is_new() {
    let mut world = ring_world(4);
    let to =
        |peers: &[u8]| Topology::Fixed(peers.iter().map(|p| (id(*p), vec![address(*p)])).collect());
    for (number, peers) in [(0, [1, 2]), (1, [0, 3]), (2, [0, 3]), (3, [1, 2])] {
        world.command(number, Command::Rewire(to(&peers)));
    }
    world.run(2 * SECOND);
    assert_eq!(world.links, [(0, 1), (0, 2), (1, 3), (2, 3)].into());
    let news: Vec<_> = world.outputs(0).filter(|o| matches!(o, Output::Neighbour { .. })).collect();
    let is_neighbour = |peer: NodeId, yes: bool| {
        news.iter().rev().any(
            |o| matches!(o, Output::Neighbour { peer: p, joined } if *p == peer && *joined == yes),
        )
    };
    assert!(is_neighbour(id(3), false) && is_neighbour(id(2), true));
    assert!(!is_neighbour(id(1), false));
}
