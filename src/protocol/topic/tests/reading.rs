use std::time::Duration;

use super::incoming::frame;
use super::world::{World, at, id, publish, room, subscribe, turn};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::topic::{
    Command, Input, Kept, Output, Paths, Query, TopicConfig, TopicMachine, Which,
};

fn reading(config: TopicConfig) -> TopicMachine {
    let mut room = room(0, config);
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    turn(&mut room, at(0), Input::Command(subscribe(2, "other")));
    room
}

fn hear(room: &mut TopicMachine, now: Time, topic: &str, number: u64) {
    let frame = frame(9, topic, number);
    turn(room, now, Input::Heard { from: id(1), author: id(9), sequence: number, frame });
}

fn read(room: &mut TopicMachine, now: Time, query: Query) -> Vec<u64> {
    let command = Command::Read { token: Token(3), query };
    match turn(room, now, Input::Command(command)).remove(0) {
        Output::Kept { messages, .. } => {
            messages.iter().map(|Kept { message, .. }| message.id.number).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn which(which: Which) -> Query {
    Query { which, ..Query::default() }
}

#[test]
fn a_query_marks_exactly_what_it_returned() {
    let mut room = reading(TopicConfig::default());
    hear(&mut room, at(1), "chat", 1);
    hear(&mut room, at(1), "other", 1);
    hear(&mut room, at(1), "chat", 2);
    let chat = Query { topic: Some("chat".into()), ..Query::default() };
    assert_eq!(read(&mut room, at(2), Query { peek: true, ..chat.clone() }), [1, 2]);
    assert_eq!(read(&mut room, at(2), chat.clone()), [1, 2]);
    assert_eq!(read(&mut room, at(2), chat), [0; 0]);
    assert_eq!(read(&mut room, at(2), which(Which::Read)), [1, 2]);
    assert_eq!(read(&mut room, at(2), which(Which::All)), [1, 1, 2]);
    assert_eq!(read(&mut room, at(2), which(Which::Unread)), [0; 0], "`All` marks too");
    hear(&mut room, at(3), "chat", 3);
    assert_eq!(read(&mut room, at(3), which(Which::Unread)), [3]);
}

#[test]
fn a_query_names_one_message_or_the_newest() {
    let mut room = reading(TopicConfig::default());
    for number in 1..=4 {
        hear(&mut room, at(1), "chat", number);
    }
    hear(&mut room, at(1), "other", 1);
    let peek = || Query { peek: true, ..Query::default() };
    assert_eq!(read(&mut room, at(2), Query { last: Some(2), ..peek() }), [4, 1]);
    assert_eq!(read(&mut room, at(2), Query { last: Some(9), ..peek() }).len(), 5);
    assert_eq!(read(&mut room, at(2), Query { last: Some(0), ..peek() }), [0; 0]);
    let third = Query { author: Some(id(9)), number: Some(3), ..peek() };
    assert_eq!(read(&mut room, at(2), third), [3]);
    assert_eq!(read(&mut room, at(2), Query { author: Some(id(8)), ..peek() }), [0; 0]);

    let command = Command::Read { token: Token(3), query: peek() };
    let Output::Kept { messages, .. } = turn(&mut room, at(2), Input::Command(command)).remove(0)
    else {
        panic!("the answer comes at once")
    };
    let trace = messages[1].message.id.trace().to_string();
    let of = |trace: &str| Query { trace: Some(trace.to_owned()), ..peek() };
    assert_eq!(read(&mut room, at(2), of(&trace)), [2]);
    assert_eq!(read(&mut room, at(2), of(&trace[..12])), [2]);
    assert_eq!(read(&mut room, at(2), of("no digit")), [0; 0]);
    // What was not returned is not marked.
    assert_eq!(read(&mut room, at(2), Query { last: Some(1), ..Query::default() }), [1]);
    assert_eq!(read(&mut room, at(2), which(Which::Unread)), [1, 2, 3, 4]);
}

#[test]
fn the_oldest_leaves_first_by_count_bytes_and_age() {
    let keep_for = Duration::from_secs(1);
    let base = TopicConfig { keep_for, ..TopicConfig::default() };
    for config in [
        TopicConfig { max_kept: 2, ..base.clone() },
        TopicConfig { max_kept_bytes: 2, ..base.clone() },
    ] {
        let mut room = reading(config);
        for number in 1..=5 {
            hear(&mut room, at(number), "chat", number);
        }
        assert_eq!((room.stats().kept, room.stats().kept_bytes), (2, 2));
        assert_eq!(read(&mut room, at(6), which(Which::All)), [4, 5]);
        assert_eq!(read(&mut room, at(1_004), which(Which::All)), [5]);
        turn(&mut room, at(1_005), Input::Tick);
        assert_eq!((room.stats().kept, room.stats().kept_bytes), (0, 0));
    }
    let mut room = reading(TopicConfig { max_kept_bytes: 0, ..base });
    hear(&mut room, at(1), "chat", 1);
    assert_eq!(room.stats().kept, 0, "larger than the whole shelf");
}

#[test]
fn what_arrives_while_ways_are_found_out_is_not_marked() {
    let mut world = World::ring(5).all_read("chat");
    world.command(0, publish(1, "chat", "before"));
    world.run(Duration::from_millis(20));
    let query = Query { paths: Paths::All, ..Query::default() };
    world.command(2, Command::Read { token: Token(1), query: query.clone() });
    assert!(world.kept(2).is_none(), "neighbours are asked");
    world.command(1, publish(1, "chat", "meanwhile"));
    world.run(Duration::from_secs(3));
    let texts = |kept: &[Kept]| -> Vec<_> {
        kept.iter().map(|k| (k.message.payload.clone(), k.was_read)).collect()
    };
    assert_eq!(texts(&world.kept(2).expect("answered")), [("before".into(), false)]);
    assert_eq!(texts(&world.read(2, query)), [("meanwhile".into(), false)]);
}
