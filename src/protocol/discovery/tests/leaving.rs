//! Who leaves, is forgotten, and comes back.

use super::joining::ring;
use super::world::{SECOND, World, address, id, settings};
use crate::base::id::Life;
use crate::base::time::Time;
use crate::protocol::discovery::{Command, Input, Output, Settings, Source};

fn mesh(size: u8) -> World {
    let mut world = World::new();
    for number in 0..size {
        world.start_open(number, if number == 0 { &[] } else { &[0] });
    }
    world.run(2 * SECOND);
    world
}

fn leave(world: &mut World, number: u8, told: impl IntoIterator<Item = u8>) {
    for other in told {
        world.input(other, Input::Left { peer: id(number), life: Life(1) });
    }
    world.kill(number);
}

#[test]
fn who_left_is_gone_not_dialled_and_not_brought_back_by_gossip() {
    let mut world = mesh(5);
    // Node 3 does not hear the good-bye and goes on telling the card.
    leave(&mut world, 4, [0, 1, 2]);
    let begin = world.now;
    let (peer, addresses) = (Some(id(4)), vec![address(4)]);
    world.input(0, Input::Sighting { source: Source::Mdns, peer, addresses });
    world.run(100 * SECOND);
    for number in 0..3 {
        assert!(!world.knows(number, 4), "node {number}");
        assert_eq!(world.dials(number, &address(4), begin), []);
        assert!(
            world.outputs(number).any(|o| matches!(o, Output::Gone { node } if *node == id(4)))
        );
    }
    assert!(world.knows(3, 4));
}

#[test]
fn a_new_life_of_who_left_is_welcome() {
    let mut world = mesh(5);
    leave(&mut world, 4, 0..4);
    world.run(10 * SECOND);
    let bootstrap = vec![address(1)];
    world.start(4, Settings { life: Life(2), bootstrap, ..settings(4) });
    world.run(2 * SECOND);
    assert!((0..4).all(|number| world.knows(number, 4)));
    assert_eq!(world.links.iter().filter(|(_, b)| *b == 4).count(), 4);
}

#[test]
fn a_good_bye_of_an_older_life_says_nothing() {
    let mut world = mesh(2);
    world.kill(1);
    world.start(1, Settings { life: Life(2), bootstrap: vec![address(0)], ..settings(1) });
    world.run(2 * SECOND);
    world.input(0, Input::Left { peer: id(1), life: Life(1) });
    assert!(world.knows(0, 1));
}

#[test]
fn a_neighbour_that_left_is_none_and_one_again_in_its_next_life() {
    let mut world = World::new();
    for number in 0..4 {
        world.start(number, Settings { topology: ring(number, 4), ..settings(number) });
    }
    world.run(2 * SECOND);
    leave(&mut world, 1, [0, 2, 3]);
    let begin = world.now;
    world.run(60 * SECOND);
    assert_eq!(world.dials(0, &address(1), begin), []);
    world.start(1, Settings { life: Life(2), topology: ring(1, 4), ..settings(1) });
    world.run(2 * SECOND);
    let joined = world.outputs(0).filter_map(|output| match output {
        Output::Neighbour { peer, joined } if *peer == id(1) => Some(*joined),
        _ => None,
    });
    assert_eq!(joined.collect::<Vec<_>>(), [true, false, true]);
    let begin = world.now;
    world.cut(0, 1);
    world.run(2 * SECOND);
    assert!(world.links.contains(&(0, 1)));
    assert!(begin > Time::ZERO);
}

#[test]
fn who_is_to_be_forgotten_is_unlinked_and_left_alone() {
    let mut world = mesh(3);
    for number in [0, 1] {
        world.command(number, Command::Forget { peer: id(2) });
    }
    world.kill(2);
    let begin = world.now;
    world.run(60 * SECOND);
    for number in [0, 1] {
        assert!(!world.knows(number, 2));
        assert_eq!(world.dials(number, &address(2), begin), []);
        assert!(
            world.outputs(number).any(|o| matches!(o, Output::Unlink { peer } if *peer == id(2)))
        );
    }
}

#[test]
fn a_left_entry_point_stays_for_whoever_lives_there_next() {
    let mut world = World::new();
    world.start_open(0, &[]);
    let pinned = format!("{}/p2p/{}", address(0), id(0)).parse().unwrap();
    world.start(1, Settings { bootstrap: vec![pinned], ..settings(1) });
    world.run(10 * SECOND);
    leave(&mut world, 0, [1]);
    let begin = world.now;
    world.run(100 * SECOND);
    let dials = world.dials(1, &address(0), begin);
    assert!((2..=7).contains(&dials.len()), "{dials:?}");
    assert!(dials[0].since(begin) >= 30 * SECOND);
    world.start(0, Settings { life: Life(2), ..settings(0) });
    world.run(31 * SECOND);
    assert!(world.knows(1, 0));
}
