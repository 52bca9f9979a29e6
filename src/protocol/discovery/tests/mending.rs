//! Neighbours lost and replaced: the survivors stay in one piece, and within their degrees.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{SECOND, World, address, id, pair, settings};
use crate::base::id::Life;
use crate::protocol::discovery::{Command, Degrees, Input, Message, Settings, Topology};

const NODES: u8 = 16;
const SPARE: usize = 2;

type Edges = BTreeSet<(u8, u8)>;

/// A connected random graph: a ring in random order, and a perfect matching over it.
fn cubic(rng: &mut ChaCha8Rng) -> Edges {
    loop {
        let mut order: Vec<u8> = (0..NODES).collect();
        order.shuffle(rng);
        let ring = (0..order.len()).map(|n| pair(order[n], order[(n + 1) % order.len()]));
        let mut edges: Edges = ring.collect();
        order.shuffle(rng);
        edges.extend(order.chunks(2).map(|two| pair(two[0], two[1])));
        if edges.len() == usize::from(NODES) * 3 / 2 {
            return edges;
        }
    }
}

fn around(edges: &Edges, number: u8) -> Vec<u8> {
    let other = |&(a, b): &(u8, u8)| match number {
        n if n == a => Some(b),
        n if n == b => Some(a),
        _ => None,
    };
    edges.iter().filter_map(other).collect()
}

fn mending(neighbours: &[u8], spare: usize) -> Topology {
    with_degrees(neighbours, Degrees { min: neighbours.len(), max: neighbours.len() + spare })
}

fn with_degrees(neighbours: &[u8], degrees: Degrees) -> Topology {
    let map = neighbours.iter().map(|peer| (id(*peer), vec![address(*peer)])).collect();
    Topology::Mending { neighbours: map, degrees }
}

fn drawn(edges: &Edges) -> World {
    let mut world = World::new();
    let numbers: BTreeSet<u8> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
    for number in numbers {
        let topology = mending(&around(edges, number), SPARE);
        world.start(number, Settings { topology, ..settings(number) });
    }
    world.run(2 * SECOND);
    assert_eq!(world.links, *edges, "a graph without losses stays as drawn");
    world
}

/// Pairs that are linked and take each other for neighbours.
fn neighbours(world: &World) -> Edges {
    let mutual = |(a, b): &&(u8, u8)| {
        let (a, b) = (*a, *b);
        let is = |one: u8, other: u8| world.nodes[&one].is_neighbour(id(other));
        is(a, b) && is(b, a)
    };
    world.links.iter().filter(mutual).copied().collect()
}

fn reached(edges: &Edges, start: u8) -> BTreeSet<u8> {
    let (mut found, mut edge) = (BTreeSet::from([start]), vec![start]);
    while let Some(number) = edge.pop() {
        edge.extend(around(edges, number).into_iter().filter(|other| found.insert(*other)));
    }
    found
}

fn check(world: &World, drawn: &Edges, what: &str) {
    let edges = neighbours(world);
    let first = *world.nodes.keys().next().unwrap();
    let pieces = reached(&edges, first).len();
    assert_eq!(pieces, world.nodes.len(), "{what}: {edges:?}");
    for number in world.nodes.keys() {
        let degree = around(&edges, *number).len();
        let max = around(drawn, *number).len() + SPARE;
        assert!((1..=max).contains(&degree), "{what}: node {number} has {degree} neighbours");
        assert_eq!(world.nodes[number].own().neighbours.len(), degree, "{what}: its card");
    }
}

#[test]
fn after_the_loss_of_any_five_of_sixteen_the_rest_is_in_one_piece() {
    for seed in 0..24 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let graph = cubic(&mut rng);
        let mut world = drawn(&graph);
        let mut numbers: Vec<u8> = (0..NODES).collect();
        numbers.shuffle(&mut rng);
        let lost = &numbers[..5];
        for number in lost {
            if seed % 2 == 0 {
                for other in numbers[5..].iter().copied() {
                    world.input(other, Input::Left { peer: id(*number), life: Life(1) });
                }
            }
            world.kill(*number);
        }
        world.run(10 * SECOND);
        check(&world, &graph, &format!("seed {seed}, without {lost:?}"));
        let short = world.nodes.keys().filter(|n| around(&neighbours(&world), **n).len() < 3);
        assert_eq!(short.count(), 0, "seed {seed}: all have their degree again");
    }
}

#[test]
fn a_node_that_loses_all_its_neighbours_finds_others() {
    for seed in 0..12 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let graph = cubic(&mut rng);
        let mut world = drawn(&graph);
        let mut lost: BTreeSet<u8> = around(&graph, 0).into_iter().collect();
        // And two that a piece of the rest hangs by.
        let more: Vec<u8> = (1..NODES).filter(|n| !lost.contains(n)).collect();
        lost.extend(more.sample(&mut rng, 2));
        lost.iter().for_each(|number| world.kill(*number));
        world.run(10 * SECOND);
        check(&world, &graph, &format!("seed {seed}, without {lost:?}"));
    }
}

/// Two rings of six, with nodes 12 to 15 as the only bridges between them. Without these every node
/// still has neighbours enough, so it is only for the other half that anybody is asked.
#[test]
fn two_halves_find_together_when_all_bridges_are_lost_at_once() {
    for seed in 0..8 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut graph = Edges::new();
        for number in 0..6 {
            graph.insert(pair(number, (number + 1) % 6));
            graph.insert(pair(6 + number, 6 + (number + 1) % 6));
        }
        for bridge in 12..16 {
            graph.insert(pair(bridge, rng.random_range(0..6)));
            graph.insert(pair(bridge, rng.random_range(6..12)));
        }
        let mut world = World::new();
        for number in 0..NODES {
            let topology = with_degrees(&around(&graph, number), Degrees { min: 2, max: 6 });
            world.start(number, Settings { topology, ..settings(number) });
        }
        world.run(2 * SECOND);
        (12..16).for_each(|bridge| world.kill(bridge));
        world.run(20 * SECOND);
        let edges = neighbours(&world);
        assert_eq!(reached(&edges, 0).len(), 12, "seed {seed}: {edges:?}");
        assert!((0..12).all(|number| around(&edges, number).len() <= 6), "seed {seed}: {edges:?}");
    }
}

#[test]
fn hubs_are_replaced_too() {
    for seed in 0..8 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Everyone on three of five hubs, which know each other in a ring.
        let mut graph: Edges = (0..5).map(|hub| pair(hub, (hub + 1) % 5)).collect();
        for number in 5..NODES {
            let hubs: Vec<u8> = (0..5).collect();
            graph.extend(hubs.sample(&mut rng, 3).map(|hub| pair(*hub, number)));
        }
        let mut world = drawn(&graph);
        (0..5).for_each(|hub| world.kill(hub));
        world.run(30 * SECOND);
        check(&world, &graph, &format!("seed {seed}"));
    }
}

#[test]
fn one_after_another_all_but_two_may_go() {
    for seed in 0..2 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let graph = cubic(&mut rng);
        let mut world = drawn(&graph);
        let mut numbers: Vec<u8> = (0..NODES).collect();
        numbers.shuffle(&mut rng);
        for number in &numbers[2..] {
            world.kill(*number);
            world.run(8 * SECOND);
            check(&world, &graph, &format!("seed {seed}, after {number}"));
        }
    }
}

#[test]
fn a_neighbour_that_is_back_has_its_place_and_the_stand_in_gives_way() {
    let graph: Edges = (0..8).map(|n| pair(n, (n + 1) % 8)).collect();
    let mut world = World::new();
    for number in 0..8 {
        let topology = mending(&around(&graph, number), 0);
        world.start(number, Settings { topology, ..settings(number) });
    }
    world.run(2 * SECOND);
    world.kill(3);
    world.run(10 * SECOND);
    assert!(neighbours(&world).contains(&(2, 4)), "the ends of the gap are neighbours");
    let topology = mending(&[2, 4], 0);
    world.start(3, Settings { topology, life: Life(2), ..settings(3) });
    // Node 3 is dialled after a backoff.
    world.run(60 * SECOND);
    assert_eq!(neighbours(&world), graph, "as it was drawn");
    assert_eq!(world.links, graph);
}

#[test]
fn a_link_that_breaks_for_a_moment_changes_no_neighbourhood() {
    let graph = cubic(&mut ChaCha8Rng::seed_from_u64(7));
    let mut world = drawn(&graph);
    for (a, b) in graph.clone() {
        world.cut(a, b);
        world.run(SECOND);
    }
    world.run(10 * SECOND);
    assert_eq!(world.links, graph);
}

#[test]
fn who_was_found_dead_is_replaced_at_once_and_not_asked() {
    let graph = cubic(&mut ChaCha8Rng::seed_from_u64(3));
    let mut world = drawn(&graph);
    let lost = around(&graph, 0)[0];
    world.kill(lost);
    world.run(SECOND / 10);
    for number in (0..NODES).filter(|n| *n != lost) {
        world.input(number, Input::Down { peer: id(lost) });
    }
    let begin = world.now;
    world.run(SECOND);
    check(&world, &graph, "within a second");
    let others = (0..NODES).filter(|n| *n != lost && !around(&graph, *n).contains(&lost));
    for number in others {
        assert_eq!(world.dials(number, &address(lost), begin), [], "node {number}");
    }
}

#[test]
fn a_fixed_graph_takes_nobody_in_and_stays_as_drawn() {
    let mut world = World::new();
    for number in 0..6 {
        let topology = super::joining::ring(number, 6);
        world.start(number, Settings { topology, ..settings(number) });
    }
    world.run(2 * SECOND);
    world.kill(3);
    world.run(60 * SECOND);
    assert_eq!(world.links, [(0, 1), (1, 2), (4, 5), (0, 5)].into());
    // Nor does it when asked.
    let mut out = crate::base::machine::Outbox::new();
    let token = crate::base::token::Token(9_999);
    let asked = Input::Asked { from: id(5), token, message: Message::Adopt { cut_off: true } };
    let machine = world.nodes.get_mut(&1).unwrap();
    crate::base::machine::Machine::handle(machine, world.now, asked, &mut out);
    assert!(!machine.is_neighbour(id(5)));
}

#[test]
fn a_neighbour_that_does_not_take_us_for_one_is_let_go() {
    let graph = cubic(&mut ChaCha8Rng::seed_from_u64(5));
    let mut world = drawn(&graph);
    let other = around(&graph, 0)[0];
    world.command(other, Command::Forget { peer: id(0) });
    world.run(20 * SECOND);
    let edges = neighbours(&world);
    for (number, machine) in &world.nodes {
        let theirs = (0..NODES).filter(|n| machine.is_neighbour(id(*n)));
        assert_eq!(theirs.collect::<Vec<u8>>(), around(&edges, *number), "node {number}");
    }
    check(&world, &graph, "forgotten by one");
}

#[test]
fn after_the_mending_it_is_quiet() {
    let graph = cubic(&mut ChaCha8Rng::seed_from_u64(11));
    let mut world = drawn(&graph);
    for number in 0..5 {
        world.kill(number);
    }
    world.run(120 * SECOND);
    let (edges, begin) = (neighbours(&world), world.now);
    world.run(600 * SECOND);
    assert_eq!(neighbours(&world), edges, "nothing changes any more");
    let mut dials: BTreeMap<u8, usize> = BTreeMap::new();
    for number in world.nodes.keys() {
        let dead = (0..5).map(|dead| world.dials(*number, &address(dead), begin).len());
        dials.insert(*number, dead.sum());
    }
    // Five dead nodes, each dialled once in 15 to 30 s at most.
    assert!(dials.values().all(|count| *count <= 5 * 41), "{dials:?}");
}
