//! Answers that do not fit their question.

use super::world::{SECOND, address, id, settings};
use crate::base::id::Life;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::engine::frame::{Message, Room, Ticket};
use crate::engine::{Engine, Input, Output};
use crate::protocol::link::{Link, LinkId};
use crate::protocol::{discovery, membership, topic};

/// A node that is linked with node 2, and the question discovery asked it.
fn asking() -> (Engine, Vec<Ticket>) {
    let mut engine = Engine::new(settings(1, Life(1), &[2]));
    let link = Link { id: LinkId(1), dialled: Some(address(2)) };
    let outputs = turn(&mut engine, 0, Input::Opened { peer: id(2), life: Life(1), link });
    let tickets = outputs.iter().filter_map(|output| match output {
        Output::Ask { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let tickets = tickets.collect();
    (engine, tickets)
}

fn turn(engine: &mut Engine, millis: u64, input: Input) -> Vec<Output> {
    let mut out = Outbox::new();
    engine.handle(Time::from_micros(millis * 1_000), input, &mut out);
    out.drain().collect()
}

/// All it wants in the next minute.
fn minute(engine: &mut Engine) -> String {
    let mut wanted = String::new();
    let end = Time::ZERO + 60 * SECOND;
    while let Some(due) = engine.deadline().filter(|due| *due <= end) {
        let mut out = Outbox::new();
        engine.handle(due, Input::Tick, &mut out);
        out.drain().for_each(|output| wanted += &format!("{due:?} {output:?}\n"));
    }
    wanted
}

#[test]
fn an_answer_out_of_another_room_than_the_question_is_treated_as_none() {
    let foreign = [
        Message::Topic(topic::Message::Traced { ways: Vec::new() }),
        Message::Membership(membership::Message::Noted),
    ];
    for message in foreign {
        let (mut deceived, tickets) = asking();
        let (mut lonely, _) = asking();
        let ticket = *tickets.iter().find(|ticket| ticket.room == Room::Discovery).unwrap();
        let said = turn(&mut deceived, 5, Input::Answer { from: id(2), ticket, message });
        let unsaid = turn(&mut lonely, 5, Input::NoAnswer { ticket });
        assert_eq!(format!("{said:?}"), format!("{unsaid:?}"));
        assert_eq!(minute(&mut deceived), minute(&mut lonely));
    }
}

#[test]
fn a_good_bye_answered_out_of_another_room_still_lets_the_node_stop() {
    let (mut engine, _) = asking();
    let outputs = turn(&mut engine, 5, Input::Leave);
    let ticket = outputs.iter().find_map(|output| match output {
        Output::Ask { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let message = Message::Discovery(discovery::Message::Same);
    let answer = Input::Answer { from: id(2), ticket: ticket.unwrap(), message };
    let outputs = turn(&mut engine, 6, answer);
    assert!(outputs.iter().any(|output| matches!(output, Output::MayStop)), "{outputs:?}");
}

#[test]
fn answers_nobody_asked_for_change_nothing() {
    let (mut engine, _) = asking();
    for room in [Room::Membership, Room::Discovery, Room::Topic] {
        let ticket = Ticket { room, token: crate::base::token::Token(999) };
        let inputs = [
            Input::Answer {
                from: id(2),
                ticket,
                message: Message::Discovery(discovery::Message::Same),
            },
            Input::Answer {
                from: id(2),
                ticket,
                message: Message::Membership(membership::Message::Noted),
            },
            Input::Arrived { from: id(2), ticket },
            Input::NoAnswer { ticket },
        ];
        for input in inputs {
            let outputs = turn(&mut engine, 1, input);
            assert!(outputs.is_empty(), "{outputs:?}");
        }
    }
}
