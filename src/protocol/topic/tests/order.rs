//! Order, repair and gaps.

use std::time::Duration;

use super::incoming::frame;
use super::world::{World, at, id, publish, room, subscribe, topics, turn};
use crate::protocol::topic::{Input, Message, Notice, Output, TopicConfig, TopicMachine};

const SECOND: Duration = Duration::from_secs(1);

/// A room that reads `chat` since a second, linked with nodes 1 and 2.
pub(super) fn reader(config: TopicConfig) -> TopicMachine {
    let mut room = room(0, config);
    for peer in [1, 2] {
        turn(&mut room, at(0), Input::Linked { peer: id(peer) });
        turn(&mut room, at(0), Input::Reads { node: id(peer), topics: topics(&["chat"]) });
    }
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    room
}

pub(super) fn hear(room: &mut TopicMachine, millis: u64, from: usize, number: u64) -> Vec<Output> {
    let frame = frame(9, "chat", number);
    let heard = Input::Heard { from: id(from), author: id(9), sequence: number, frame };
    turn(room, at(1_000 + millis), heard)
}

pub(super) fn tick(room: &mut TopicMachine, millis: u64) -> Vec<Output> {
    turn(room, at(1_000 + millis), Input::Tick)
}

/// The numbers handed to the subscription, each with how many were missed before it.
pub(super) fn delivered(out: &[Output]) -> Vec<(u64, u64)> {
    let messages = out.iter().filter_map(|output| match output {
        Output::Deliver { messages, .. } => Some(messages),
        _ => None,
    });
    messages.flatten().map(|message| (message.id.number, message.missed)).collect()
}

/// Who is asked for what.
pub(super) fn asked(out: &[Output]) -> Vec<(usize, u64, u64)> {
    let number = |node| (0..10).find(|number| id(*number) == node).unwrap();
    let ask = |output: &Output| match output {
        Output::Ask { to, message: Message::Want { from, to: end, .. }, .. } => {
            Some((number(*to), *from, *end))
        }
        _ => None,
    };
    out.iter().filter_map(ask).collect()
}

pub(super) fn token(out: &[Output]) -> crate::base::token::Token {
    let token = |output: &Output| match output {
        Output::Ask { token, .. } => Some(*token),
        _ => None,
    };
    out.iter().find_map(token).expect("somebody is asked")
}

pub(super) fn tokens(out: &[Output]) -> Vec<crate::base::token::Token> {
    let token = |output: &Output| match output {
        Output::Ask { token, .. } => Some(*token),
        _ => None,
    };
    out.iter().filter_map(token).collect()
}

pub(super) fn batches(numbers: impl IntoIterator<Item = u64>) -> Message {
    let wire = |number| serde_bytes::ByteBuf::from(frame(9, "chat", number).to_vec());
    Message::Batches(numbers.into_iter().map(wire).collect())
}

#[test]
fn what_comes_too_early_waits_for_what_is_before_it() {
    let mut room = reader(TopicConfig::default());
    assert_eq!(delivered(&hear(&mut room, 0, 1, 1)), [(1, 0)]);
    assert!(delivered(&hear(&mut room, 1, 1, 3)).is_empty());
    assert!(delivered(&hear(&mut room, 2, 2, 4)).is_empty());
    assert_eq!(delivered(&hear(&mut room, 3, 2, 2)), [(2, 0), (3, 0), (4, 0)]);
    assert_eq!(room.stats().lacking, 0);
    assert!(asked(&tick(&mut room, 500)).is_empty());
}

#[test]
fn what_is_missing_is_asked_for_from_who_brought_the_next_and_then_from_others() {
    let mut room = reader(TopicConfig::default());
    hear(&mut room, 0, 1, 1);
    hear(&mut room, 1, 2, 4);
    assert!(asked(&tick(&mut room, 30)).is_empty(), "it may be on its way");
    let out = tick(&mut room, 61);
    assert_eq!(asked(&out), [(2, 2, 4)]);
    let none = Input::Answer { token: token(&out), message: batches([]) };
    assert!(delivered(&turn(&mut room, at(1_070), none)).is_empty());
    let out = tick(&mut room, 70);
    assert_eq!(asked(&out), [(1, 2, 4)]);
    let some = Input::Answer { token: token(&out), message: batches([2]) };
    assert_eq!(delivered(&turn(&mut room, at(1_080), some)), [(2, 0)]);
    let out = tick(&mut room, 80);
    assert_eq!(asked(&out), [(1, 3, 4)], "who helped is asked again");
    let rest = Input::Answer { token: token(&out), message: batches([3]) };
    assert_eq!(delivered(&turn(&mut room, at(1_090), rest)), [(3, 0), (4, 0)]);
    let stats = room.stats();
    assert_eq!((stats.repairs_asked, stats.repaired, stats.lacking), (3, 2, 0));
}

#[test]
fn what_nobody_has_is_told_as_a_gap_and_the_rest_goes_on() {
    let config = TopicConfig { repair_for: 2 * SECOND, ..TopicConfig::default() };
    let mut room = reader(config);
    hear(&mut room, 0, 1, 1);
    hear(&mut room, 0, 1, 4);
    let mut told = Vec::new();
    for millis in (0..2_200).step_by(20) {
        let out = tick(&mut room, millis);
        for output in &out {
            if let Output::Ask { token, .. } = output {
                turn(&mut room, at(1_000 + millis), Input::NoAnswer { token: *token });
            }
        }
        told.extend(out);
    }
    assert_eq!(delivered(&told), [(4, 2)]);
    let gap = Output::Notice(Notice::Gap { author: id(9), topic: "chat".into(), from: 2, to: 4 });
    assert!(told.iter().any(|output| format!("{output:?}") == format!("{gap:?}")));
    assert!((2..20).contains(&asked(&told).len()), "all, and again after a while");
    assert_eq!(room.stats().lost, 2);
    assert_eq!(delivered(&hear(&mut room, 2_300, 1, 5)), [(5, 0)]);
    assert!(delivered(&hear(&mut room, 2_300, 1, 2)).is_empty(), "too late is too late");
}

#[test]
fn many_gaps_that_nobody_can_fill_take_no_longer_than_one() {
    let mut room = reader(TopicConfig { repair_for: 2 * SECOND, ..TopicConfig::default() });
    for number in [1, 4, 8, 12, 16, 20] {
        hear(&mut room, number, 1, number);
    }
    let mut told = Vec::new();
    for millis in (0..2_400).step_by(20) {
        let out = tick(&mut room, millis);
        for output in &out {
            if let Output::Ask { token, .. } = output {
                turn(&mut room, at(1_000 + millis), Input::NoAnswer { token: *token });
            }
        }
        told.extend(out);
    }
    assert_eq!(delivered(&told), [(4, 2), (8, 3), (12, 3), (16, 3), (20, 3)]);
    for gap in [(2, 4), (5, 8), (9, 12), (13, 16), (17, 20)] {
        let asked = asked(&told).into_iter().filter(|(_, from, to)| (*from, *to) == gap);
        assert!(asked.count() >= 2, "everybody is asked for {gap:?}");
    }
}

#[test]
fn a_gap_behind_one_that_was_given_up_still_has_its_chance() {
    let mut room = reader(TopicConfig { repair_for: 2 * SECOND, ..TopicConfig::default() });
    for number in [1, 3, 5] {
        hear(&mut room, 0, 1, number);
    }
    for millis in (0..2_000).step_by(20) {
        let out = tick(&mut room, millis);
        assert!(delivered(&out).is_empty(), "at {millis}");
    }
    let out = tick(&mut room, 2_001);
    assert_eq!(delivered(&out), [(3, 1)]);
    let mut questions = asked(&out).len();
    for millis in (2_020..4_000).step_by(20) {
        for output in tick(&mut room, millis) {
            // The first that is asked does not answer, the second has it.
            if let Output::Ask { token, message: Message::Want { from: 4, to: 5, .. }, .. } = output
            {
                questions += 1;
                if questions == 2 {
                    let some = Input::Answer { token, message: batches([4]) };
                    let out = turn(&mut room, at(1_000 + millis), some);
                    assert_eq!(delivered(&out), [(4, 0), (5, 0)]);
                    return;
                }
            }
        }
    }
    panic!("nobody was asked a second time");
}

#[test]
fn who_is_told_that_there_is_more_asks_for_it() {
    let mut room = reader(TopicConfig::default());
    hear(&mut room, 0, 1, 1);
    let feed = super::super::wire::Feed {
        author: id(9),
        life: crate::base::id::Life(1),
        topic: "chat".into(),
    };
    let ends = Message::Ends(vec![(feed, 3)]);
    turn(&mut room, at(1_010), Input::Told { from: id(2), message: ends });
    assert_eq!(asked(&tick(&mut room, 71)), [(2, 2, 3)]);
}

#[test]
fn an_end_that_is_a_lie_costs_some_questions_and_no_message() {
    let mut room = reader(TopicConfig { repair_for: SECOND, ..TopicConfig::default() });
    hear(&mut room, 0, 1, 1);
    let feed = |author: usize| super::super::wire::Feed {
        author: id(author),
        life: crate::base::id::Life(1),
        topic: "chat".into(),
    };
    let ends = Message::Ends(vec![(feed(9), u64::MAX), (feed(8), u64::MAX)]);
    turn(&mut room, at(1_010), Input::Told { from: id(2), message: ends });
    let mut told = Vec::new();
    for millis in (20..3_000).step_by(20) {
        let out = tick(&mut room, millis);
        for output in &out {
            if let Output::Ask { token, .. } = output {
                let answer = Input::Answer { token: *token, message: batches([]) };
                told.extend(turn(&mut room, at(1_000 + millis), answer));
            }
        }
        told.extend(out);
    }
    assert!(asked(&told).len() < 20);
    assert!(!told.iter().any(|output| matches!(output, Output::Notice(_))), "{told:?}");
    assert_eq!(delivered(&hear(&mut room, 3_100, 1, 2)), [(2, 0)]);
    assert_eq!((room.stats().lost, room.stats().lacking), (0, 0));
}

#[test]
fn the_end_of_a_feed_is_told_when_it_falls_silent() {
    let mut room = reader(TopicConfig::default());
    hear(&mut room, 0, 1, 1);
    hear(&mut room, 200, 1, 2);
    let told = |out: &[Output]| -> Vec<u64> {
        let ends = out.iter().filter_map(|output| match output {
            Output::Tell { message: Message::Ends(ends), .. } => Some(ends),
            _ => None,
        });
        ends.flatten().map(|(_, end)| *end).collect()
    };
    assert!(told(&tick(&mut room, 300)).is_empty());
    assert_eq!(told(&tick(&mut room, 501)), [3, 3], "to both neighbours, once");
    assert!(told(&tick(&mut room, 2_000)).is_empty());
    let out = turn(&mut room, at(3_100), Input::Linked { peer: id(3) });
    assert!(told(&out).is_empty(), "it does not read the topic");
    turn(&mut room, at(3_100), Input::Reads { node: id(4), topics: topics(&["chat"]) });
    assert_eq!(told(&turn(&mut room, at(3_100), Input::Linked { peer: id(4) })), [3]);
}

#[test]
fn what_waits_is_bounded_and_the_gap_is_given_up_above_it() {
    let config = TopicConfig { max_early_bytes: 2_000, ..TopicConfig::default() };
    let mut room = reader(config);
    hear(&mut room, 0, 1, 1);
    let mut told = Vec::new();
    for number in 3..30 {
        told.extend(hear(&mut room, 1, 1, number));
        assert!(room.stats().early_bytes <= 2_200);
    }
    assert_eq!(delivered(&told).first(), Some(&(3, 1)));
    assert_eq!(delivered(&told).len(), 27);
}

#[test]
fn a_forged_repair_is_refused_and_another_is_asked() {
    let mut room = reader(TopicConfig::default());
    hear(&mut room, 0, 1, 1);
    hear(&mut room, 1, 2, 3);
    let out = tick(&mut room, 61);
    let mut forged = frame(9, "chat", 2).to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let message = Message::Batches(vec![serde_bytes::ByteBuf::from(forged)]);
    let answer = Input::Answer { token: token(&out), message };
    assert!(delivered(&turn(&mut room, at(1_070), answer)).is_empty());
    assert_eq!((room.stats().forged, asked(&tick(&mut room, 70))), (1, vec![(1, 2, 3)]));
}

/// A ring whose links lose a fifth of all that is broadcast, by either carrier; for a while one
/// node answers no questions.
#[test]
fn nothing_is_lost_doubled_or_out_of_order_where_links_lose_a_fifth() {
    const MESSAGES: usize = 100_000;
    let mut world = World::ring(6).all_read("chat").with_trees();
    world.loss = 20;
    for number in 0..MESSAGES {
        // Calm at first, then a burst, then calm again.
        let calm = !(100..MESSAGES - 100).contains(&number);
        world.command(0, publish(1, "chat", &number.to_string()));
        if calm || number % 200 == 0 {
            world.run(Duration::from_millis(20));
        }
        match number {
            40_000 => drop(world.silent.insert(2)),
            50_000 => drop(world.silent.remove(&2)),
            _ => {}
        }
    }
    world.run(20 * SECOND);
    for node in 1..6 {
        let delivered = world.delivered(node);
        assert_eq!(delivered.len(), MESSAGES, "node {node}");
        let in_order =
            delivered.iter().zip(0..).all(|(text, n): (_, usize)| *text == n.to_string());
        assert!(in_order, "node {node}");
    }
    let stats = world.rooms[0].stats();
    assert!(stats.by_tree > 90_000 && stats.batches < 10_000, "{stats:?}");
    assert!(world.rooms[3].stats().repaired > 1_000);
}

#[test]
fn what_waited_for_its_first_reader_and_is_lost_on_its_way_is_repaired() {
    for wait in [5, 60] {
        let mut world = World::new(2, &[(0, 1)], &TopicConfig::default());
        for text in ["one", "two"] {
            world.command(0, publish(1, "chat", text));
        }
        world.run(wait * SECOND);
        world.loss = 100;
        world.command(1, subscribe(1, "chat"));
        world.run(2 * SECOND);
        world.loss = 0;
        world.run(5 * SECOND);
        assert_eq!(world.delivered(1), ["one", "two"], "after {wait} s");
    }
}
