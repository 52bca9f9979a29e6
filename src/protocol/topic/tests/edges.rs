//! A fixed graph: members that watch each other are linked, and topics keep to the edges.

use super::incoming::frame;
use super::late::late;
use super::outgoing::broadcasts;
use super::world::{at, id, publish, room, subscribe, topics, turn};
use crate::base::id::NodeId;
use crate::protocol::topic::{Bucket, Input, Message, Output, TopicConfig, TopicMachine};

/// A room that reads `chat`, linked with nodes 1 and 2, of which 1 is a neighbour. All read it.
fn reader() -> TopicMachine {
    let mut room = room(0, TopicConfig { relay_all: true, ..TopicConfig::default() });
    for peer in [1, 2] {
        turn(&mut room, at(0), Input::Linked { peer: id(peer) });
        turn(&mut room, at(0), Input::Reads { node: id(peer), topics: topics(&["chat"]) });
    }
    turn(&mut room, at(0), neighbour(1, true));
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    room
}

fn neighbour(peer: usize, joined: bool) -> Input {
    Input::Neighbour { peer: id(peer), joined }
}

/// Message `number` of node 2, brought by node 1.
fn hear(room: &mut TopicMachine, millis: u64, number: u64) -> Vec<Output> {
    let frame = frame(2, "chat", number);
    turn(room, at(millis), Input::Heard { from: id(1), author: id(2), sequence: number, frame })
}

/// Whom it asks for messages, or tells of them, until a moment.
fn spoken_to(room: &mut TopicMachine, from: u64, until: u64) -> Vec<NodeId> {
    let spoken = |output: Output| match output {
        Output::Ask { to, message: Message::Want { .. } | Message::Earlier { .. }, .. }
        | Output::Tell { to, message: Message::Ends(_), .. } => Some(to),
        _ => None,
    };
    let ticks = (from..until).step_by(10);
    ticks.flat_map(|millis| turn(room, at(millis), Input::Tick)).filter_map(spoken).collect()
}

#[test]
fn what_is_missing_is_asked_for_along_the_edges_alone() {
    let mut room = reader();
    hear(&mut room, 100, 1);
    hear(&mut room, 100, 3);
    // Nobody answers; the author itself is linked, and no neighbour.
    let asked = spoken_to(&mut room, 100, 4_000);
    assert!(asked.len() > 1 && asked.iter().all(|peer| *peer == id(1)), "{asked:?}");
    turn(&mut room, at(4_000), neighbour(2, true));
    assert!(spoken_to(&mut room, 4_000, 8_000).contains(&id(2)), "it is one now");
}

#[test]
fn ends_are_told_along_the_edges_alone_and_to_whom_a_new_edge_leads() {
    let mut room = reader();
    turn(&mut room, at(0), Input::Linked { peer: id(3) });
    turn(&mut room, at(0), Input::Reads { node: id(3), topics: topics(&["chat"]) });
    hear(&mut room, 100, 1);
    assert_eq!(spoken_to(&mut room, 100, 2_000), [id(1)]);
    let greeted = turn(&mut room, at(2_000), neighbour(3, true));
    let is_end = |output: &Output| matches!(output, Output::Tell { to, .. } if *to == id(3));
    assert!(greeted.iter().any(is_end), "{greeted:?}");
    hear(&mut room, 2_100, 2);
    turn(&mut room, at(2_100), neighbour(3, false));
    assert_eq!(spoken_to(&mut room, 2_100, 4_000), [id(1)], "the edge is gone, the link is not");
}

#[test]
fn the_past_is_asked_for_along_the_edges_alone() {
    let mut room = reader();
    let asked = |out: Vec<Output>| {
        let ask = |output| match output {
            Output::Ask { to, message: Message::Earlier { .. }, .. } => Some(to),
            _ => None,
        };
        out.into_iter().filter_map(ask).collect::<Vec<_>>()
    };
    let subscribed = turn(&mut room, at(100), Input::Command(late(2, "chat", Some(5), None)));
    assert_eq!(asked(subscribed), [id(1)]);
    assert_eq!(asked(turn(&mut room, at(100), neighbour(2, true))), [id(2)]);
}

#[test]
fn only_neighbours_that_read_are_waited_for() {
    let mut room = reader();
    let joined =
        |peer: usize| (0..32).map(move |n| Input::Joined { peer: id(peer), bucket: Bucket(n) });
    joined(1).for_each(|input| drop(turn(&mut room, at(1), input)));
    let out = turn(&mut room, at(1), Input::Command(publish(1, "chat", "x")));
    assert_eq!(broadcasts(&out).len(), 1, "2 has not joined, and does not hear this one anyway");
}

#[test]
fn an_edge_ends_with_its_link_and_the_next_link_is_none_by_itself() {
    let mut room = reader();
    turn(&mut room, at(0), Input::Reads { node: id(3), topics: topics(&["chat"]) });
    turn(&mut room, at(1), neighbour(3, true));
    turn(&mut room, at(1), Input::Linked { peer: id(3) });
    turn(&mut room, at(1), neighbour(3, true));
    turn(&mut room, at(1), Input::Unlinked { peer: id(3) });
    turn(&mut room, at(2), Input::Linked { peer: id(3) });
    hear(&mut room, 100, 1);
    assert_eq!(spoken_to(&mut room, 100, 2_000), [id(1)]);
}
