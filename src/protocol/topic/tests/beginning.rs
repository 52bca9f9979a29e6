//! Where a feed begins for who got it from the middle on.

use std::time::Duration;

use bytes::Bytes;

use super::order::{asked, batches, delivered, hear, reader, tick, tokens};
use super::world::{START, World, at, id, key, publish, turn};
use crate::base::batch::{Batch, Head};
use crate::base::id::Life;
use crate::base::signer::Signer;
use crate::base::time::WallTime;
use crate::protocol::topic::{Input, Message, Notice, Output, TopicConfig, TopicMachine};

const SECOND: Duration = Duration::from_secs(1);

/// Everybody who is asked has nothing.
fn answer_all(room: &mut TopicMachine, millis: u64, out: &[Output]) -> Vec<Output> {
    let none = |token| Input::Answer { token, message: batches([]) };
    let answers = tokens(out).into_iter().map(none).collect::<Vec<_>>();
    answers.into_iter().flat_map(|answer| turn(room, at(1_000 + millis), answer)).collect()
}

/// A message with this time of sending.
fn hear_sent(room: &mut TopicMachine, millis: u64, number: u64, sent: WallTime) -> Vec<Output> {
    let mut signer = Signer::new(key(9));
    let head = Head::new(signer.me(), Life(1), "chat", number);
    let batch = Batch::seal(head, &[(sent, Bytes::from_static(b"late"))], &mut signer);
    turn(room, at(1_000 + millis), Input::Grown { from: id(1), batch: batch.into() })
}

#[test]
fn who_got_the_first_message_late_is_told_of_every_gap_behind_it() {
    let mut room = reader(TopicConfig { repair_for: 2 * SECOND, ..TopicConfig::default() });
    // Whether anything is before it is not known yet.
    hear(&mut room, 0, 1, 4);
    assert_eq!(delivered(&hear(&mut room, 1, 1, 1)), [(1, 0)]);
    let mut told = Vec::new();
    for millis in (2..2_400).step_by(20) {
        let out = tick(&mut room, millis);
        for output in &out {
            if let Output::Ask { token, message, .. } = output {
                let all = matches!(message, Message::Want { from: 2, to: 4, within: None, .. });
                assert!(all || millis < 20, "{message:?}");
                let none = Input::Answer { token: *token, message: batches([]) };
                told.extend(turn(&mut room, at(1_000 + millis), none));
            }
        }
        told.extend(out);
    }
    assert_eq!(delivered(&told), [(4, 2)]);
    assert_eq!(room.stats().lost, 2);
}

#[test]
fn the_beginning_of_a_feed_is_not_left_out_because_the_first_asked_lacks_it_too() {
    let mut room = reader(TopicConfig { repair_for: 2 * SECOND, ..TopicConfig::default() });
    let mut told = hear(&mut room, 5_000, 1, 3);
    for millis in (5_000..7_400).step_by(20) {
        let out = tick(&mut room, millis);
        for output in told.iter().chain(&out) {
            if let Output::Ask { token, .. } = output {
                let none = Input::Answer { token: *token, message: batches([]) };
                turn(&mut room, at(1_000 + millis), none);
            }
        }
        told = out;
        if millis == 5_100 {
            // It was late, as what follows on it was.
            told.extend(hear(&mut room, millis, 2, 1));
            told.extend(hear(&mut room, millis, 2, 2));
            assert_eq!(delivered(&told), [(1, 0), (2, 0), (3, 0)]);
            return;
        }
    }
}

#[test]
fn a_new_reader_begins_where_it_began_to_read() {
    let mut room = reader(TopicConfig::default());
    let out = hear(&mut room, 0, 1, 7);
    assert!(delivered(&out).is_empty());
    let out = tick(&mut room, 0);
    let within = out.iter().find_map(|output| match output {
        Output::Ask { message: Message::Want { within, .. }, .. } => *within,
        _ => None,
    });
    assert_eq!(within, Some(SECOND), "what came since it reads");
    assert_eq!(asked(&out), [(1, 1, 7), (2, 1, 7)]);
    // The first that is asked has some of it, and the other nothing, however often it is asked.
    let tokens = tokens(&out);
    let answer = Input::Answer { token: tokens[0], message: batches([6]) };
    assert!(delivered(&turn(&mut room, at(1_001), answer)).is_empty());
    let mut told =
        turn(&mut room, at(1_001), Input::Answer { token: tokens[1], message: batches([]) });
    for millis in (10..400).step_by(10) {
        let out = tick(&mut room, millis);
        told.extend(answer_all(&mut room, millis, &out));
        told.extend(out);
    }
    assert_eq!(delivered(&told), [(6, 0), (7, 0)]);
    assert_eq!(asked(&told).len(), 4, "two more rounds");
    assert_eq!(room.stats().lost, 0);
}

/// A room that reads `chat` since a second, linked also with the author of what it hears.
fn neighbour_of_the_author() -> TopicMachine {
    let mut room = reader(TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(9) });
    room
}

#[test]
fn the_author_says_where_its_feed_begins() {
    let mut room = neighbour_of_the_author();
    assert!(delivered(&hear(&mut room, 0, 1, 7)).is_empty());
    let out = tick(&mut room, 0);
    assert_eq!(asked(&out), [(9, 1, 7), (1, 1, 7), (2, 1, 7)]);
    // The others do not decide, even when all of them lack it.
    for token in &tokens(&out)[1..] {
        let none = Input::Answer { token: *token, message: batches([]) };
        assert!(delivered(&turn(&mut room, at(1_001), none)).is_empty());
    }
    assert!(asked(&tick(&mut room, 300)).is_empty());
    let answer = Input::Answer { token: tokens(&out)[0], message: batches([5, 6]) };
    assert_eq!(delivered(&turn(&mut room, at(1_310), answer)), [(5, 0), (6, 0), (7, 0)]);
}

#[test]
fn a_question_that_is_refused_says_nothing_of_the_beginning() {
    let mut room = neighbour_of_the_author();
    turn(&mut room, at(0), Input::Linked { peer: id(3) });
    hear(&mut room, 0, 1, 3);
    let out = tick(&mut room, 0);
    assert_eq!(asked(&out), [(9, 1, 3), (1, 1, 3), (2, 1, 3)]);
    turn(&mut room, at(1_001), Input::NoAnswer { token: tokens(&out)[0] });
    let further = tick(&mut room, 2);
    assert_eq!(asked(&further), [(3, 1, 3)], "another one in its place");
    let answer = Input::Answer { token: tokens(&further)[0], message: batches([1]) };
    assert_eq!(delivered(&turn(&mut room, at(1_003), answer)), [(1, 0)]);
    // What is missing now is a gap like any other.
    assert_eq!(asked(&tick(&mut room, 70)).len(), 1);
}

#[test]
fn a_feed_begins_after_a_second_when_nobody_answers_and_what_comes_then_is_told_as_a_gap() {
    let mut room = neighbour_of_the_author();
    hear(&mut room, 0, 1, 5);
    let mut told = Vec::new();
    for millis in (0..1_000).step_by(20) {
        told.extend(tick(&mut room, millis));
    }
    assert!(delivered(&told).is_empty());
    assert_eq!(delivered(&tick(&mut room, 1_000)), [(5, 0)]);
    let gaps = |out: &[Output]| -> Vec<(u64, u64)> {
        let gap = |output: &Output| match output {
            Output::Notice(Notice::Gap { from, to, .. }) => Some((*from, *to)),
            _ => None,
        };
        out.iter().filter_map(gap).collect()
    };
    // It was sent before this node began to read.
    let old = WallTime(START.0 - 1);
    assert!(gaps(&hear_sent(&mut room, 1_100, 4, old)).is_empty());
    let new = WallTime(START.0 + 1);
    assert_eq!(gaps(&hear_sent(&mut room, 1_100, 3, new)), [(3, 5)]);
    assert!(gaps(&hear_sent(&mut room, 1_100, 4, new)).is_empty(), "each once");
    assert_eq!(gaps(&hear_sent(&mut room, 1_100, 1, new)), [(1, 3)]);
    assert_eq!(room.stats().lost, 4);
    assert_eq!(delivered(&hear(&mut room, 1_200, 1, 6)), [(6, 0)]);
}

/// Feeds of three messages, on a ring whose links lose a fifth: often the first ones are lost.
#[test]
fn the_beginnings_of_feeds_arrive_where_links_lose_a_fifth() {
    const FEEDS: usize = 400;
    let mut world = World::ring(6).all_read("chat/>");
    world.loss = 20;
    for feed in 0..FEEDS {
        for number in 0..3 {
            let topic = format!("chat/{feed}");
            world.command(0, publish(1, &topic, &format!("{feed} {number}")));
            world.run(Duration::from_millis(5));
        }
    }
    world.run(20 * SECOND);
    for node in 1..6 {
        let delivered = world.delivered(node);
        assert_eq!(delivered.len(), 3 * FEEDS, "node {node}");
        for feed in 0..FEEDS {
            let of = delivered.iter().filter_map(|text| text.strip_prefix(&format!("{feed} ")));
            assert_eq!(of.collect::<Vec<_>>(), ["0", "1", "2"], "feed {feed} at node {node}");
        }
    }
}
