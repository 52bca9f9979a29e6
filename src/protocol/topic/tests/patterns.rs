use super::world::{World, at, id, publish, room, subscribe, topics, turn};
use crate::base::name::BadName;
use crate::base::token::Token;
use crate::protocol::topic::readers::{MAX_PATTERNS, Readers};
use crate::protocol::topic::{Command, Input, Output, TopicConfig, TopicError};

fn everywhere() -> TopicConfig {
    TopicConfig { buckets: 4, ..TopicConfig::default() }
}

fn joined(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Join(_))).count()
}

#[test]
fn a_pattern_joins_all_buckets_and_is_told_as_it_is() {
    let mut room = room(0, everywhere());
    let out = turn(&mut room, at(0), Input::Command(subscribe(1, "a/*")));
    assert_eq!(joined(&out), 4);
    assert!(matches!(out.last(), Some(Output::Reads(all)) if *all == topics(&["a/*"])));
    let gone = Command::Unsubscribe { subscription: Token(1) };
    let out = turn(&mut room, at(1), Input::Command(gone));
    assert_eq!(out.iter().filter(|output| matches!(output, Output::Leave(_))).count(), 4);
    assert!(matches!(out.last(), Some(Output::Reads(none)) if none.is_empty()));
}

#[test]
fn a_reader_by_pattern_gets_what_the_pattern_says_and_sees_the_topic() {
    let mut world = World::new(3, &[(0, 1), (1, 2)], &everywhere());
    world.command(1, subscribe(1, "a/*"));
    world.command(2, subscribe(1, "a/>"));
    world.run(std::time::Duration::from_millis(10));
    for topic in ["a/b", "a/b/c", "ab", "a"] {
        world.command(0, publish(1, topic, topic));
    }
    world.run(std::time::Duration::from_secs(1));
    assert_eq!(world.delivered(1), ["a/b"]);
    assert_eq!(world.delivered(2), ["a/b", "a/b/c"]);
    assert_eq!(world.rooms[0].stats().waiting, 2, "nobody reads the others");
    let topics_seen = world.said[2].iter().filter_map(|(_, output)| match output {
        Output::Deliver { messages, .. } => Some(messages),
        _ => None,
    });
    let topics_seen = topics_seen.flatten().map(|message| message.id.topic.as_str());
    assert_eq!(topics_seen.collect::<Vec<_>>(), ["a/b", "a/b/c"]);
}

#[test]
fn a_subscription_by_name_and_one_by_pattern_get_a_message_once_each() {
    let mut world = World::new(2, &[(0, 1)], &everywhere());
    world.command(1, subscribe(1, "a/b"));
    world.command(1, subscribe(2, "a/*"));
    world.command(1, subscribe(3, ">"));
    world.run(std::time::Duration::from_millis(10));
    world.command(0, publish(1, "a/b", "x"));
    world.run(std::time::Duration::from_secs(1));
    assert_eq!(world.delivered(1), ["x", "x", "x"]);
}

#[test]
fn what_waits_for_a_first_reader_goes_out_to_one_by_pattern() {
    let mut world = World::new(2, &[(0, 1)], &everywhere());
    world.command(0, publish(1, "a/b", "early"));
    world.run(std::time::Duration::from_secs(1));
    world.command(1, subscribe(1, ">"));
    world.run(std::time::Duration::from_secs(2));
    assert_eq!(world.delivered(1), ["early"]);
}

#[test]
fn readers_by_pattern_are_expected_to_confirm() {
    let mut world = World::new(3, &[(0, 1), (0, 2)], &everywhere());
    world.command(1, subscribe(1, "a/*"));
    world.command(2, subscribe(1, "b/*"));
    world.run(std::time::Duration::from_millis(10));
    let Command::Publish {
        token,
        topic,
        payload,
        relays,
        foreign,
        strategy,
        if_read,
        envelope,
        ..
    } = publish(1, "a/b", "x")
    else {
        panic!("a publish")
    };
    let receipts = Some(std::time::Duration::from_secs(5));
    world.command(
        0,
        Command::Publish {
            token,
            topic,
            payload,
            relays,
            receipts,
            foreign,
            strategy,
            if_read,
            envelope,
        },
    );
    world.run(std::time::Duration::from_secs(1));
    let (_, report) = world.report(0).expect("all have confirmed");
    assert_eq!((report.holders, report.missing), (vec![id(1)], vec![]));
}

#[test]
fn patterns_are_refused_to_publishers_and_bad_ones_to_subscribers() {
    let mut room = room(0, TopicConfig::default());
    let out = turn(&mut room, at(0), Input::Command(publish(1, "a/*", "x")));
    assert!(matches!(
        &out[..],
        [Output::Published {
            result: Err(TopicError::BadName { reason: BadName::Pattern, .. }),
            ..
        }]
    ));
    let out = turn(&mut room, at(0), Input::Command(subscribe(1, "a/>/b")));
    assert!(matches!(
        &out[..],
        [Output::Subscribed {
            result: Err(TopicError::BadName { reason: BadName::RestInside, .. }),
            ..
        }]
    ));
}

#[test]
fn beyond_the_bound_a_pattern_counts_as_one_that_reads_all() {
    let mut readers = Readers::default();
    for n in 0..MAX_PATTERNS {
        readers.set(id(n % 200), topics(&[&format!("{n}/*")]));
        readers.set(id(300 + n), topics(&[&format!("{n}/*")]));
    }
    assert!(!readers.any("elsewhere"));
    readers.set(id(5_000), topics(&["one/more/*"]));
    assert!(readers.reads(&id(5_000), "elsewhere") && readers.any("elsewhere"));
    readers.set(id(300), topics(&[]));
    readers.set(id(0), topics(&[]));
    readers.set(id(5_000), topics(&["one/more/*"]));
    assert!(!readers.any("elsewhere") && readers.any("one/more/x"), "there is room again");
}

#[test]
fn the_readers_of_a_pattern_are_those_who_read_by_it() {
    let mut readers = Readers::default();
    readers.set(id(1), topics(&["a/*"]));
    readers.set(id(2), topics(&[">"]));
    readers.set(id(3), topics(&["a/b"]));
    assert_eq!(readers.everyone("a/*"), [id(1)].into());
    assert_eq!(readers.everyone("a/b"), [id(1), id(2), id(3)].into());
    assert_eq!(readers.everyone("c"), [id(2)].into());
    readers.set(id(1), topics(&[]));
    assert!(readers.everyone("a/*").is_empty());
}
