//! What two nodes, and some more, must do together.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Duration;

use super::world::{MS, SECOND, World, address, id, settings};
use crate::base::id::Life;
use crate::base::token::Token;
use crate::engine::frame::Message;
use crate::engine::{Event, Input, Output};
use crate::protocol::discovery::Topology;
use crate::protocol::membership::{Finding, Standing};
use crate::protocol::topic::{Command, Envelope, Strategy};

fn two() -> World {
    let mut world = World::default();
    world.join(1, &[]);
    world.join(2, &[1]);
    world.run(SECOND);
    world
}

#[test]
fn two_engines_meet_and_pass_a_message() {
    let mut world = two();
    assert_eq!(world.peers(1), [2]);
    let online = Event::Online { node: id(2), life: Life(1) };
    let told = world.events(1).into_iter().filter(|event| *event == online).count();
    assert_eq!(told, 1, "told once");
    let view = Event::Membership(Finding::ViewChanged { active: 2, agreed: 2 });
    assert!(world.events(1).contains(&view), "{:?}", world.events(1));
    world.subscribe(2, "chat");
    world.run(100 * MS);
    world.publish(1, "chat", "hello");
    world.run(100 * MS);
    assert_eq!(world.delivered(2), ["hello"]);
    assert_eq!(world.delivered(1), [""; 0], "its own messages are not wanted");
}

#[test]
fn a_message_waits_for_its_first_reader() {
    let mut world = two();
    world.publish(1, "chat", "anybody there?");
    world.run(SECOND);
    world.subscribe(2, "chat");
    world.run(SECOND);
    assert_eq!(world.delivered(2), ["anybody there?"]);
}

#[test]
fn what_a_node_reads_is_known_to_the_other_at_once_and_until_it_ends() {
    let mut world = two();
    world.subscribe(2, "chat");
    world.run(20 * MS);
    assert_eq!(world.engine(1).readers("chat"), [id(2)]);
    let subscription = world
        .wanted(2)
        .find_map(|output| match output {
            Output::Subscribed { subscription, .. } => Some(*subscription),
            _ => None,
        })
        .unwrap();
    let end = Command::Unsubscribe { subscription };
    world.input(2, Input::Topic(end));
    world.run(20 * MS);
    assert_eq!(world.engine(1).readers("chat"), []);
}

#[test]
fn a_card_reaches_nodes_that_are_not_linked() {
    // Later membership opens a link between them, because 1 watches 3.
    let mut world = line_for(200 * MS);
    world.subscribe(3, "chat");
    world.run(100 * MS);
    assert_eq!(world.peers(1), [2]);
    assert_eq!(world.engine(1).readers("chat"), [id(3)]);
}

/// 1 and 3 know each other only through 2.
fn line() -> World {
    line_for(SECOND)
}

fn line_for(span: Duration) -> World {
    let mut world = World::default();
    for (number, neighbours) in [(1, vec![2]), (2, vec![1, 3]), (3, vec![2])] {
        let mut made = settings(number, Life(1), &[]);
        let map: BTreeMap<_, _> =
            neighbours.iter().map(|other| (id(*other), vec![address(*other)])).collect();
        made.discovery.topology = Topology::Fixed(map);
        made.topic.relay_all = true;
        world.start(number, made);
    }
    world.run(span);
    world
}

#[test]
fn in_a_line_a_message_travels_through_a_node_that_does_not_read_it() {
    let mut world = line();
    world.subscribe(3, "chat");
    world.run(100 * MS);
    world.publish(1, "chat", "to the end");
    world.run(100 * MS);
    assert_eq!(world.delivered(3), ["to the end"]);
    assert_eq!(world.delivered(2), [""; 0]);
}

#[test]
fn in_a_line_whose_ends_watch_each_other_nothing_of_a_topic_goes_past_the_middle() {
    let mut world = line();
    world.run(10 * SECOND);
    assert_eq!(world.peers(1), [2, 3], "1 watches 3");
    world.subscribe(1, "chat");
    world.subscribe(3, "chat");
    world.run(100 * MS);
    let before = world.log.len();
    world.publish(1, "chat", "to the end");
    world.run(5 * SECOND);
    let of_topic = |(_, number, output): &&(_, u8, Output)| match output {
        Output::Ask { to, message: Message::Topic(_), .. }
        | Output::Tell { to, message: Message::Topic(_), .. } => {
            matches!(number, 1 | 3) && *to != id(2)
        }
        _ => false,
    };
    let past: Vec<_> = world.log[before..].iter().filter(of_topic).collect();
    assert!(past.is_empty(), "{past:?}");
    let told = |output: &Output| matches!(output, Output::Tell { message: Message::Topic(_), .. });
    assert!(world.wanted(2).any(told), "the middle told how far the feed goes");
}

#[test]
fn receipts_that_arrived_are_kept_nowhere() {
    let mut world = line();
    world.subscribe(3, "chat");
    world.run(100 * MS);
    let publish = Command::Publish {
        token: Token(9),
        topic: "chat".into(),
        payload: "to the end".into(),
        relays: NonZeroU8::MIN,
        receipts: Some(SECOND),
        foreign: false,
        strategy: Strategy::RoundRobin,
        if_read: false,
        envelope: Envelope::default(),
    };
    world.input(1, Input::Topic(publish));
    world.run(100 * MS);
    let holders = world.wanted(1).find_map(|output| match output {
        Output::Confirmed { report, .. } => Some(report.holders.clone()),
        _ => None,
    });
    assert_eq!(holders, Some(vec![id(3)]));
    for number in 1..=3 {
        assert_eq!(world.engine(number).topic().receipts_on_their_way(), [0, 0]);
    }
}

#[test]
fn two_that_dial_each_other_at_once_end_with_one_connection() {
    let mut world = World::default();
    world.join(1, &[2]);
    world.join(2, &[1]);
    world.run(10 * SECOND);
    assert_eq!(world.connections(), 1);
    let unlinked = world.events(1).iter().any(|e| matches!(e, Event::Unreachable { .. }));
    assert!(!unlinked, "the link was never lost: {:?}", world.events(1));
}

#[test]
fn ten_that_join_through_one_are_all_linked_once() {
    let mut world = World::default();
    world.join(0, &[]);
    (1..10).for_each(|number| world.join(number, &[0]));
    world.run(20 * SECOND);
    assert_eq!(world.connections(), 45, "a full mesh, each link once");
    (0..10).for_each(|number| assert_eq!(world.engine(number).membership().members().count(), 9));
}

#[test]
fn a_leave_is_seen_as_left_also_by_who_is_not_linked_and_nobody_dials_it_again() {
    let mut world = line();
    world.input(1, Input::Leave);
    world.run(100 * MS);
    assert!(world.wanted(1).any(|output| matches!(output, Output::MayStop)));
    world.kill(1);
    let gone = world.now;
    world.run(600 * SECOND);
    for number in [2, 3] {
        let left = Event::Left { node: id(1), life: Life(1) };
        assert!(world.events(number).contains(&left), "{number}: {:?}", world.events(number));
        let missed = Event::Unreachable { node: id(1) };
        assert!(!world.events(number).contains(&missed), "left, not failed");
    }
    let dials = |(at, _, output): &&(_, u8, Output)| match output {
        Output::Dial { addresses, .. } => *at > gone && addresses.contains(&address(1)),
        _ => false,
    };
    assert_eq!(world.log.iter().filter(dials).count(), 0);
}

#[test]
fn a_killed_node_is_unreachable_and_back_in_its_next_life() {
    let mut world = two();
    world.kill(2);
    world.run(SECOND);
    assert!(world.events(1).contains(&Event::Unreachable { node: id(2) }));
    let standing = world.engine(1).membership().members().next().map(|(_, m)| m.standing);
    assert_eq!(standing, Some(Standing::Unreachable));
    world.start(2, settings(2, Life(2), &[1]));
    world.subscribe(2, "chat");
    world.run(SECOND);
    assert!(world.events(1).contains(&Event::Online { node: id(2), life: Life(2) }));
    world.publish(1, "chat", "welcome back");
    world.run(SECOND);
    assert_eq!(world.delivered(2), ["welcome back"]);
}

#[test]
fn a_restart_before_the_old_link_is_seen_to_end_leads_to_one_link() {
    let mut world = two();
    // The old connection stays open for 1, as after a power cut.
    world.start(2, settings(2, Life(2), &[1]));
    world.run(10 * SECOND);
    assert_eq!(world.connections(), 1);
    assert!(world.events(1).contains(&Event::Online { node: id(2), life: Life(2) }));
}

#[test]
fn a_round_trip_is_known_while_the_link_lives() {
    let mut world = two();
    let link = world.engine(1).links().all(id(2))[0];
    let pinged = || Input::Pinged { peer: id(2), link, answered: Some(3 * MS) };
    world.input(1, pinged());
    assert_eq!(world.engine(1).round_trip(id(2)), Some(3 * MS));
    world.kill(2);
    world.run(SECOND);
    world.input(1, pinged());
    assert_eq!(world.engine(1).round_trip(id(2)), None, "a late answer is not kept");
}
