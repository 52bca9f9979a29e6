use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::Strategy as _;

use super::world::{World, at, id, publish, room, subscribe, topics, turn};
use crate::base::group::{Chosen, Group, Interests, MAX_CHOSEN};
use crate::base::id::{Life, NodeId};
use crate::base::token::Token;
use crate::protocol::topic::choice::{Choices, MAX_TURNS};
use crate::protocol::topic::{
    Carried, Command, Earlier, Input, Notice, Output, Strategy, TopicConfig, TopicError,
};

fn group(name: &str) -> Group {
    Group { name: name.to_owned(), host: None }
}

fn member(subscription: u64, topic: &str, name: &str) -> Command {
    let group = Some(group(name));
    Command::Subscribe {
        subscription: Token(subscription),
        topic: topic.into(),
        own: false,
        group,
        earlier: Earlier::default(),
    }
}

fn in_groups(topic: &str, names: &[&str]) -> Interests {
    let groups = names.iter().map(|name| group(name)).collect();
    Interests { groups: BTreeMap::from([(topic.to_owned(), groups)]), ..Interests::default() }
}

/// A publish with other settings.
fn with(strategy: Strategy, receipts: Option<Duration>, text: &str) -> Command {
    let Command::Publish { token, topic, payload, relays, foreign, if_read, envelope, .. } =
        publish(1, "jobs", text)
    else {
        panic!("a publish")
    };
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
    }
}

fn passes(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A publisher, and members linked with it and with each other.
pub(super) fn workers(count: usize, groups: &[&str]) -> World {
    let all = count + 1;
    let links: Vec<_> = (0..all).flat_map(|a| (a + 1..all).map(move |b| (a, b))).collect();
    let mut world = World::new(all, &links, &TopicConfig::default());
    for (at, name) in (1..all).zip(groups.iter().cycle()) {
        world.command(at, member(1, "jobs", name));
    }
    world.run(passes(10));
    world
}

/// Texts delivered at all of them, in order.
fn together(world: &World, nodes: impl IntoIterator<Item = usize>) -> Vec<String> {
    let mut all: Vec<String> = nodes.into_iter().flat_map(|node| world.delivered(node)).collect();
    all.sort();
    all
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:03}")).collect()
}

#[test]
fn each_message_goes_to_one_member_of_each_group_and_to_all_readers_in_none() {
    let mut world = workers(6, &["a", "b"]);
    world.command(6, subscribe(2, "jobs"));
    world.run(passes(10));
    for text in texts(30) {
        world.command(0, publish(1, "jobs", &text));
        world.run(passes(5));
    }
    assert_eq!(together(&world, [1, 3, 5]), texts(30), "group a");
    for n in [1, 3, 5] {
        assert_eq!(world.delivered(n).len(), 10, "an even split at {n}");
    }
    let mut of_both = texts(30);
    of_both.extend(texts(30));
    of_both.sort();
    assert_eq!(together(&world, [2, 4, 6]), of_both, "group b, and all at node 6 besides");
    assert_eq!(world.delivered(6).len(), 40);
    let stats = world.rooms[0].stats();
    assert_eq!((stats.unconfirmed, stats.sent_again), (0, 0));
}

#[test]
fn a_member_that_nobody_knows_to_be_dead_is_followed_by_the_next_in_time() {
    let mut world = workers(3, &["a"]);
    world.freeze(2);
    for text in texts(9) {
        world.command(0, publish(1, "jobs", &text));
    }
    world.run(passes(1_000));
    assert_eq!(together(&world, [1, 3]).len(), 6);
    world.run(passes(5_000));
    assert_eq!(together(&world, [1, 3]), texts(9), "each once");
    let stats = world.rooms[0].stats();
    assert_eq!((stats.sent_again, stats.unconfirmed), (3, 0));
}

#[test]
fn a_member_that_is_gone_is_followed_at_once() {
    let mut world = workers(3, &["a"]);
    world.freeze(2);
    for text in texts(9) {
        world.command(0, publish(1, "jobs", &text));
    }
    world.input(0, Input::Gone { node: id(2) });
    world.run(passes(100));
    assert_eq!(together(&world, [1, 3]), texts(9));
}

#[test]
fn a_message_sent_again_keeps_its_number_and_comes_to_no_reader_in_no_group() {
    let mut world = workers(2, &["a"]);
    world.command(1, subscribe(2, "jobs"));
    world.freeze(2);
    world.run(passes(10));
    for text in texts(2) {
        world.command(0, publish(1, "jobs", &text));
    }
    world.run(passes(10_000));
    let numbers = |token: u64| {
        let mut numbers: Vec<u64> = world.said[1]
            .iter()
            .filter_map(|(_, output)| match output {
                Output::Deliver { subscription, messages } => {
                    (*subscription == Token(token)).then_some(messages)
                }
                _ => None,
            })
            .flatten()
            .map(|message| message.id.number)
            .collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(numbers(1), [1, 2], "the member");
    assert_eq!(numbers(2), [1, 2], "the reader");
    assert_eq!(world.rooms[0].stats().sent_again, 1);
}

#[test]
fn nobody_gets_a_message_twice_however_often_it_is_sent_again() {
    let mut world = workers(3, &["a"]);
    // They live, and their receipts do not come back.
    for node in 1..=3 {
        world.input(node, Input::Unlinked { peer: id(0) });
        for other in (1..=3).filter(|other| *other != node) {
            world.input(node, Input::Unlinked { peer: id(other) });
        }
    }
    world.command(0, publish(1, "jobs", "x"));
    world.run(passes(60_000));
    for node in 1..=3 {
        assert_eq!(world.delivered(node), ["x"], "at {node}");
    }
    assert_eq!(world.rooms[0].stats().unconfirmed, 1, "it waits for a new member");
}

#[test]
fn what_waits_for_a_first_reader_goes_to_the_groups_it_finds() {
    let mut world = workers(3, &["a", "b", "a"]);
    world.command(0, publish(1, "later", "x"));
    world.run(passes(100));
    for (node, name) in [(1, "a"), (2, "a")] {
        world.command(node, member(2, "later", name));
    }
    world.run(passes(3_000));
    assert_eq!(together(&world, [1, 2]), ["x"]);
    assert_eq!(world.rooms[0].stats().unconfirmed, 0);
    world.command(3, member(2, "later", "b"));
    world.run(passes(3_000));
    assert!(world.delivered(3).is_empty(), "a group that came too late");
}

#[test]
fn a_message_without_a_member_left_waits_for_one_and_is_told_in_the_end() {
    let config = TopicConfig { wait_for: passes(20_000), ..TopicConfig::default() };
    let mut world = World::new(3, &[(0, 1), (0, 2)], &config);
    world.command(1, member(1, "jobs", "a"));
    world.run(passes(10));
    world.freeze(1);
    world.command(0, publish(1, "jobs", "first"));
    world.run(passes(15_000));
    world.command(2, member(1, "jobs", "a"));
    world.run(passes(2_000));
    assert_eq!(world.delivered(2), ["first"]);
    world.freeze(2);
    world.command(0, publish(1, "jobs", "second"));
    world.run(passes(21_000));
    let unread = |(_, output): &(_, Output)| matches!(output, Output::Notice(Notice::Unread { id }) if id.number == 3);
    assert!(world.said[0].iter().any(unread));
    assert_eq!(world.rooms[0].stats().unconfirmed, 0);
}

#[test]
fn a_report_names_the_members_that_confirmed() {
    let mut world = workers(3, &["a"]);
    world.freeze(2);
    let deadline = Some(passes(20_000));
    for text in texts(3) {
        world.command(0, with(Strategy::RoundRobin, deadline, &text));
    }
    world.run(passes(10_000));
    let reports = world.said[0].iter().filter_map(|(_, output)| match output {
        Output::Confirmed { report, .. } => Some(report.clone()),
        _ => None,
    });
    let reports: Vec<_> = reports.collect();
    assert_eq!(reports.len(), 3);
    for report in reports {
        assert_eq!((report.holders.len(), report.missing.len()), (1, 0));
        assert!(!report.holders.contains(&id(2)));
    }
}

#[test]
fn several_subscriptions_of_a_node_share_what_is_for_the_node() {
    let mut world = workers(1, &["a"]);
    world.command(1, member(2, "jobs", "a"));
    world.command(1, member(3, ">", "a"));
    world.run(passes(10));
    for text in texts(30) {
        world.command(0, publish(1, "jobs", &text));
    }
    world.run(passes(100));
    assert_eq!(together(&world, [1]), texts(30));
    let of = |token: u64| {
        let to = |(_, output): &&(_, Output)| matches!(output, Output::Deliver { subscription, .. } if *subscription == Token(token));
        world.said[1].iter().filter(to).count()
    };
    assert_eq!([of(1), of(2), of(3)], [10, 10, 10]);
}

#[test]
fn groups_of_one_name_on_several_hosts_are_several() {
    let mut world = World::new(4, &[(0, 1), (0, 2), (0, 3)], &TopicConfig::default());
    for (node, host) in [(1, "x"), (2, "x"), (3, "y")] {
        let group = Some(Group { name: "caches".into(), host: Some(host.into()) });
        let topic = "jobs".to_owned();
        world.command(
            node,
            Command::Subscribe {
                subscription: Token(1),
                topic,
                own: false,
                group,
                earlier: Earlier::default(),
            },
        );
    }
    world.run(passes(10));
    for text in texts(10) {
        world.command(0, publish(1, "jobs", &text));
    }
    world.run(passes(100));
    assert_eq!(together(&world, [1, 2]), texts(10));
    assert_eq!(world.delivered(1).len(), 5);
    assert_eq!(together(&world, [3]), texts(10));
}

#[test]
fn the_strategy_all_reaches_every_member_and_asks_none_to_confirm() {
    let mut world = workers(4, &["a", "b"]);
    world.command(0, with(Strategy::All, None, "x"));
    world.run(passes(100));
    for node in 1..=4 {
        assert_eq!(world.delivered(node), ["x"]);
    }
    assert_eq!((world.tells, world.rooms[0].stats().unconfirmed), (0, 0));
}

#[test]
fn more_groups_than_a_head_holds_get_it_all_the_same() {
    let count = MAX_CHOSEN + 5;
    let names: Vec<String> = (0..count).map(|n| format!("group {n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = workers(count, &names);
    world.command(0, publish(1, "jobs", "x"));
    world.run(passes(1_000));
    for node in 1..=count {
        assert_eq!(world.delivered(node), ["x"], "at {node}");
    }
    assert_eq!(world.rooms[0].stats().unconfirmed, 0);
}

#[test]
fn a_publisher_is_refused_when_too_many_wait_to_be_confirmed() {
    let config = TopicConfig { max_unconfirmed: 3, ..TopicConfig::default() };
    let mut room = room(0, config);
    turn(&mut room, at(0), Input::Reads { node: id(1), topics: in_groups("jobs", &["a"]) });
    for n in 0..4 {
        let out = turn(&mut room, at(0), Input::Command(publish(n, "jobs", "x")));
        let refused = matches!(
            &out[0],
            Output::Published { result: Err(TopicError::GroupsBusy { unconfirmed: 3, .. }), .. }
        );
        assert_eq!(refused, n == 3);
    }
    // Other topics have no groups.
    turn(&mut room, at(0), Input::Reads { node: id(2), topics: topics(&["chat"]) });
    let out = turn(&mut room, at(0), Input::Command(publish(9, "chat", "x")));
    assert!(matches!(&out[0], Output::Published { result: Ok(_), .. }));
}

#[test]
fn a_message_for_whoever_reads_is_refused_while_nobody_does() {
    let mut room = room(0, TopicConfig::default());
    let lazy = || {
        let Command::Publish {
            token,
            topic,
            payload,
            relays,
            receipts,
            foreign,
            strategy,
            envelope,
            ..
        } = publish(1, "jobs", "x")
        else {
            panic!("a publish")
        };
        let if_read = true;
        Input::Command(Command::Publish {
            token,
            topic,
            payload,
            relays,
            receipts,
            foreign,
            strategy,
            if_read,
            envelope,
        })
    };
    let out = turn(&mut room, at(0), lazy());
    let [Output::Published { result: Err(TopicError::NobodyReads { .. }), .. }] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!((room.stats().waiting, room.stats().published), (0, 0));
    turn(&mut room, at(0), Input::Reads { node: id(1), topics: in_groups("jobs", &["a"]) });
    let out = turn(&mut room, at(0), lazy());
    assert!(matches!(&out[0], Output::Published { result: Ok(_), .. }));
    // The carrier has nobody yet, and then nobody reads it any more.
    let token = out.iter().find_map(|output| match output {
        Output::Broadcast { token, .. } => Some(*token),
        _ => None,
    });
    let outcome = Carried::NoPeers;
    turn(&mut room, at(1), Input::Carried { token: token.expect("it goes out"), outcome });
    assert_eq!(room.stats().waiting, 1);
    let out = turn(&mut room, at(2), Input::Gone { node: id(1) });
    assert!(matches!(&out[..], [Output::Notice(Notice::Unread { .. })]), "{out:?}");
    assert_eq!((room.stats().waiting, room.stats().unconfirmed), (0, 0));
}

#[test]
fn a_head_that_names_too_many_or_stands_for_a_later_message_is_no_head() {
    let chosen = |count: usize, again| Chosen {
        all: false,
        members: (0..count).map(|n| (group(&format!("g{n}")), id(n))).collect(),
        again,
    };
    assert!(chosen(MAX_CHOSEN, Some(1)).is_valid(2));
    assert!(!chosen(MAX_CHOSEN + 1, None).is_valid(2));
    for again in [0, 2, 3] {
        assert!(!chosen(1, Some(again)).is_valid(2));
    }
    let bad = Chosen { members: vec![(group(""), id(1))], ..Chosen::default() };
    assert!(!bad.is_valid(2));
}

fn ids(count: usize) -> BTreeSet<NodeId> {
    (1..=count).map(id).collect()
}

/// How often each was chosen.
fn split(
    choices: &mut Choices,
    members: &BTreeSet<NodeId>,
    strategy: &Strategy,
    times: usize,
) -> Vec<usize> {
    let mut counts: BTreeMap<NodeId, usize> = members.iter().map(|node| (*node, 0)).collect();
    for _ in 0..times {
        let chosen = choices.choose("jobs", &group("a"), members, strategy, |_| 0).unwrap();
        *counts.get_mut(&chosen).expect("a member is chosen") += 1;
    }
    counts.into_values().collect()
}

#[test]
fn round_robin_and_least_recent_split_exactly_and_random_within_five_percent() {
    let members = ids(5);
    for strategy in [Strategy::RoundRobin, Strategy::LeastRecent] {
        let mut choices = Choices::new(id(0), Life(1));
        assert_eq!(split(&mut choices, &members, &strategy, 100), [20; 5], "{strategy}");
    }
    let mut choices = Choices::new(id(0), Life(1));
    let counts = split(&mut choices, &members, &Strategy::Random, 20_000);
    assert!(counts.iter().all(|count| (3_800..=4_200).contains(count)), "{counts:?}");
    let again = split(&mut Choices::new(id(0), Life(1)), &members, &Strategy::Random, 20_000);
    assert_eq!(counts, again, "the same seed");
    let other = split(&mut Choices::new(id(0), Life(2)), &members, &Strategy::Random, 20_000);
    assert_ne!(counts, other, "another life");
}

#[test]
fn least_recent_catches_up_with_a_newcomer_first() {
    let mut choices = Choices::new(id(0), Life(1));
    split(&mut choices, &ids(3), &Strategy::LeastRecent, 7);
    let chosen = choices.choose("jobs", &group("a"), &ids(4), &Strategy::LeastRecent, |_| 0);
    assert_eq!(chosen, Some(id(4)));
}

#[test]
fn a_strategy_of_ones_own_sees_what_each_has_to_do_and_cannot_do_harm() {
    let mut choices = Choices::new(id(0), Life(1));
    let busy = |node: &NodeId| usize::from(*node != id(3));
    let idle = Strategy::custom(|members| {
        (0..members.len()).min_by_key(|at| members[*at].unconfirmed).unwrap()
    });
    let mut choose = |strategy: &Strategy| {
        choices.choose("jobs", &group("a"), &ids(3), strategy, busy).expect("there are members")
    };
    assert_eq!(choose(&idle), id(3));
    let counted = Strategy::custom(|members| {
        members.iter().position(|member| member.chosen == 1).expect("one was chosen")
    });
    assert_eq!(choose(&counted), id(3));
    let sorted: Vec<NodeId> = ids(3).into_iter().collect();
    assert_eq!(choose(&Strategy::custom(|_| 7)), sorted[1], "counted from the beginning again");
    assert_eq!(choose(&Strategy::custom(|_| panic!("a bug"))), sorted[0]);
}

#[test]
fn publishers_do_not_all_begin_with_the_same_member() {
    let members = ids(8);
    let first = |me: usize| {
        let mut choices = Choices::new(id(me), Life(1));
        choices.choose("jobs", &group("a"), &members, &Strategy::RoundRobin, |_| 0)
    };
    let firsts: BTreeSet<_> = (100..140).map(first).collect();
    assert!(firsts.len() >= 4, "{firsts:?}");
}

#[test]
fn no_more_groups_are_remembered_than_may_be() {
    let mut choices = Choices::new(id(0), Life(1));
    for n in 0..MAX_TURNS + 10 {
        choices.choose(&n.to_string(), &group("a"), &ids(2), &Strategy::RoundRobin, |_| 0);
    }
    assert_eq!(choices.len(), MAX_TURNS);
}

/// What may happen to a publisher and three members.
#[derive(Clone, Debug)]
enum Step {
    Publish,
    Die(usize),
    Join(usize),
    Wait(u16),
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Publish),
        1 => (1_usize..=3).prop_map(Step::Die),
        1 => (4_usize..=6).prop_map(Step::Join),
        2 => (1_u16..4_000).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However members come and go: the living have every message together at least once, and each
    /// of them at most once.
    #[test]
    fn nothing_is_lost_while_a_member_lives(steps in steps()) {
        let mut world = workers(6, &["a", "a", "a", "a", "a", "a"]);
        for node in 4..=6 {
            world.command(node, Command::Unsubscribe { subscription: Token(1) });
        }
        world.run(passes(10));
        let (mut sent, mut dead) = (0, BTreeSet::new());
        for step in steps {
            match step {
                Step::Publish => {
                    world.command(0, publish(1, "jobs", &format!("{sent:03}")));
                    sent += 1;
                }
                // One of the first three stays.
                Step::Die(node) if dead.len() < 2 && dead.insert(node) => world.freeze(node),
                Step::Join(node) => world.command(node, member(1, "jobs", "a")),
                Step::Wait(millis) => world.run(passes(millis.into())),
                Step::Die(_) => {}
            }
        }
        world.run(passes(30_000));
        let alive = (1..=6).filter(|node| !dead.contains(node));
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for node in alive {
            let delivered = world.delivered(node);
            let once: BTreeSet<String> = delivered.iter().cloned().collect();
            prop_assert_eq!(once.len(), delivered.len(), "twice at {}", node);
            seen.extend(once);
        }
        // The dead had theirs before they died.
        for node in dead {
            seen.extend(world.delivered(node));
        }
        prop_assert_eq!(seen.into_iter().collect::<Vec<_>>(), texts(sent));
        prop_assert_eq!(world.rooms[0].stats().unconfirmed, 0);
    }
}
