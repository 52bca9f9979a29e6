use bytes::Bytes;

use super::world::{at, id, key, publish, room, subscribe, turn};
use crate::base::batch::{Batch, Head};
use crate::base::id::Life;
use crate::base::signer::Signer;
use crate::base::time::{Time, WallTime};
use crate::base::token::Token;
use crate::protocol::topic::{Command, Input, Output, TopicConfig, TopicError, TopicMachine};

/// A message that node `author` signed.
pub(super) fn frame(author: usize, topic: &str, number: u64) -> Bytes {
    let mut signer = Signer::new(key(author));
    let head = Head::new(signer.me(), Life(1), topic, number);
    Batch::seal(head, &[(WallTime(5), Bytes::from("x"))], &mut signer).wire().clone()
}

fn hear(
    room: &mut TopicMachine,
    now: Time,
    from: usize,
    sequence: u64,
    frame: Bytes,
) -> Vec<Output> {
    turn(room, now, Input::Heard { from: id(from), author: id(9), sequence, frame })
}

#[test]
fn a_message_is_delivered_once_to_each_subscription() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    turn(&mut room, at(0), Input::Command(subscribe(2, "chat")));
    turn(&mut room, at(0), Input::Command(subscribe(3, "other")));
    let out = hear(&mut room, at(1), 1, 1, frame(9, "chat", 1));
    let [Output::Deliver { messages, .. }, Output::Deliver { .. }] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!((messages[0].id.author, messages[0].sent), (id(9), WallTime(5)));
    assert!(hear(&mut room, at(1), 2, 2, frame(9, "chat", 1)).is_empty());
    let stats = room.stats();
    assert_eq!((stats.received, stats.delivered, stats.duplicates), (1, 2, 1));
    turn(&mut room, at(2), Input::Command(Command::Unsubscribe { subscription: Token(1) }));
    assert_eq!(hear(&mut room, at(2), 1, 3, frame(9, "chat", 2)).len(), 1);
}

#[test]
fn a_topic_nobody_reads_here_is_counted_and_remembered_but_not_kept() {
    let mut room = room(0, TopicConfig::default());
    assert!(hear(&mut room, at(0), 1, 1, frame(9, "chat", 1)).is_empty());
    assert_eq!((room.stats().unread, room.stats().received, room.stats().kept), (1, 0, 0));
    hear(&mut room, at(0), 1, 2, frame(9, "chat", 1));
    assert_eq!((room.stats().unread, room.stats().duplicates), (1, 1));
}

#[test]
fn garbage_is_counted_and_dropped() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    assert!(hear(&mut room, at(0), 1, 1, Bytes::from_static(b"garbage")).is_empty());
    let large = vec![0; 1024 * 1024 + 5_000];
    assert!(hear(&mut room, at(0), 1, 2, Bytes::from(large)).is_empty());
    assert_eq!(room.stats().malformed, 2);
}

#[test]
fn the_first_copy_counts_once_and_a_further_broadcast_is_a_further_copy() {
    let mut room = room(0, TopicConfig::default());
    let copy = |from: usize, sequence| Input::Copy { from: id(from), author: id(9), sequence };
    hear(&mut room, at(0), 1, 1, frame(9, "chat", 1));
    turn(&mut room, at(0), copy(1, 1));
    assert_eq!(room.stats().duplicates, 0, "the first copy, told twice");
    turn(&mut room, at(0), copy(2, 1));
    turn(&mut room, at(0), copy(2, 1));
    assert_eq!(room.stats().duplicates, 1);
    hear(&mut room, at(0), 1, 2, frame(9, "chat", 1));
    turn(&mut room, at(0), copy(1, 2));
    assert_eq!(room.stats().duplicates, 2, "the second relay of the same neighbour");
    turn(&mut room, at(0), copy(3, 77));
    assert_eq!(room.stats().duplicates, 2, "of an unknown broadcast nothing is known");
}

#[test]
fn the_author_is_who_signed_and_own_messages_that_come_back_are_copies() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    turn(&mut room, at(0), Input::Command(publish(1, "chat", "x")));
    let back = Input::Heard { from: id(1), author: id(0), sequence: 1, frame: frame(0, "chat", 1) };
    assert!(turn(&mut room, at(1), back).is_empty());
    let out = hear(&mut room, at(1), 1, 2, frame(9, "chat", 1));
    assert!(
        matches!(&out[..], [Output::Deliver { messages, .. }] if messages[0].id.author == id(9))
    );
}

#[test]
fn the_memory_of_messages_is_bounded_by_count_and_by_time() {
    let config = TopicConfig {
        max_seen: 10,
        max_copies: 2,
        keep_for: std::time::Duration::from_secs(60),
        ..TopicConfig::default()
    };
    let mut room = room(0, config);
    for number in 1..=1_000 {
        hear(&mut room, at(number), 1, number, frame(9, "chat", number));
    }
    assert_eq!(room.records.sizes(), [10, 10, 0]);
    hear(&mut room, at(200_000), 1, 5_000, frame(9, "chat", 5_000));
    assert_eq!(room.records.sizes(), [1, 1, 0]);
}

#[test]
fn a_subscription_too_many_or_with_a_bad_name_is_refused() {
    let mut room = room(0, TopicConfig { max_subscriptions: 1, ..TopicConfig::default() });
    let mut result =
        |token, topic: &str| match turn(&mut room, at(0), Input::Command(subscribe(token, topic)))
            .remove(0)
        {
            Output::Subscribed { result, .. } => result,
            other => panic!("{other:?}"),
        };
    assert!(matches!(result(1, "a\0"), Err(TopicError::BadName { .. })));
    assert_eq!(result(2, "chat"), Ok(()));
    assert_eq!(result(3, "chat"), Err(TopicError::TooManySubscriptions(1)));
}

#[test]
fn the_same_inputs_at_the_same_times_give_the_same_outputs() {
    let run = || {
        let mut world = super::world::World::ring(6).all_read("chat");
        world.command(0, publish(1, "chat", "x"));
        world.run(std::time::Duration::from_secs(1));
        format!("{:?}", world.said)
    };
    assert_eq!(run(), run());
}

#[test]
fn names_of_nodes_are_shared_and_forgotten_when_nobody_mentions_them() {
    let mut names = crate::protocol::topic::names::Names::new();
    let kept = names.share(id(0));
    assert!(std::sync::Arc::ptr_eq(&kept, &names.share(id(0))));
    for node in 1..3_000 {
        names.share(id(node));
    }
    assert!(names.len() <= 1_024);
    assert!(std::sync::Arc::ptr_eq(&kept, &names.share(id(0))));
}
