//! Groups and patterns, where messages are numbered in one row and travel by two carriers.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;

use super::world::{World, at, id, key, publish, room, subscribe, topics, turn};
use crate::base::batch::{Batch, Head};
use crate::base::group::{Chosen, Group};
use crate::base::id::Life;
use crate::base::signer::{Signer, Verifier};
use crate::base::time::WallTime;
use crate::base::token::Token;
use crate::protocol::topic::{
    Bucket, Carried, Command, Earlier, Input, Message, Output, Strategy, TopicConfig, TopicMachine,
};

const SECOND: Duration = Duration::from_secs(1);

fn member(subscription: u64) -> Command {
    let (subscription, topic) = (Token(subscription), "chat".to_owned());
    let group = Some(Group { name: "g".into(), host: None });
    Command::Subscribe { subscription, topic, own: false, group, earlier: Earlier::default() }
}

/// A message of node 9, for this member of the group.
fn frame(number: u64, named: Option<usize>) -> Bytes {
    let mut signer = Signer::new(key(9));
    let group = Group { name: "g".into(), host: None };
    let chosen = |member| Chosen { members: vec![(group, id(member))], ..Chosen::default() };
    let head =
        Head { chosen: named.map(chosen), ..Head::new(signer.me(), Life(1), "chat", number) };
    Batch::seal(head, &[(WallTime(5), Bytes::from("x"))], &mut signer).wire().clone()
}

fn hear(room: &mut TopicMachine, millis: u64, number: u64, named: Option<usize>) -> Vec<Output> {
    let frame = frame(number, named);
    let heard = Input::Heard { from: id(1), author: id(9), sequence: number, frame };
    turn(room, at(millis), heard)
}

fn delivered(out: &[Output]) -> Vec<u64> {
    let messages = out.iter().filter_map(|output| match output {
        Output::Deliver { messages, .. } => Some(messages),
        _ => None,
    });
    messages.flatten().map(|message| message.id.number).collect()
}

fn confirmed(out: &[Output]) -> Vec<u64> {
    let told = out.iter().filter_map(|output| match output {
        Output::Tell { message: Message::Receipt { id, .. }, .. } => Some(id.number),
        _ => None,
    });
    told.collect()
}

/// How long ago the reader says it began, when it asks for what is before a first message.
fn began(out: &[Output]) -> Option<Duration> {
    out.iter().find_map(|output| match output {
        Output::Ask { message: Message::Want { within, .. }, .. } => *within,
        _ => None,
    })
}

/// A room that is linked with node 1.
fn linked(config: TopicConfig, command: Command) -> TopicMachine {
    let mut room = room(0, config);
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    turn(&mut room, at(0), Input::Command(command));
    room
}

#[test]
fn messages_for_other_members_are_no_gaps() {
    let mut room = linked(TopicConfig::default(), member(1));
    assert!(delivered(&hear(&mut room, 0, 1, Some(5))).is_empty());
    assert!(delivered(&hear(&mut room, 1, 2, None)).is_empty());
    let out = hear(&mut room, 2, 3, Some(0));
    assert_eq!((delivered(&out), confirmed(&out)), (vec![3], vec![3]));
    assert_eq!((room.stats().lacking, room.stats().unread), (0, 2));
}

#[test]
fn a_member_confirms_when_it_gets_the_message_and_not_when_it_is_too_late() {
    let config = TopicConfig { repair_for: SECOND, ..TopicConfig::default() };
    let mut room = linked(config, member(1));
    hear(&mut room, 0, 1, None);
    let early = hear(&mut room, 0, 3, Some(0));
    assert!(delivered(&early).is_empty() && confirmed(&early).is_empty(), "it waits");
    let mut out = Vec::new();
    for millis in (0..1_100).step_by(50) {
        out.extend(turn(&mut room, at(millis), Input::Tick));
    }
    assert_eq!((delivered(&out), confirmed(&out)), (vec![3], vec![3]));
    let late = hear(&mut room, 1_200, 2, Some(0));
    assert!(delivered(&late).is_empty() && confirmed(&late).is_empty(), "another gets it");
}

#[test]
fn a_reader_by_pattern_asks_for_what_came_since_its_pattern() {
    let mut room = linked(TopicConfig::default(), subscribe(1, "*"));
    turn(&mut room, at(700), Input::Command(subscribe(2, "chat")));
    hear(&mut room, 1_000, 7, None);
    assert_eq!(began(&turn(&mut room, at(1_000), Input::Tick)), Some(SECOND));
    // Without the pattern the name reads on, and since when it was given.
    let gone = |token| Input::Command(Command::Unsubscribe { subscription: Token(token) });
    turn(&mut room, at(1_000), gone(1));
    let out = turn(&mut room, at(2_100), Input::Tick);
    assert_eq!(delivered(&out), [7], "nobody knows of anything before");
    assert_eq!(delivered(&hear(&mut room, 2_200, 8, None)), [8]);
    // Without both, whoever reads again begins anew.
    turn(&mut room, at(2_200), gone(2));
    turn(&mut room, at(2_300), Input::Command(subscribe(3, ">")));
    assert!(delivered(&hear(&mut room, 2_400, 20, None)).is_empty());
    let out = turn(&mut room, at(2_400), Input::Tick);
    assert_eq!(began(&out), Some(Duration::from_millis(100)));
}

#[test]
fn each_message_of_a_burst_is_for_one_member_though_links_lose_a_fifth() {
    const MESSAGES: usize = 300;
    let mut world = World::ring(6).with_trees();
    for node in 1..5 {
        world.command(node, member(1));
    }
    world.command(5, subscribe(1, "c*/>"));
    world.command(5, subscribe(2, "*"));
    world.run(Duration::from_millis(100));
    world.loss = 20;
    for number in 0..MESSAGES {
        world.command(0, publish(1, "chat", &number.to_string()));
        if number % 50 == 0 {
            world.run(Duration::from_millis(20));
        }
    }
    world.run(30 * SECOND);
    let all: Vec<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(world.delivered(5), all, "who is in no group gets all, in order");
    let shares: Vec<_> = (1..5).map(|node| world.delivered(node)).collect();
    let union: BTreeSet<_> = shares.iter().flatten().cloned().collect();
    assert_eq!(union.len(), MESSAGES, "nothing is lost");
    assert!(shares.iter().all(|share| share.len() >= MESSAGES / 5), "{shares:?}");
    let stats = world.rooms[0].stats();
    assert_eq!((stats.by_tree, stats.unconfirmed), (0, 0), "{stats:?}");
}

/// What goes out with the command: numbers of batches broadcast, and gathered for the tree.
fn sent(room: &mut TopicMachine, millis: u64, input: Input) -> Vec<(bool, u64, u64)> {
    let mut sent = Vec::new();
    let mut inputs = vec![input];
    while let Some(input) = inputs.pop() {
        for output in turn(room, at(millis), input) {
            match output {
                Output::Broadcast { token, frame, .. } => {
                    let batch = Batch::read(&frame, 1_000).unwrap();
                    let batch = batch.prove(&Verifier::default()).unwrap();
                    sent.push((false, batch.first(), batch.end()));
                    inputs.push(Input::Carried { token, outcome: Carried::Out });
                }
                Output::Grow(batch) => sent.push((true, batch.first(), batch.end())),
                _ => {}
            }
        }
    }
    sent
}

#[test]
fn what_overtakes_gathered_messages_takes_no_number_of_theirs() {
    let mut room = room(0, TopicConfig { buckets: 1, ..TopicConfig::default() });
    let peer = id(1);
    turn(&mut room, at(0), Input::Linked { peer });
    turn(&mut room, at(0), Input::Branch { peer, up: true });
    turn(&mut room, at(0), Input::Reads { node: peer, topics: topics(&["chat"]) });
    turn(&mut room, at(0), Input::Joined { peer, bucket: Bucket(0) });
    let plain = || Input::Command(publish(1, "chat", "x"));
    let mut all = Vec::new();
    for _ in 0..30 {
        all.extend(sent(&mut room, 10, plain()));
    }
    all.extend(sent(&mut room, 10, Input::Tick));
    assert!(all.iter().any(|(tree, ..)| *tree), "a burst");
    turn(&mut room, at(11), Input::Room(false));
    for _ in 0..5 {
        assert!(sent(&mut room, 11, plain()).is_empty(), "gathered");
    }
    let relays = NonZeroU8::new(2).unwrap();
    let Command::Publish { token, topic, payload, envelope, .. } = publish(1, "chat", "x") else {
        panic!("a publish")
    };
    let (receipts, strategy) = (None, Strategy::RoundRobin);
    let (foreign, if_read) = (false, false);
    let twice = Command::Publish {
        token,
        topic,
        payload,
        relays,
        receipts,
        foreign,
        strategy,
        if_read,
        envelope,
    };
    all.extend(sent(&mut room, 11, Input::Command(twice)).into_iter().skip(1));
    let next = sent(&mut room, 11, plain());
    assert_eq!(next, [(false, 37, 38)], "it does not follow on what is gathered");
    all.extend(next);
    all.extend(sent(&mut room, 12, Input::Room(true)));
    all.extend(sent(&mut room, 12, plain()));
    assert!(sent(&mut room, 12, Input::Tick).is_empty(), "it is gathered for a millisecond");
    all.extend(sent(&mut room, 13, Input::Tick));
    let mut numbers: Vec<u64> = all.into_iter().flat_map(|(_, first, end)| first..end).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=38).collect::<Vec<_>>(), "each once");
}

#[test]
fn behind_many_that_left_together_messages_are_gathered_for_longer() {
    let mut room = room(0, TopicConfig { buckets: 1, ..TopicConfig::default() });
    let peer = id(1);
    turn(&mut room, at(0), Input::Linked { peer });
    turn(&mut room, at(0), Input::Branch { peer, up: true });
    turn(&mut room, at(0), Input::Reads { node: peer, topics: topics(&["chat"]) });
    turn(&mut room, at(0), Input::Joined { peer, bucket: Bucket(0) });
    let plain = || Input::Command(publish(1, "chat", "x"));
    for _ in 0..60 {
        sent(&mut room, 0, plain());
    }
    let many = sent(&mut room, 1, Input::Tick);
    assert!(many.iter().any(|(tree, first, end)| *tree && end - first >= 32), "{many:?}");
    sent(&mut room, 1, plain());
    assert!(sent(&mut room, 2, Input::Tick).is_empty(), "a millisecond behind many");
    let few = sent(&mut room, 3, Input::Tick);
    assert_eq!(few.len(), 1, "{few:?}");
    sent(&mut room, 3, plain());
    assert_eq!(sent(&mut room, 4, Input::Tick).len(), 1, "a millisecond behind few");
}
