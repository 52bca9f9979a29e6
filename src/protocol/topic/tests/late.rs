//! Who joins late gets what was said before.

use std::time::Duration;

use bytes::Bytes;
use serde_bytes::ByteBuf;

use super::world::{START, World, at, id, key, publish, room, subscribe, topics, turn};
use crate::base::batch::{Batch, Head, Piece};
use crate::base::id::Life;
use crate::base::signer::Signer;
use crate::base::token::Token;
use crate::protocol::topic::wire::{Aged, Feed};
use crate::protocol::topic::{
    Command, Earlier, Input, Message, Output, TopicConfig, TopicError, TopicMachine,
};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn late(
    subscription: u64,
    topic: &str,
    last: Option<u64>,
    since: Option<Duration>,
) -> Command {
    let Command::Subscribe { subscription, topic, own, group, .. } = subscribe(subscription, topic)
    else {
        unreachable!("it subscribes");
    };
    Command::Subscribe { subscription, topic, own, group, earlier: Earlier { last, since } }
}

fn last(count: u64) -> Command {
    late(9, "chat", Some(count), None)
}

/// Nodes that are all linked; the last one does not read the topic yet.
fn mesh(nodes: usize, config: &TopicConfig) -> World {
    let links: Vec<_> = (0..nodes).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
    let mut world = World::new(nodes, &links, config);
    for node in 0..nodes - 1 {
        world.command(node, subscribe(1, "chat"));
    }
    world.run(2 * SECOND);
    world
}

fn say(world: &mut World, author: usize, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        world.command(author, publish(number.into(), "chat", &number.to_string()));
        world.run(Duration::from_millis(1));
    }
}

fn texts(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

/// What a subscription got: from before it, and live.
fn split(world: &World, node: usize, subscription: u64) -> [Vec<String>; 2] {
    let mut texts = [Vec::new(), Vec::new()];
    for (_, output) in &world.said[node] {
        if let Output::Deliver { subscription: to, messages } = output
            && *to == Token(subscription)
        {
            for message in messages {
                let text = String::from_utf8(message.payload.to_vec()).unwrap();
                texts[usize::from(!message.earlier)].push(text);
            }
        }
    }
    texts
}

#[test]
fn a_late_one_gets_the_last_of_a_dead_author_and_goes_on_live() {
    for trees in [false, true] {
        let mut world = mesh(4, &TopicConfig::default());
        if trees {
            world = world.with_trees();
        }
        say(&mut world, 0, 1..=100);
        world.run(SECOND);
        world.kill(0);
        world.command(3, last(10));
        world.run(Duration::from_millis(50));
        assert_eq!(split(&world, 3, 9), [texts(91..=100), vec![]]);
        say(&mut world, 1, 101..=103);
        world.run(SECOND);
        assert_eq!(split(&world, 3, 9), [texts(91..=100), texts(101..=103)]);
    }
}

#[test]
fn since_is_measured_by_those_who_keep_it() {
    let mut world = mesh(3, &TopicConfig::default());
    say(&mut world, 0, 1..=20);
    world.run(60 * SECOND);
    say(&mut world, 0, 21..=40);
    world.run(60 * SECOND);
    world.kill(0);
    world.command(2, late(9, "chat", None, Some(90 * SECOND)));
    world.command(2, late(8, "chat", Some(5), Some(90 * SECOND)));
    world.command(2, late(7, "chat", Some(30), Some(90 * SECOND)));
    world.run(SECOND);
    assert_eq!(split(&world, 2, 9)[0], texts(21..=40));
    assert_eq!(split(&world, 2, 8)[0], texts(36..=40));
    assert_eq!(split(&world, 2, 7)[0], texts(21..=40));
}

#[test]
fn what_comes_meanwhile_follows_without_gap_or_duplicate() {
    for trees in [false, true] {
        for step in 0..20 {
            let mut world = mesh(4, &TopicConfig::default());
            if trees {
                world = world.with_trees();
            }
            world.silent.insert(1);
            say(&mut world, 0, 1..=200);
            for number in 201..=600_u32 {
                if number == 203 + step {
                    world.command(3, last(50));
                }
                world.command(0, publish(number.into(), "chat", &number.to_string()));
                world.run(Duration::from_micros(70 * u64::from(step)));
            }
            world.run(12 * SECOND);
            let [earlier, live] = split(&world, 3, 9);
            assert_eq!(earlier.len(), 50, "at {step}");
            let first: u32 = earlier[0].parse().unwrap();
            assert_eq!([earlier, live].concat(), texts(first..=600), "at {step}");
            assert_eq!(world.rooms[3].stats().lost, 0);
        }
    }
}

#[test]
fn authors_are_mixed_by_the_time_of_sending_each_in_its_order() {
    let mut world = mesh(4, &TopicConfig::default());
    for number in 1..=30 {
        say(&mut world, number as usize % 3, number..=number);
    }
    world.run(SECOND);
    world.command(3, last(12));
    world.run(SECOND);
    assert_eq!(split(&world, 3, 9)[0], texts(19..=30));
}

#[test]
fn what_one_of_the_asked_lacks_another_has() {
    let mut world = mesh(5, &TopicConfig::default());
    say(&mut world, 0, 1..=10);
    world.command(1, Command::Unsubscribe { subscription: Token(1) });
    world.run(SECOND);
    world.command(1, subscribe(1, "chat"));
    world.run(SECOND);
    say(&mut world, 0, 11..=15);
    world.run(SECOND);
    world.command(4, last(12));
    world.run(SECOND);
    assert_eq!(split(&world, 4, 9)[0], texts(4..=15));
}

#[test]
fn a_further_subscription_gets_what_is_here_and_disturbs_no_other() {
    let mut world = mesh(3, &TopicConfig::default());
    say(&mut world, 0, 1..=20);
    world.run(SECOND);
    world.kill(0);
    world.command(1, last(5));
    world.run(SECOND);
    assert_eq!(split(&world, 1, 9), [texts(16..=20), vec![]]);
    assert_eq!(split(&world, 1, 1), [vec![], texts(1..=20)]);
}

#[test]
fn own_messages_come_only_where_they_are_wanted() {
    let mut world = mesh(3, &TopicConfig::default());
    say(&mut world, 2, 1..=3);
    say(&mut world, 0, 4..=5);
    world.run(SECOND);
    world.command(2, last(3));
    let Command::Subscribe { topic, group, earlier, .. } = last(3) else { unreachable!() };
    let subscription = Token(8);
    world.command(2, Command::Subscribe { subscription, topic, own: true, group, earlier });
    say(&mut world, 2, 6..=6);
    world.run(SECOND);
    assert_eq!(split(&world, 2, 9), [texts(4..=5), vec![]]);
    assert_eq!(split(&world, 2, 8), [texts(3..=5), texts(6..=6)]);
}

#[test]
fn whoever_was_late_gives_it_on_with_its_age() {
    let mut world = mesh(4, &TopicConfig::default());
    say(&mut world, 0, 1..=10);
    world.run(100 * SECOND);
    // Node 3 has it from others, and then only node 3 has it.
    world.command(3, last(10));
    world.run(SECOND);
    for node in [0, 1] {
        world.kill(node);
    }
    world.command(2, Command::Unsubscribe { subscription: Token(1) });
    world.run(SECOND);
    world.command(2, last(4));
    world.command(2, late(8, "chat", None, Some(90 * SECOND)));
    world.run(SECOND);
    assert_eq!(split(&world, 2, 9)[0], texts(7..=10));
    assert!(split(&world, 2, 8)[0].is_empty());
}

#[test]
fn a_pattern_gets_the_last_of_all_its_topics_together() {
    let mut world = mesh(3, &TopicConfig::default());
    world.command(1, subscribe(2, "rooms/>"));
    world.run(SECOND);
    for number in 1..=20_u32 {
        let topic = ["rooms/a", "rooms/b", "chat"][number as usize % 3];
        world.command(0, publish(number.into(), topic, &number.to_string()));
        world.run(Duration::from_millis(1));
    }
    world.run(SECOND);
    world.kill(0);
    world.command(2, late(9, "rooms/*", Some(6), None));
    world.run(SECOND);
    assert_eq!(split(&world, 2, 9)[0], ["12", "13", "15", "16", "18", "19"]);
}

/// Node 0 with links to so many others, which read the topic, at a second of its life.
fn linked(nodes: usize, config: TopicConfig) -> TopicMachine {
    let mut room = room(0, config);
    for peer in 1..=nodes {
        turn(&mut room, at(0), Input::Linked { peer: id(peer) });
        turn(&mut room, at(0), Input::Reads { node: id(peer), topics: topics(&["chat"]) });
    }
    room
}

fn asks(out: &[Output]) -> Vec<(crate::base::id::NodeId, Token)> {
    let ask = |output: &Output| match output {
        Output::Ask { to, token, message: Message::Earlier { .. } } => Some((*to, *token)),
        _ => None,
    };
    out.iter().filter_map(ask).collect()
}

fn delivered(out: &[Output]) -> usize {
    let count = |output: &Output| match output {
        Output::Deliver { messages, .. } => messages.len(),
        _ => 0,
    };
    out.iter().map(count).sum()
}

fn said(texts: std::ops::RangeInclusive<u32>) -> Vec<Aged> {
    let mut author = room(7, TopicConfig::default());
    for number in texts {
        turn(&mut author, at(1), Input::Command(publish(1, "chat", &number.to_string())));
    }
    let wish = Earlier { last: Some(u64::MAX), since: None };
    let message = Message::Earlier { name: "chat".into(), wish, except: None, before: None };
    match turn(&mut author, at(1), Input::Asked { token: Token(1), message }).remove(0) {
        Output::Answer { message: Message::Kept { batches, .. }, .. } => batches,
        other => panic!("{other:?}"),
    }
}

fn old(mut batches: Vec<Aged>) -> Vec<Aged> {
    for aged in &mut batches {
        aged.age = 60 * SECOND;
    }
    batches
}

fn answer(token: Token, batches: Vec<Aged>) -> Input {
    Input::Answer { token, message: Message::Kept { batches, older: None } }
}

#[test]
fn three_are_asked_and_another_for_each_that_has_nothing() {
    let mut room = linked(5, TopicConfig::default());
    let out = turn(&mut room, at(5_000), Input::Command(last(3)));
    let first = asks(&out);
    assert_eq!(first.len(), 3);
    let out = turn(&mut room, at(5_001), answer(first[0].1, vec![]));
    assert_eq!(asks(&out).len(), 1);
    // The others do not answer.
    assert_eq!(asks(&turn(&mut room, at(6_000), Input::Tick)).len(), 1);
    let out = turn(&mut room, at(6_002), Input::Tick);
    assert_eq!(delivered(&out), 0);
    assert!(room.catch_ups.open.len() == 1);
    turn(&mut room, at(7_002), Input::Tick);
    assert!(room.catch_ups.is_empty(), "nobody is left");
    turn(&mut room, at(7_003), answer(first[1].1, said(1..=3)));
    assert_eq!(room.stats().malformed, 0, "a late answer is no fault");
}

#[test]
fn with_nobody_there_it_begins_at_once_and_asks_who_is_linked_soon() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(5_000), Input::Command(publish(1, "chat", "own")));
    let Command::Subscribe { subscription, topic, group, earlier, .. } = last(3) else {
        unreachable!()
    };
    let with = Command::Subscribe { subscription, topic, own: true, group, earlier };
    assert_eq!(delivered(&turn(&mut room, at(5_000), Input::Command(with))), 1);
    let out = turn(&mut room, at(5_100), Input::Command(publish(2, "chat", "live")));
    assert_eq!(delivered(&out), 1, "it waits for nobody");

    let out = turn(&mut room, at(6_000), Input::Linked { peer: id(1) });
    let token = asks(&out)[0].1;
    let out = turn(&mut room, at(6_001), answer(token, old(said(1..=5))));
    assert_eq!(delivered(&out), 2, "of three it had one");
    assert!(room.catch_ups.is_empty());
    assert!(asks(&turn(&mut room, at(6_002), Input::Linked { peer: id(2) })).is_empty());

    turn(&mut room, at(7_000), Input::Unlinked { peer: id(1) });
    turn(&mut room, at(7_000), Input::Unlinked { peer: id(2) });
    turn(&mut room, at(7_000), Input::Command(late(5, "chat", Some(3), None)));
    turn(&mut room, at(17_000), Input::Tick);
    assert!(asks(&turn(&mut room, at(17_001), Input::Linked { peer: id(1) })).is_empty());
}

#[test]
fn who_has_just_been_linked_waits_a_moment_for_others() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Command(last(3)));
    let token = asks(&turn(&mut room, at(100), Input::Linked { peer: id(1) }))[0].1;
    turn(&mut room, at(101), answer(token, vec![]));
    assert_eq!(room.catch_ups.open.len(), 1);
    let token = asks(&turn(&mut room, at(200), Input::Linked { peer: id(2) }))[0].1;
    let out = turn(&mut room, at(201), answer(token, old(said(1..=9))));
    assert_eq!(delivered(&out), 3);
    assert!(room.catch_ups.is_empty(), "it has as many as it wants");
}

#[test]
fn when_three_have_given_nobody_is_waited_for() {
    let mut room = linked(5, TopicConfig::default());
    let since = late(9, "chat", None, Some(90 * SECOND));
    let asked = asks(&turn(&mut room, at(1), Input::Command(since)));
    let mut count = 0;
    for (_, token) in asked {
        assert_eq!(count, 0);
        count += delivered(&turn(&mut room, at(2), answer(token, old(said(1..=9)))));
    }
    assert_eq!(count, 9);
}

#[test]
fn a_reader_that_is_not_linked_is_reached() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    turn(&mut room, at(0), Input::Reads { node: id(2), topics: topics(&["chat"]) });
    let out = turn(&mut room, at(5_000), Input::Command(last(3)));
    let reached = |o: &Output| matches!(o, Output::Reach { peer } if *peer == id(2));
    assert_eq!(out.iter().filter(|o| reached(o)).count(), 1);
    turn(&mut room, at(5_001), answer(asks(&out)[0].1, vec![]));
    let out = turn(&mut room, at(5_500), Input::Linked { peer: id(2) });
    assert_eq!(asks(&out)[0].0, id(2));
    let out = turn(&mut room, at(5_501), answer(asks(&out)[0].1, old(said(1..=9))));
    assert_eq!(delivered(&out), 3);
}

#[test]
fn lies_are_counted_and_dropped_and_more_than_asked_is_cut() {
    let mut room = linked(1, TopicConfig::default());
    let token = asks(&turn(&mut room, at(9_000), Input::Command(last(3))))[0].1;
    let mut batches = old(said(1..=20));
    let broken = batches.first_mut().unwrap();
    let mut bytes = broken.batch.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    broken.batch = ByteBuf::from(bytes);
    batches.push(Aged { age: SECOND, batch: ByteBuf::from(vec![1, 2, 3]) });
    let out = turn(&mut room, at(9_001), answer(token, batches));
    assert_eq!(delivered(&out), 3);
    assert_eq!((room.stats().forged, room.stats().malformed), (1, 1));

    // What is not of the topic.
    let mut room = linked(1, TopicConfig::default());
    let other = late(9, "other", Some(3), None);
    let token = asks(&turn(&mut room, at(9_000), Input::Command(other)))[0].1;
    let out = turn(&mut room, at(9_001), answer(token, old(said(1..=2))));
    assert_eq!((delivered(&out), room.stats().malformed), (0, 2));
}

#[test]
fn pages_without_end_come_to_an_end() {
    let mut room = linked(1, TopicConfig::default());
    let mut token = asks(&turn(&mut room, at(9_000), Input::Command(last(u64::MAX))))[0].1;
    let batches = old(said(1..=3));
    let older = Some(crate::protocol::topic::wire::Point { at: START, nth: 1 });
    for page in 0.. {
        let message = Message::Kept { batches: batches.clone(), older };
        let out = turn(&mut room, at(9_001), Input::Answer { token, message });
        match asks(&out).first() {
            Some((_, next)) => token = *next,
            None => {
                assert_eq!(delivered(&out), 3);
                break;
            }
        }
        assert!(page < 100);
    }
}

#[test]
fn too_much_that_waits_ends_the_waiting() {
    let config = TopicConfig { max_undelivered: 10, ..TopicConfig::default() };
    let mut world = mesh(3, &config);
    world.command(2, subscribe(1, "chat"));
    world.run(SECOND);
    say(&mut world, 0, 1..=5);
    world.run(SECOND);
    world.silent.extend([0, 1]);
    world.command(2, last(5));
    say(&mut world, 0, 6..=9);
    assert!(split(&world, 2, 9).concat().is_empty());
    say(&mut world, 0, 10..=12);
    assert_eq!(split(&world, 2, 9), [texts(1..=5), texts(6..=12)]);
}

#[test]
fn a_subscription_that_ends_sets_free_what_waited() {
    let mut world = mesh(3, &TopicConfig::default());
    world.silent.extend([0, 1]);
    world.command(2, last(5));
    world.run(Duration::from_millis(10));
    world.command(2, subscribe(1, "chat"));
    say(&mut world, 0, 1..=3);
    world.command(2, Command::Unsubscribe { subscription: Token(9) });
    world.run(Duration::from_millis(10));
    assert_eq!(split(&world, 2, 1), [vec![], texts(1..=3)]);
    assert!(split(&world, 2, 9).concat().is_empty());
}

#[test]
fn a_group_gets_nothing_from_before() {
    let mut room = linked(1, TopicConfig::default());
    let Command::Subscribe { subscription, topic, own, earlier, .. } = last(3) else {
        unreachable!()
    };
    let group = Some(crate::base::group::Group { name: "g".into(), host: None });
    let command = Command::Subscribe { subscription, topic, own, group, earlier };
    let out = turn(&mut room, at(1), Input::Command(command));
    assert!(matches!(
        &out[..],
        [Output::Subscribed { result: Err(TopicError::EarlierInGroup), .. }]
    ));
}

#[test]
fn large_and_compressed_messages_come_whole_and_what_is_under_way_comes_live() {
    let mut signer = Signer::new(key(7));
    let feed = Feed { author: signer.me(), life: Life(1), topic: "chat".to_owned() };
    let mut aged = |first: u64, piece: Option<Piece>, texts: &[&str]| {
        let head = Head { piece, ..Head::new(feed.author, feed.life, &feed.topic, first) };
        let messages: Vec<_> =
            texts.iter().map(|text| (START, Bytes::copy_from_slice(text.as_bytes()))).collect();
        let batch = match piece {
            Some(_) => Batch::seal(head, &messages, &mut signer),
            None => Batch::seal_compressed(head, &messages, &mut signer),
        };
        Aged { age: 60 * SECOND, batch: ByteBuf::from(batch.wire().to_vec()) }
    };
    let piece = |index| Some(Piece { index, of: 3 });
    let same = "same ".repeat(100);
    let mut batches = vec![
        aged(1, None, &["out"]),
        aged(2, piece(0), &["a"]),
        aged(3, piece(1), &["b"]),
        aged(4, piece(2), &["c"]),
        aged(5, None, &[&same, "x"]),
        aged(7, piece(0), &["d"]),
        aged(8, piece(1), &["e"]),
    ];
    batches.reverse();
    let mut room = linked(1, TopicConfig::default());
    let token = asks(&turn(&mut room, at(9_000), Input::Command(last(3))))[0].1;
    let out = turn(&mut room, at(9_001), answer(token, batches));
    let got = out.iter().filter_map(|output| match output {
        Output::Deliver { messages, .. } => Some(messages.clone()),
        _ => None,
    });
    let got: Vec<_> = got.flatten().map(|m| (m.id.number, m.payload.clone())).collect();
    let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    assert_eq!(got, [(2, text("abc")), (5, text(&same)), (6, text("x"))]);
    assert_eq!(room.order.next(&feed), Some(7));
}
