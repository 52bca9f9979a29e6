use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;

use super::world::{World, at, id, publish, room, subscribe, topics, turn};
use crate::base::machine::Machine;
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::topic::waiting::RETRY_FULL;
use crate::protocol::topic::{
    Bucket, Carried, Command, Earlier, Envelope, Input, Notice, Output, Strategy, TopicConfig,
    TopicError, TopicMachine,
};

pub(super) fn broadcasts(outputs: &[Output]) -> Vec<(Token, Bucket)> {
    let broadcast = |output: &Output| match output {
        Output::Broadcast { token, bucket, .. } => Some((*token, *bucket)),
        _ => None,
    };
    outputs.iter().filter_map(broadcast).collect()
}

fn reader(room: &mut TopicMachine, now: Time, topic: &str) -> Vec<Output> {
    turn(room, now, Input::Reads { node: id(9), topics: topics(&[topic]) })
}

fn send(room: &mut TopicMachine, now: Time, topic: &str, text: &str) -> Vec<Output> {
    turn(room, now, Input::Command(publish(1, topic, text)))
}

fn carried(room: &mut TopicMachine, token: Token, outcome: Carried) -> Vec<Output> {
    turn(room, at(1), Input::Carried { token, outcome })
}

#[test]
fn a_room_that_relays_all_joins_every_bucket_upon_its_first_tick_and_leaves_none() {
    let mut room = room(0, TopicConfig { relay_all: true, ..TopicConfig::default() });
    assert_eq!(room.deadline(), Some(Time::ZERO));
    let joined = turn(&mut room, Time::ZERO, Input::Tick);
    assert_eq!(joined.iter().filter(|o| matches!(o, Output::Join(_))).count(), 32);
    assert_eq!(room.deadline(), None);
    turn(&mut room, at(1), Input::Command(subscribe(1, "chat")));
    let left =
        turn(&mut room, at(2), Input::Command(Command::Unsubscribe { subscription: Token(1) }));
    assert!(!left.iter().any(|o| matches!(o, Output::Leave(_))));
}

#[test]
fn a_bucket_is_joined_while_it_is_read_and_for_a_minute_after_a_publish() {
    let mut room = room(0, TopicConfig::default());
    let out = turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    assert!(matches!(&out[..], [Output::Subscribed { .. }, Output::Join(_), Output::Reads(all)]
        if *all == topics(&["chat"])));
    let out = turn(&mut room, at(0), Input::Command(subscribe(2, "chat")));
    assert_eq!(out.len(), 1, "nothing new is read");
    reader(&mut room, at(1), "chat");
    let (token, _) = broadcasts(&send(&mut room, at(1), "chat", "x"))[0];
    carried(&mut room, token, Carried::Out);
    let gone = |n| Input::Command(Command::Unsubscribe { subscription: Token(n) });
    assert!(turn(&mut room, at(2), gone(1)).is_empty());
    let out = turn(&mut room, at(3), gone(2));
    assert!(matches!(&out[..], [Output::Reads(none)] if none.is_empty()), "still written");
    // The shelf has a deadline too; ticks before the minute is over leave nothing.
    assert!(turn(&mut room, at(60_000), Input::Tick).is_empty());
    let out = turn(&mut room, at(60_001), Input::Tick);
    assert!(matches!(&out[..], [Output::Leave(_)]));
}

#[test]
fn a_message_without_readers_waits_and_goes_out_in_order_when_the_first_appears() {
    let mut room = room(0, TopicConfig::default());
    for text in ["a", "b", "c"] {
        let out = send(&mut room, at(0), "chat", text);
        assert!(matches!(&out[0], Output::Published { result: Ok(_), .. }));
        assert!(broadcasts(&out).is_empty());
    }
    assert_eq!(room.stats().waiting, 3);
    let first = broadcasts(&reader(&mut room, at(1), "chat"));
    assert_eq!(first.len(), 1, "the first is tried alone");
    let rest = carried(&mut room, first[0].0, Carried::Out);
    assert_eq!(broadcasts(&rest).len(), 2);
    assert_eq!(room.stats().waiting, 0);
}

#[test]
fn what_the_carrier_returns_goes_back_to_its_place_and_is_tried_again() {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    let (token, bucket) = broadcasts(&send(&mut room, at(0), "chat", "a"))[0];
    assert!(broadcasts(&send(&mut room, at(0), "chat", "b")).is_empty(), "behind the first");
    assert!(carried(&mut room, token, Carried::NoPeers).is_empty());
    assert_eq!(room.stats().waiting, 2);
    for again in [
        Input::Joined { peer: id(5), bucket },
        Input::Linked { peer: id(3) },
        Input::Reads { node: id(4), topics: topics(&["chat"]) },
    ] {
        let out = turn(&mut room, at(2), again);
        assert_eq!(broadcasts(&out).len(), 1);
        carried(&mut room, broadcasts(&out)[0].0, Carried::NoPeers);
    }
    let other = Bucket(bucket.0 ^ 1);
    assert!(turn(&mut room, at(3), Input::Joined { peer: id(5), bucket: other }).is_empty());
    // Meanwhile it tells how far its feed goes.
    assert_eq!(room.deadline(), Some(at(300)));
    turn(&mut room, at(300), Input::Tick);
    assert_eq!(room.deadline(), Some(at(1_001)));
    let out = turn(&mut room, at(1_001), Input::Tick);
    let out = carried(&mut room, broadcasts(&out)[0].0, Carried::Out);
    assert_eq!(broadcasts(&out).len(), 1, "and the second follows");
}

#[test]
fn what_waits_too_long_is_dropped_and_told() {
    let mut room = room(0, TopicConfig::default());
    send(&mut room, at(0), "chat", "a");
    assert!(
        !turn(&mut room, at(599_999), Input::Tick).iter().any(|o| matches!(o, Output::Notice(_)))
    );
    let out = turn(&mut room, at(600_000), Input::Tick);
    assert!(
        out.iter().any(|o| matches!(o, Output::Notice(Notice::Unread { id }) if id.number == 1))
    );
    assert_eq!(room.stats().waiting, 0);
    assert!(broadcasts(&reader(&mut room, at(600_001), "chat")).is_empty());
}

#[test]
fn a_publish_is_refused_with_its_reason_and_takes_no_number() {
    let config = TopicConfig { max_waiting: 1, max_message_bytes: 3, ..TopicConfig::default() };
    let mut room = room(0, config);
    let mut refused = |topic: &str, text: &str| match send(&mut room, at(0), topic, text).remove(0)
    {
        Output::Published { result, .. } => result,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("chat", "long"), Err(TopicError::TooLarge { bytes: 4, max: 3 }));
    assert!(matches!(refused("", "x"), Err(TopicError::BadName { .. })));
    assert_eq!(refused("chat", "x").expect("accepted").number, 1);
    assert!(matches!(refused("chat", "x"), Err(TopicError::WaitingFull { waiting: 1, .. })));
    reader(&mut room, at(0), "chat");
    turn(&mut room, at(0), Input::Reads { node: id(9), topics: topics(&["other"]) });
    let out = send(&mut room, at(0), "other", "x");
    assert!(matches!(&out[0], Output::Published { result: Ok(id), .. } if id.number == 1));
}

#[test]
fn a_refusal_is_told_and_the_rest_goes_on() {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    for _ in 0..2 {
        let (token, _) = broadcasts(&send(&mut room, at(0), "chat", "a"))[0];
        let out = carried(&mut room, token, Carried::Refused);
        assert!(matches!(&out[..], [Output::Notice(Notice::NotSent { .. })]));
    }
}

#[test]
fn what_full_queues_do_not_take_waits_and_keeps_its_place() {
    let config = TopicConfig { max_waiting: 2, ..TopicConfig::default() };
    let mut room = room(0, config);
    reader(&mut room, at(0), "chat");
    let frame = |out: &[Output]| {
        let mut frames = out.iter().filter_map(|o| match o {
            Output::Broadcast { token, frame, .. } => Some((*token, frame.clone())),
            _ => None,
        });
        let first = frames.next();
        assert!(frames.next().is_none(), "one at a time");
        first
    };
    let (token, first) = frame(&send(&mut room, at(0), "chat", "a")).expect("it goes out");
    assert!(carried(&mut room, token, Carried::QueuesFull).is_empty());
    assert!(frame(&send(&mut room, at(1), "chat", "b")).is_none(), "it stands behind");
    let refused = send(&mut room, at(1), "chat", "c").remove(0);
    let full = Err(TopicError::WaitingFull { topic: "chat".into(), waiting: 2 });
    assert!(matches!(refused, Output::Published { result, .. } if result == full));

    let again = room.deadline().expect("it is tried again");
    assert_eq!(again, at(1) + RETRY_FULL);
    let (token, tried) = frame(&turn(&mut room, again, Input::Tick)).expect("it is tried");
    assert_eq!(tried, first);
    assert!(frame(&carried(&mut room, token, Carried::Out)).is_some(), "the rest follows");
}

#[test]
fn relays_broadcast_the_very_same_frame() {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    let command = Command::Publish {
        token: Token(1),
        topic: "chat".into(),
        payload: Bytes::from_static(b"x"),
        relays: NonZeroU8::new(3).expect("three"),
        receipts: None,
        foreign: false,
        strategy: Strategy::RoundRobin,
        if_read: false,
        envelope: Envelope::default(),
    };
    let out = turn(&mut room, at(0), Input::Command(command));
    let frames: Vec<_> = out
        .iter()
        .filter_map(|o| if let Output::Broadcast { frame, .. } = o { Some(frame) } else { None })
        .collect();
    assert_eq!(frames.len(), 3);
    assert!(frames.iter().all(|frame| *frame == frames[0]));
    let tokens = broadcasts(&out);
    carried(&mut room, tokens[0].0, Carried::Out);
    carried(&mut room, tokens[1].0, Carried::NoPeers);
    let out = carried(&mut room, tokens[2].0, Carried::NoPeers);
    assert!(out.is_empty() && room.stats().waiting == 0, "one of three is enough");
}

#[test]
fn numbers_are_never_given_twice_even_when_topics_are_forgotten() {
    let mut numbers = crate::protocol::topic::numbers::Numbers::default();
    assert_eq!((numbers.next("first"), numbers.next("first")), (1, 2));
    assert_eq!(numbers.next("second"), 1);
    for topic in 0..65_536 {
        numbers.next(&topic.to_string());
    }
    assert_eq!(numbers.next("first"), 3, "not 1 again");
}

#[test]
fn own_messages_come_back_only_where_wanted_and_are_kept_where_read() {
    let mut room = room(0, TopicConfig::default());
    let with = Command::Subscribe {
        subscription: Token(5),
        topic: "chat".into(),
        own: true,
        group: None,
        earlier: Earlier::default(),
    };
    turn(&mut room, at(0), Input::Command(with));
    turn(&mut room, at(0), Input::Command(subscribe(6, "chat")));
    let out = send(&mut room, at(1), "chat", "x");
    let to: Vec<_> = out
        .iter()
        .filter_map(|o| match o {
            Output::Deliver { subscription, messages } => {
                assert_eq!(messages[0].sent, messages[0].received);
                Some(*subscription)
            }
            _ => None,
        })
        .collect();
    assert_eq!(to, [Token(5)]);
    send(&mut room, at(1), "other", "x");
    assert_eq!(room.stats().kept, 1);
}

#[test]
fn two_hundred_messages_at_once_reach_all_in_order() {
    let mut world = World::ring(5).all_read("chat");
    let texts: Vec<_> = (0..200).map(|n| n.to_string()).collect();
    for text in &texts {
        world.command(0, publish(1, "chat", text));
    }
    world.run(Duration::from_secs(1));
    for node in 1..5 {
        assert_eq!(world.delivered(node), texts);
    }
}

#[test]
fn a_bucket_stays_joined_while_a_message_waits_in_it() {
    let mut room = room(0, TopicConfig::default());
    send(&mut room, at(0), "chat", "a");
    for minute in 1..10 {
        assert!(turn(&mut room, at(minute * 60_000), Input::Tick).is_empty());
    }
    let out = turn(&mut room, at(600_000), Input::Tick);
    assert!(matches!(&out[..], [Output::Notice(_), Output::Leave(_)]), "{out:?}");
}

#[test]
fn a_linked_reader_that_is_only_just_arriving_is_waited_for() {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    assert!(turn(&mut room, at(1), Input::Linked { peer: id(7) }).is_empty());
    turn(&mut room, at(1), Input::Reads { node: id(7), topics: topics(&["chat"]) });
    assert!(broadcasts(&send(&mut room, at(2), "chat", "a")).is_empty(), "the carrier is behind");
    let others = broadcasts(&send(&mut room, at(2), "other", "b"));
    assert!(others.is_empty(), "nobody reads it");
    let bucket = room.buckets.of("chat");
    let out = turn(&mut room, at(3), Input::Joined { peer: id(7), bucket });
    assert_eq!(broadcasts(&out).len(), 1);
}

#[test]
fn a_reader_that_never_arrives_holds_nobody_up_for_long() {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    turn(&mut room, at(1), Input::Linked { peer: id(7) });
    turn(&mut room, at(1), Input::Reads { node: id(7), topics: topics(&["chat"]) });
    assert!(broadcasts(&send(&mut room, at(2), "chat", "a")).is_empty());
    assert!(broadcasts(&turn(&mut room, at(1_000), Input::Tick)).is_empty());
    assert_eq!(broadcasts(&turn(&mut room, at(1_001), Input::Tick)).len(), 1);
}

#[test]
fn a_reader_that_is_gone_again_is_not_waited_for() {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    turn(&mut room, at(1), Input::Linked { peer: id(7) });
    turn(&mut room, at(1), Input::Reads { node: id(7), topics: topics(&["chat"]) });
    assert!(broadcasts(&send(&mut room, at(2), "chat", "a")).is_empty());
    let out = turn(&mut room, at(3), Input::Unlinked { peer: id(7) });
    assert_eq!(broadcasts(&out).len(), 1);
}

/// How long a message published right after each of these inputs, every `step` ms, waits in all.
fn held_up(inputs: impl Iterator<Item = Vec<Input>>, step: u64) -> Duration {
    let mut room = room(0, TopicConfig::default());
    reader(&mut room, at(0), "chat");
    let (mut held, mut now) = (Duration::ZERO, 0);
    for inputs in inputs {
        for input in inputs {
            turn(&mut room, at(now), input);
        }
        for millis in now..now + step {
            turn(&mut room, at(millis), Input::Tick);
            if room.arrivals.awaited(room.buckets.of("chat")).next().is_some() {
                held += Duration::from_millis(1);
            }
        }
        now += step;
    }
    held
}

#[test]
fn a_reader_that_promises_again_and_again_holds_nobody_up_for_long() {
    let reads = |names: &[&str]| Input::Reads { node: id(7), topics: topics(names) };
    let (linked, unlinked) = (Input::Linked { peer: id(7) }, Input::Unlinked { peer: id(7) });
    // A minute, in which it stops reading and reads again, or links again, twice a second.
    let cards = (0..120).map(|turn| match turn {
        0 => vec![linked.clone(), reads(&["chat"])],
        _ => vec![reads(&["other"]), reads(&["chat", "other"])],
    });
    let links = (0..120).map(|turn| match turn {
        0 => vec![reads(&["chat"]), linked.clone()],
        _ => vec![unlinked.clone(), linked.clone()],
    });
    for held in [held_up(cards, 500), held_up(links, 500)] {
        assert!(held >= Duration::from_secs(1), "{held:?}");
        assert!(held <= Duration::from_millis(3_200), "1 s, and a thirtieth of 60 s: {held:?}");
    }
}

#[test]
fn a_reader_that_links_again_after_a_while_is_waited_for_again() {
    let reads = Input::Reads { node: id(7), topics: topics(&["chat"]) };
    let linked = Input::Linked { peer: id(7) };
    let again = vec![Input::Unlinked { peer: id(7) }, linked.clone()];
    let inputs = [vec![reads, linked], again];
    assert_eq!(held_up(inputs.into_iter(), 31_000), Duration::from_secs(2));
}

#[test]
fn a_reader_that_arrives_each_time_is_waited_for_each_time() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(7) });
    for turn_number in 0..20 {
        let (now, topic) = (turn_number * 1_000, format!("chat {turn_number}"));
        reader(&mut room, at(now), &topic);
        turn(&mut room, at(now), Input::Reads { node: id(7), topics: topics(&[&topic]) });
        let bucket = room.buckets.of(&topic);
        assert!(broadcasts(&send(&mut room, at(now), &topic, "a")).is_empty(), "{turn_number}");
        let out = turn(&mut room, at(now + 20), Input::Joined { peer: id(7), bucket });
        assert_eq!(broadcasts(&out).len(), 1);
        turn(&mut room, at(now + 30), Input::Parted { peer: id(7), bucket });
    }
}
