use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;

use super::incoming::frame;
use super::world::{World, at, id, room, subscribe, topics, turn};
use crate::base::id::{Life, NodeId};
use crate::base::token::Token;
use crate::protocol::topic::relay::{MAX_GATHERED_READERS, MAX_READERS};
use crate::protocol::topic::told::MAX_TOLD_READERS;
use crate::protocol::topic::{
    Command, Envelope, Input, Message, MessageId, Output, Strategy, TopicConfig, TopicMachine,
};

fn publish(patience: Duration) -> Command {
    Command::Publish {
        token: Token(9),
        topic: "chat".into(),
        payload: Bytes::from_static(b"apple"),
        relays: NonZeroU8::MIN,
        receipts: Some(patience),
        foreign: false,
        strategy: Strategy::RoundRobin,
        if_read: false,
        envelope: Envelope::default(),
    }
}

const PATIENCE: Duration = Duration::from_secs(2);

fn name(author: NodeId, number: u64) -> MessageId {
    MessageId { author, life: Life(1), topic: "chat".into(), number }
}

/// A message of node 0 comes here, from itself.
fn passes_by(relay: &mut TopicMachine, number: u64) -> MessageId {
    let (from, author, frame) = (id(0), id(0), frame(0, "chat", number));
    turn(relay, at(0), Input::Heard { from, author, sequence: number, frame });
    name(author, number)
}

#[test]
fn the_author_reports_when_all_readers_have_confirmed() {
    let mut world = World::ring(8).all_read("chat");
    world.command(0, publish(PATIENCE));
    let accepted = world.now;
    world.run(Duration::from_secs(3));
    let (when, report) = world.report(0).expect("reported");
    assert_eq!(report.holders.iter().copied().collect::<BTreeSet<_>>(), (0..8).map(id).collect());
    assert!(report.missing.is_empty());
    assert_eq!(report.elapsed, when.since(accepted));
    assert!(report.elapsed < Duration::from_millis(10), "{:?}", report.elapsed);
}

#[test]
fn relays_gather_receipts() {
    // Twelve leaves behind one relay.
    let links: Vec<_> = [(0, 1)].into_iter().chain((2..14).map(|leaf| (1, leaf))).collect();
    let config = TopicConfig { relay_all: true, ..TopicConfig::default() };
    let mut world = World::new(14, &links, &config).all_read("chat");
    world.command(0, publish(PATIENCE));
    world.run(Duration::from_secs(3));
    assert_eq!(world.report(0).expect("reported").1.holders.len(), 14);
    let mut relay = room(1, config);
    turn(&mut relay, at(0), Input::Linked { peer: id(0) });
    let id_of = passes_by(&mut relay, 1);
    for leaf in 2..14 {
        let message = Message::Receipt { id: id_of.clone(), readers: vec![id(leaf)] };
        assert!(turn(&mut relay, at(1), Input::Told { from: id(leaf), message }).is_empty());
    }
    let out = turn(&mut relay, at(2), Input::Tick);
    let [Output::Tell { message: Message::Receipt { readers, .. }, .. }] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(readers.len(), 12);
}

#[test]
fn receipts_find_a_way_around_a_dead_relay() {
    // The dead node is found out only when receipts cannot be told to it.
    for notices in [false, true] {
        let mut world = World::ring(8).all_read("chat");
        world.command(0, publish(PATIENCE));
        // Node 2 has passed it on and dies before the receipts come back.
        world.run(Duration::from_micros(1_600));
        assert_eq!(world.delivered(3).len(), 1);
        if notices {
            world.kill(2);
        } else {
            world.freeze(2);
        }
        world.run(Duration::from_secs(3));
        let (_, report) = world.report(0).expect("reported");
        assert!(report.holders.contains(&id(3)), "notices: {notices}, {report:?}");
        assert!(report.missing.iter().all(|node| *node == id(2)), "{report:?}");
    }
}

#[test]
fn who_does_not_confirm_in_time_is_missing() {
    let mut world = World::ring(4).all_read("chat");
    world.freeze(2);
    world.command(0, publish(PATIENCE));
    world.run(Duration::from_secs(3));
    let (_, report) = world.report(0).expect("reported");
    assert_eq!(report.missing, [id(2)]);
    assert_eq!(report.elapsed, PATIENCE);
}

#[test]
fn a_reader_that_leaves_or_stops_reading_is_not_waited_for() {
    for input in
        [Input::Gone { node: id(2) }, Input::Reads { node: id(2), topics: topics(&["other"]) }]
    {
        let mut room = room(0, TopicConfig::default());
        for node in [1, 2] {
            turn(&mut room, at(0), Input::Reads { node: id(node), topics: topics(&["chat"]) });
        }
        let out = turn(&mut room, at(1), Input::Command(publish(PATIENCE)));
        let Output::Published { result: Ok(name), .. } = &out[0] else { panic!("{out:?}") };
        let readers = vec![id(1), id(7), id(7)];
        let message = Message::Receipt { id: name.clone(), readers };
        assert!(turn(&mut room, at(5), Input::Told { from: id(1), message }).is_empty());
        let also = Input::Reads { node: id(2), topics: topics(&["chat", "more"]) };
        assert!(turn(&mut room, at(8), also).is_empty(), "it still reads the topic");
        let out = turn(&mut room, at(9), input);
        let [Output::Confirmed { report, .. }] = &out[..] else { panic!("{out:?}") };
        assert_eq!(report.holders.len(), 2, "the unexpected reader counts once");
        assert!(report.missing.is_empty());
        assert_eq!(report.elapsed, Duration::from_millis(4), "until the last confirmation");
    }
}

#[test]
fn with_nobody_to_expect_the_report_comes_at_once() {
    for reads in [false, true] {
        let mut room = room(0, TopicConfig::default());
        if reads {
            turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
        }
        let out = turn(&mut room, at(1), Input::Command(publish(PATIENCE)));
        let holders = out.iter().find_map(|output| match output {
            Output::Confirmed { report, .. } => Some(report.holders.len()),
            _ => None,
        });
        assert_eq!(holders, Some(usize::from(reads)));
    }
}

#[test]
fn receipts_do_not_run_in_circles() {
    // Everybody is told that the message came from the next on the ring; nobody reaches the author.
    let mut world = World::ring(4);
    world.run(Duration::from_millis(5));
    for node in 0..4 {
        let frame = frame(9, "chat", 1);
        let from = id((node + 1) % 4);
        world.input(node, Input::Heard { from, author: id(9), sequence: 1, frame });
    }
    let name = name(id(9), 1);
    let message = Message::Receipt { id: name, readers: vec![id(8)] };
    world.input(0, Input::Told { from: id(7), message });
    world.run(Duration::from_secs(10));
    assert!((4..=12).contains(&world.tells), "each node passes it on a few times: {}", world.tells);
}

#[test]
fn a_receipt_told_again_by_the_same_neighbour_is_on_its_way_already() {
    let config = TopicConfig { relay_all: true, ..TopicConfig::default() };
    let mut relay = room(1, config);
    for peer in [0, 2, 3] {
        turn(&mut relay, at(0), Input::Linked { peer: id(peer) });
    }
    let id_of = passes_by(&mut relay, 1);
    let mut told = |from: usize| {
        let message = Message::Receipt { id: id_of.clone(), readers: vec![id(9)] };
        turn(&mut relay, at(1), Input::Told { from: id(from), message });
        turn(&mut relay, at(1), Input::Tick).len()
    };
    assert_eq!(told(2), 1, "passes on");
    assert_eq!(told(2), 0, "only told again");
    assert_eq!(told(3), 1, "came back another way");
}

#[test]
fn receipts_of_a_message_that_was_never_here_go_nowhere() {
    let mut relay = room(1, TopicConfig { relay_all: true, ..TopicConfig::default() });
    for peer in [0, 2] {
        turn(&mut relay, at(0), Input::Linked { peer: id(peer) });
    }
    let message = Message::Receipt { id: name(id(0), 1), readers: vec![id(8), id(9)] };
    turn(&mut relay, at(1), Input::Told { from: id(2), message });
    assert!(turn(&mut relay, at(1), Input::Tick).is_empty());
    assert_eq!(relay.stats().receipts_lost, 2);
}

#[test]
fn receipts_that_arrived_are_forgotten() {
    let mut relay = room(1, TopicConfig { relay_all: true, ..TopicConfig::default() });
    turn(&mut relay, at(0), Input::Linked { peer: id(0) });
    let message = Message::Receipt { id: passes_by(&mut relay, 1), readers: vec![id(8), id(9)] };
    turn(&mut relay, at(1), Input::Told { from: id(2), message });
    assert_eq!(relay.receipts_on_their_way(), [2, 0]);
    let out = turn(&mut relay, at(1), Input::Tick);
    let [Output::Tell { token, .. }] = out[..] else { panic!("{out:?}") };
    assert_eq!(relay.receipts_on_their_way(), [0, 2]);
    assert!(turn(&mut relay, at(2), Input::Arrived { token }).is_empty());
    assert_eq!(relay.receipts_on_their_way(), [0, 0]);
    assert!(turn(&mut relay, at(3), Input::NoAnswer { token }).is_empty(), "settled once");
}

#[test]
fn a_flood_of_receipts_is_bounded_by_readers_and_counted() {
    let mut relay = room(1, TopicConfig { relay_all: true, ..TopicConfig::default() });
    for peer in [0, 2] {
        turn(&mut relay, at(0), Input::Linked { peer: id(peer) });
    }
    let made_up: Vec<_> = (0..=MAX_READERS).map(id).collect();
    let mut told = 0;
    for number in 1..=40 {
        let readers = made_up.clone();
        let message = Message::Receipt { id: passes_by(&mut relay, number as u64), readers };
        let out = turn(&mut relay, at(1), Input::Told { from: id(2), message });
        for output in out {
            let Output::Tell { message: Message::Receipt { readers, .. }, .. } = output else {
                panic!("{output:?}")
            };
            assert!(readers.len() <= MAX_READERS);
            told += readers.len();
        }
        let [gathered, under_way] = relay.receipts_on_their_way();
        assert!(gathered <= MAX_GATHERED_READERS && under_way <= MAX_TOLD_READERS);
    }
    assert_eq!(told, 40 * MAX_READERS - MAX_GATHERED_READERS, "the rest passes on at once");
    assert_eq!(turn(&mut relay, at(1), Input::Tick).len(), 16);
    assert_eq!(relay.receipts_on_their_way(), [0, MAX_TOLD_READERS]);
    let lost = 40 + 40 * MAX_READERS - MAX_TOLD_READERS;
    assert_eq!(relay.stats().receipts_lost, lost as u64);
}

#[test]
fn a_bundle_that_is_full_passes_on_beside_the_next() {
    let mut relay = room(1, TopicConfig { relay_all: true, ..TopicConfig::default() });
    turn(&mut relay, at(0), Input::Linked { peer: id(0) });
    let name = passes_by(&mut relay, 1);
    let mut told = 0;
    for (from, first) in [(2, 0), (3, 3_000)] {
        let readers = (first..first + 3_000).map(id).collect();
        let message = Message::Receipt { id: name.clone(), readers };
        told += turn(&mut relay, at(1), Input::Told { from: id(from), message }).len();
    }
    assert_eq!((told, turn(&mut relay, at(1), Input::Tick).len()), (1, 1));
    assert_eq!(relay.receipts_on_their_way(), [0, 6_000]);
    assert_eq!(relay.stats().receipts_lost, 0);
}
