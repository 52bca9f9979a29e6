use bytes::Bytes;

use super::incoming::frame;
use super::world::{at, id, publish, room, subscribe, topics, turn};
use crate::base::time::Time;
use crate::protocol::topic::{Input, Output, TopicConfig, TopicMachine};

fn with_door() -> TopicMachine {
    with_door_at(0)
}

fn with_door_at(number: usize) -> TopicMachine {
    let mut room = room(
        number,
        TopicConfig { door: vec!["chat".into()], max_waiting: 1_024, ..TopicConfig::default() },
    );
    let out = turn(&mut room, Time::ZERO, Input::Tick);
    assert!(matches!(&out[..], [Output::Join(_), Output::Reads(all)] if *all == topics(&["chat"])));
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    room
}

fn knock(topic: &str, origin: &'static [u8]) -> Input {
    let (author, payload) = ("12D3Foreign".into(), Bytes::from_static(b"x"));
    Input::Door { topic: topic.into(), author, origin: Bytes::from_static(origin), payload }
}

fn is_broadcast(output: &Output) -> bool {
    matches!(output, Output::Broadcast { .. })
}

fn is_door(output: &Output) -> bool {
    matches!(output, Output::Door { .. })
}

#[test]
fn what_is_published_on_a_topic_at_the_door_goes_out_there_at_once() {
    let mut room = with_door();
    let out = turn(&mut room, at(1), Input::Command(publish(1, "chat", "x")));
    assert!(out.iter().any(is_door));
    assert_eq!(room.stats().waiting, 1, "and waits for members only");
    let out = turn(&mut room, at(1), Input::Command(publish(1, "other", "x")));
    assert!(!out.iter().any(is_door));
}

#[test]
fn a_foreign_message_is_delivered_broadcast_once_and_not_told_to_foreigners_again() {
    let mut room = with_door();
    turn(&mut room, at(1), Input::Reads { node: id(2), topics: topics(&["chat"]) });
    let out = turn(&mut room, at(2), knock("chat", b"one"));
    let [Output::Join(_) | Output::Broadcast { .. }, ..] = &out[..] else { panic!("{out:?}") };
    let delivered = out.iter().find_map(|output| match output {
        Output::Deliver { messages, .. } => messages.first(),
        _ => None,
    });
    let message = delivered.expect("delivered here");
    assert_eq!(message.foreign_author.as_deref(), Some("12D3Foreign"));
    assert_eq!(message.id.author, id(0));
    assert_eq!(out.iter().filter(|o| is_broadcast(o)).count(), 1);
    assert!(!out.iter().any(is_door));
    assert!(turn(&mut room, at(3), knock("chat", b"one")).is_empty(), "known by its origin");
    assert!(turn(&mut room, at(3), knock("other", b"two")).is_empty(), "not carried");
    assert_eq!((room.stats().duplicates, room.stats().malformed), (1, 1));
}

#[test]
fn foreign_messages_do_not_wait_for_members() {
    let mut room = with_door();
    let out = turn(&mut room, at(2), knock("chat", b"one"));
    assert!(out.iter().any(|o| matches!(o, Output::Deliver { .. })));
    assert!(!out.iter().any(is_broadcast));
    assert_eq!(room.stats().waiting, 0);
}

#[test]
fn two_doors_into_one_mesh_give_one_message() {
    let (mut a, mut b) = (with_door(), with_door_at(1));
    turn(&mut a, at(1), Input::Reads { node: id(2), topics: topics(&["chat"]) });
    let out = turn(&mut a, at(2), knock("chat", b"one"));
    let frame = out.iter().find_map(|output| match output {
        Output::Broadcast { frame, .. } => Some(frame.clone()),
        _ => None,
    });
    turn(&mut b, at(2), knock("chat", b"one"));
    let frame = frame.expect("a broadcast");
    let heard = Input::Heard { from: id(3), author: id(0), sequence: 1, frame };
    assert!(turn(&mut b, at(3), heard.clone()).is_empty());
    let mut third = with_door_at(2);
    let out = turn(&mut third, at(3), heard);
    assert!(matches!(&out[..], [Output::Deliver { .. }]), "and no door: it came from there");
}

#[test]
fn a_members_message_goes_out_at_the_door_once() {
    let mut room = with_door();
    let heard = |sequence| {
        let frame = frame(5, "chat", 1);
        Input::Heard { from: id(3), author: id(5), sequence, frame }
    };
    assert_eq!(turn(&mut room, at(1), heard(1)).iter().filter(|o| is_door(o)).count(), 1);
    assert!(turn(&mut room, at(1), heard(2)).is_empty());
}

#[test]
fn what_goes_out_at_the_door_leaves_half_of_the_outbox_to_other_topics() {
    let mut room = with_door();
    for _ in 0..2_000 {
        let out = turn(&mut room, at(1), Input::Command(publish(1, "chat", "x")));
        assert!(matches!(&out[0], Output::Published { result: Ok(_), .. }));
    }
    assert_eq!(room.stats().waiting, 512);
}

#[test]
fn what_another_members_door_says_outside_is_not_taken_in() {
    let mut room = with_door();
    let knock = |author: String, origin| {
        let (topic, payload) = ("chat".into(), Bytes::from_static(b"x"));
        Input::Door { topic, author, origin: Bytes::from_static(origin), payload }
    };
    turn(&mut room, at(1), Input::Reads { node: id(2), topics: topics(&["chat"]) });
    turn(&mut room, at(1), Input::Reads { node: id(3), topics: topics(&["other"]) });
    assert!(turn(&mut room, at(2), knock(id(2).to_string(), b"one")).is_empty());
    assert!(turn(&mut room, at(2), knock(id(0).to_string(), b"two")).is_empty());
    assert_eq!(room.stats().duplicates, 2);
    let out = turn(&mut room, at(2), knock(id(3).to_string(), b"three"));
    assert!(out.iter().any(is_broadcast), "whoever has no door for it speaks for itself");
}
