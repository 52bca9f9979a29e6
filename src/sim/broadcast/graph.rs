//! The links a world begins with.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::links::Links;
use super::scenario::{BroadcastScenario, Graph};

/// Tries to find a partner for one link of a random graph.
const TRIES: usize = 64;

/// Draws the links. A random graph is connected: a ring through all nodes is part of it.
pub fn draw(scenario: &BroadcastScenario, rng: &mut ChaCha8Rng) -> Links {
    let nodes = scenario.nodes;
    let all = (nodes - 1) as usize;
    match scenario.graph {
        Graph::Line => chain(nodes, false),
        Graph::Ring => chain(nodes, true),
        Graph::Complete => complete(nodes),
        Graph::Random if scenario.links >= all => complete(nodes),
        Graph::Random => random(scenario, rng),
    }
}

fn chain(nodes: u32, closed: bool) -> Links {
    let mut links = Links::new(nodes as usize, 2);
    for node in 1..nodes {
        links.link(node, node - 1);
    }
    if closed {
        links.link(0, nodes - 1);
    }
    links
}

fn complete(nodes: u32) -> Links {
    let mut links = Links::new(nodes as usize, nodes as usize - 1);
    for node in 1..nodes {
        (0..node).for_each(|earlier| {
            links.link(node, earlier);
        });
    }
    links
}

fn random(scenario: &BroadcastScenario, rng: &mut ChaCha8Rng) -> Links {
    let nodes = scenario.nodes;
    let mut links = Links::new(nodes as usize, scenario.capacity());
    let mut order: Vec<u32> = (0..nodes).collect();
    order.shuffle(rng);
    for (place, node) in order.iter().enumerate() {
        links.link(*node, order[(place + 1) % order.len()]);
    }
    for node in order {
        for _ in 0..TRIES {
            if links.count(node) >= scenario.links {
                break;
            }
            let peer = rng.random_range(0..nodes);
            if links.count(peer) < scenario.links {
                // Who dials is a matter of chance, as with nodes that start at once.
                let (dialler, other) = if rng.random() { (node, peer) } else { (peer, node) };
                links.link(dialler, other);
            }
        }
    }
    links
}
