//! Whom to dial, when, and when not.

use std::collections::BTreeMap;

use super::world::{MS, SECOND, World, address, id, settings};
use crate::Multiaddr;
use crate::base::token::Token;
use crate::protocol::discovery::{Command, ConnectError, Input, Output, Settings, Source};

fn connected(world: &World, number: u8) -> Vec<Result<crate::NodeId, ConnectError>> {
    let replies = world.outputs(number).filter_map(|output| match output {
        Output::Connected { result, .. } => Some(result.clone()),
        _ => None,
    });
    replies.collect()
}

fn connect(world: &mut World, number: u8, address: Multiaddr) {
    world.command(number, Command::Connect { token: Token(77), address });
    world.run(SECOND);
}

#[test]
fn backoff_doubles_up_to_its_cap_and_never_stops() {
    let mut world = World::new();
    world.start_open(0, &[9]);
    world.run(3600 * SECOND);
    let dials = world.dials(0, &address(9), Default::default());
    let gaps: Vec<u128> = dials.windows(2).map(|w| w[1].since(w[0]).as_millis()).collect();
    for (failures, gap) in gaps.iter().enumerate() {
        let whole = (200_u128 << failures.min(20)).min(30_000);
        assert!((whole / 2..=whole + 5).contains(gap), "gap {failures} is {gap}");
    }
    assert!(gaps.len() > 3600 / 30, "only {}", gaps.len());
    assert!(world.nodes[&0].stats().dials_failed >= 120);
}

#[test]
fn a_stranger_is_left_alone_whoever_names_it() {
    let mut world = World::new();
    world.strangers.insert(9);
    world.start_open(0, &[9]);
    for _ in 0..590 {
        for peer in [Some(id(9)), None] {
            let addresses = vec![address(9)];
            world.input(0, Input::Sighting { source: Source::Mdns, peer, addresses });
        }
        world.run(SECOND);
    }
    // Once as an entry point, once as the peer that mDNS named.
    assert_eq!(world.dials(0, &address(9), Default::default()).len(), 2);
    world.run(20 * SECOND);
    assert_eq!(world.dials(0, &address(9), Default::default()).len(), 4);
}

#[test]
fn a_lost_link_is_dialled_again_soon_and_a_flapping_one_ever_more_rarely() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[0]);
    world.run(10 * SECOND);
    world.cut(0, 1);
    world.run(SECOND);
    assert_eq!(world.links.len(), 1);
    let begin = world.now;
    for _ in 0..600 {
        world.cut(0, 1);
        world.run(100 * MS);
    }
    let dials = [(0, 1), (1, 0)].map(|(n, other)| world.dials(n, &address(other), begin).len());
    let dials = dials[0] + dials[1];
    assert!(dials < 30, "{dials} dials in a minute of breaking links");
}

#[test]
fn connect_links_and_a_second_one_is_a_typed_error() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[]);
    connect(&mut world, 0, address(1));
    connect(&mut world, 0, address(1));
    assert_eq!(connected(&world, 0), [Ok(id(1)), Err(ConnectError::AlreadyLinked(id(1)))]);
    connect(&mut world, 1, address(0));
    assert_eq!(connected(&world, 1), [Err(ConnectError::AlreadyLinked(id(0)))]);
}

#[test]
fn connect_says_what_went_wrong() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[]);
    world.strangers.insert(9);
    let other: Multiaddr = format!("{}/p2p/{}", address(1), id(5)).parse().unwrap();
    for address in [address(0), address(8), address(9), other] {
        connect(&mut world, 0, address);
    }
    let results = connected(&world, 0);
    assert!(matches!(&results[0], Err(ConnectError::Ourselves(_))));
    assert!(matches!(&results[1], Err(ConnectError::Unreachable { .. })));
    assert!(matches!(&results[2], Err(ConnectError::Stranger { .. })));
    assert!(matches!(&results[3], Err(ConnectError::WrongPeer { wanted, .. }) if *wanted == id(5)));
    assert_eq!(results.len(), 4, "one reply each");
    world.start_open(8, &[]);
    world.run(SECOND * 10);
    assert!(world.knows(0, 8), "what nobody answered at is tried again");
}

#[test]
fn disconnect_lasts_until_connect() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[]);
    connect(&mut world, 0, address(1));
    world.command(1, Command::Disconnect { peer: id(0) });
    world.command(0, Command::Disconnect { peer: id(1) });
    world.run(100 * SECOND);
    assert!(world.links.is_empty());
    connect(&mut world, 0, address(1));
    world.run(100 * SECOND);
    assert!(world.links.is_empty(), "the other one has not been told to connect");
    connect(&mut world, 1, address(0));
    assert_eq!(world.links.len(), 1, "an address never dialled before");
}

#[test]
fn an_address_where_another_lives_is_not_dialled_for_this_peer_again() {
    let mut world = World::new();
    world.start_open(0, &[]);
    world.start_open(1, &[]);
    let addresses = vec![address(1), address(8)];
    world.input(0, Input::Sighting { source: Source::Custom, peer: Some(id(5)), addresses });
    world.run(5 * SECOND);
    let found_out = world.now;
    world.run(100 * SECOND);
    assert_eq!(world.dials(0, &address(1), found_out), []);
    assert!(!world.dials(0, &address(8), found_out).is_empty());
    assert!(world.knows(0, 1), "who lives there is dialled as who it is");
}

#[test]
fn sightings_are_bounded_and_the_oldest_leaves() {
    let mut world = World::new();
    let mut settings = settings(0);
    settings.config.max_sightings = 4;
    settings.config.max_dials = 1;
    world.start(0, settings);
    for number in 100..150 {
        let addresses = vec![address(number)];
        world.input(0, Input::Sighting { source: Source::Kademlia, peer: None, addresses });
    }
    let begin = world.now + SECOND;
    world.run(120 * SECOND);
    assert_eq!(world.dials(0, &address(120), begin), []);
    assert!((146..150).all(|number| !world.dials(0, &address(number), begin).is_empty()));
}

#[test]
fn at_most_max_dials_are_under_way_and_a_lost_one_counts_as_failed() {
    use crate::base::machine::{Machine, Outbox};
    use crate::base::time::Time;
    use crate::protocol::discovery::DiscoveryMachine;
    let bootstrap = (1..=40).map(address).collect();
    let mut machine = DiscoveryMachine::new(Settings { bootstrap, ..settings(0) }, 1);
    let mut out = Outbox::new();
    machine.handle(Time::ZERO, Input::Tick, &mut out);
    assert_eq!(out.drain().count(), 16);
    machine.handle(Time::ZERO + 19 * SECOND, Input::Tick, &mut out);
    assert!(!out.drain().any(|o| matches!(o, Output::Dial { .. })));
    machine.handle(Time::ZERO + 20 * SECOND, Input::Tick, &mut out);
    assert_eq!(out.drain().filter(|o| matches!(o, Output::Dial { .. })).count(), 16);
    assert_eq!(machine.stats().dials_failed, 16);
}

/// Dials begun, by the second they began in.
fn dials_per_second(world: &World, number: u8) -> BTreeMap<u64, usize> {
    let mut seconds = BTreeMap::new();
    for (at, n, output) in &world.log {
        if *n == number && matches!(output, Output::Dial { .. }) {
            *seconds.entry(at.as_micros() / 1_000_000).or_default() += 1;
        }
    }
    seconds
}

/// Node 0, told of 100 nodes at addresses where nobody answers.
fn amid_phantoms(settings: Settings) -> World {
    let mut world = World::new();
    world.start(0, settings);
    for number in 100..200 {
        let (peer, addresses) = (Some(id(number)), vec![address(number)]);
        world.input(0, Input::Sighting { source: Source::Custom, peer, addresses });
    }
    world
}

#[test]
fn made_up_nodes_are_dialled_at_twenty_a_second_at_most() {
    let mut world = amid_phantoms(settings(0));
    world.run(60 * SECOND);
    let seconds = dials_per_second(&world, 0);
    let (first, later) = (seconds[&0], seconds.range(1..).map(|(_, dials)| *dials));
    assert!(first < 40, "{first} dials in the first second");
    assert!(later.clone().all(|dials| dials <= 20), "{seconds:?}");
    assert!(later.sum::<usize>() > 50, "and the pool is dialled all the same: {seconds:?}");
}

#[test]
fn the_pace_of_the_pool_does_not_hold_up_who_must_be_dialled() {
    let mut world = amid_phantoms(settings(0));
    world.run(500 * MS);
    let begin = world.now;
    for number in 1..=30 {
        world.command(0, Command::Connect { token: Token(1), address: address(number) });
    }
    world.run(10 * MS);
    for number in 1..=30 {
        assert!(!world.dials(0, &address(number), begin).is_empty(), "{number}");
    }
}

#[test]
fn the_pool_leaves_dials_free_and_what_must_be_dialled_comes_first() {
    use crate::base::machine::{Machine, Outbox};
    use crate::base::time::Time;
    use crate::protocol::discovery::DiscoveryMachine;
    for (max_dials, of_pool) in [(16, 12), (5, 1), (2, 1)] {
        let mut limited = settings(0);
        limited.config.max_dials = max_dials;
        let mut machine = DiscoveryMachine::new(limited, 1);
        let mut out = Outbox::new();
        for number in 100..200 {
            let (peer, addresses) = (Some(id(number)), vec![address(number)]);
            let sighting = Input::Sighting { source: Source::Custom, peer, addresses };
            machine.handle(Time::ZERO, sighting, &mut out);
        }
        machine.handle(Time::ZERO + 10 * SECOND, Input::Tick, &mut out);
        let dials = out.drain().filter(|o| matches!(o, Output::Dial { .. })).count();
        assert_eq!(dials, of_pool);
        for number in 1..=20 {
            let connect = Command::Connect { token: Token(1), address: address(number) };
            machine.handle(Time::ZERO + 11 * SECOND, Input::Command(connect), &mut out);
        }
        let dials = out.drain().filter(|o| matches!(o, Output::Dial { .. })).count();
        assert_eq!(dials, max_dials - of_pool);
        // The lost dials of the pool end: `Connect` takes their places.
        machine.handle(Time::ZERO + 30 * SECOND, Input::Tick, &mut out);
        let first = out.drain().find_map(|output| match output {
            Output::Dial { peer, .. } => Some(peer),
            _ => None,
        });
        assert_eq!(first, Some(None), "an address of `Connect` before older ones of the pool");
    }
}

#[test]
fn a_dial_that_reaches_a_linked_peer_tells_who_lives_at_the_address() {
    use crate::base::id::Life;
    use crate::base::machine::{Machine, Outbox};
    use crate::base::time::Time;
    use crate::protocol::discovery::DiscoveryMachine;
    let settings = Settings { bootstrap: vec![address(1)], ..settings(0) };
    let mut machine = DiscoveryMachine::new(settings, 1);
    let mut out = Outbox::new();
    machine.handle(Time::ZERO, Input::Tick, &mut out);
    let Some(Output::Dial { token, .. }) = out.pop() else { panic!("dials at once") };
    let linked = Input::Linked { peer: id(1), life: Life(1), address: None };
    machine.handle(Time::ZERO + MS, linked, &mut out);
    machine.handle(Time::ZERO + 2 * MS, Input::Dialled { token, peer: id(1) }, &mut out);
    machine.handle(Time::ZERO + 100 * SECOND, Input::Tick, &mut out);
    assert!(!out.drain().any(|output| matches!(output, Output::Dial { .. })));
    assert_eq!(machine.stats().dials_failed, 0);
    machine.handle(Time::ZERO + 101 * SECOND, Input::Unlinked { peer: id(1) }, &mut out);
    machine.handle(Time::ZERO + 102 * SECOND, Input::Tick, &mut out);
    assert!(out.drain().any(|output| matches!(output, Output::Dial { .. })));
}

#[test]
fn a_peer_that_never_keeps_the_link_is_dialled_ever_more_rarely() {
    use crate::base::machine::{Machine, Outbox};
    use crate::base::time::Time;
    use crate::protocol::discovery::DiscoveryMachine;
    let mut machine = DiscoveryMachine::new(settings(0), 1);
    let mut out = Outbox::new();
    let connect = Command::Connect { token: Token(7), address: address(1) };
    machine.handle(Time::ZERO, Input::Command(connect), &mut out);
    let (mut dials, mut replies) = (0, 0);
    while let Some(now) = machine.deadline().filter(|due| *due < Time::ZERO + 60 * SECOND) {
        while let Some(output) = out.pop() {
            match output {
                Output::Dial { token, .. } => {
                    dials += 1;
                    machine.handle(now, Input::Dialled { token, peer: id(1) }, &mut out);
                }
                Output::Connected { .. } => replies += 1,
                _ => {}
            }
        }
        machine.handle(now, Input::Tick, &mut out);
    }
    assert!((5..20).contains(&dials), "{dials} dials in a minute");
    assert_eq!(replies, 1);
}
