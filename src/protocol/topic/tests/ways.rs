use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;

use super::incoming::frame;
use super::world::{START, World, at, id, publish, room, subscribe, turn};
use crate::base::id::Life;
use crate::base::machine::Machine;
use crate::base::time::WallTime;
use crate::base::token::Token;
use crate::protocol::topic::ways::in_order;
use crate::protocol::topic::{
    Command, Envelope, Hop, Input, Message, MessageId, Output, Paths, Query, Strategy, TopicConfig,
    Way, Which,
};

fn all() -> Query {
    Query { paths: Paths::All, which: Which::All, ..Query::default() }
}

#[test]
fn on_a_ring_both_ways_around_are_told_the_first_copys_first() {
    let mut world = World::ring(5).all_read("chat");
    world.command(0, publish(1, "chat", "x"));
    world.run(Duration::from_millis(50));
    let kept = world.read(2, all());
    let ways = world.numbers(&kept);
    assert_eq!(ways, [(vec![0, 1, 2], true), (vec![0, 4, 3, 2], true)]);
    let times: Vec<_> = kept[0].ways[0].hops.iter().map(|hop| hop.at).collect();
    assert_eq!(times[0], kept[0].message.sent);
    assert_eq!(times[2], kept[0].message.received);
    assert!(times.is_sorted() && times[0] > START);
    let kept = world.read(0, all());
    assert_eq!(world.numbers(&kept), [(vec![0], true)], "the author's own way");
}

#[test]
fn a_long_line_is_told_in_full_through_nodes_that_do_not_read_the_topic() {
    let links: Vec<_> = (1..40).map(|n| (n - 1, n)).collect();
    let config = TopicConfig { relay_all: true, ..TopicConfig::default() };
    let mut world = World::new(40, &links, &config);
    world.command(39, subscribe(1, "chat"));
    world.run(Duration::from_millis(50));
    world.command(0, publish(1, "chat", "x"));
    world.run(Duration::from_secs(600));
    let kept = world.read(39, all());
    assert_eq!(world.numbers(&kept), [((0..40).collect(), true)]);
    assert_eq!(world.rooms[7].stats().unread, 1);
}

#[test]
fn every_way_is_a_walk_of_the_graph_and_every_copy_has_one() {
    let links = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (3, 5), (4, 5), (0, 5), (2, 6)];
    let config = TopicConfig { relay_all: true, ..TopicConfig::default() };
    let mut world = World::new(7, &links, &config).all_read("chat");
    world.command(6, publish(1, "chat", "x"));
    world.run(Duration::from_millis(50));
    let mut further = 0;
    for node in 0..6 {
        let kept = world.read(node, all());
        let ways = world.numbers(&kept);
        further += ways.len() - 1;
        for (way, complete) in ways {
            assert!(complete && way[0] == 6 && way[way.len() - 1] == node, "{way:?}");
            let linked = |pair: &[usize]| {
                links.contains(&(pair[0], pair[1])) || links.contains(&(pair[1], pair[0]))
            };
            assert!(way.windows(2).all(linked), "{way:?}");
            let mut sorted = way.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), way.len(), "no node twice");
        }
    }
    assert!(further > 3, "copies give further ways: {further}");
}

#[test]
fn three_relays_give_one_message_and_each_way_once() {
    let mut world = World::ring(4).all_read("chat");
    let command = Command::Publish {
        token: Token(1),
        topic: "chat".into(),
        payload: Bytes::from_static(b"banana"),
        relays: NonZeroU8::new(3).expect("three"),
        receipts: None,
        foreign: false,
        strategy: Strategy::RoundRobin,
        if_read: false,
        envelope: Envelope::default(),
    };
    world.command(0, command);
    world.run(Duration::from_millis(50));
    assert_eq!(world.delivered(2), ["banana"]);
    assert_eq!(world.rooms[2].stats().duplicates, 5, "two neighbours, three copies each");
    let kept = world.read(2, all());
    assert_eq!(world.numbers(&kept), [(vec![0, 1, 2], true), (vec![0, 3, 2], true)]);
}

#[test]
fn a_way_through_a_dead_or_silent_node_is_not_complete_and_says_so_in_time() {
    for silent in [false, true] {
        let links: Vec<_> = (1..5).map(|n| (n - 1, n)).collect();
        let config = TopicConfig { relay_all: true, ..TopicConfig::default() };
        let mut world = World::new(5, &links, &config).all_read("chat");
        world.command(0, publish(1, "chat", "x"));
        world.run(Duration::from_millis(50));
        if silent {
            world.silent.insert(1);
        } else {
            world.kill(1);
        }
        let asked = world.now;
        let kept = world.read(4, all());
        assert_eq!(world.numbers(&kept), [(vec![2, 3, 4], false)]);
        let (answered, _) = world.said[4]
            .iter()
            .find(|(_, output)| matches!(output, Output::Kept { .. }))
            .expect("answered");
        let took = answered.since(asked);
        assert!(took < Duration::from_secs(2), "before the outer deadline: {took:?}");
        assert_eq!(took > Duration::from_secs(1), silent);
    }
}

#[test]
fn a_question_without_budget_is_answered_from_what_is_known() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    for (author, sequence) in [(9, 1), (1, 2)] {
        let frame = frame(author, "chat", 1);
        turn(&mut room, at(1), Input::Heard { from: id(1), author: id(author), sequence, frame });
    }
    let name = |author| MessageId { author, life: Life(1), topic: "chat".into(), number: 1 };
    let ids = vec![name(id(9)), name(id(1)), name(id(8))];
    let message = Message::Trace { ids: ids.clone(), budget: 0 };
    let out = turn(&mut room, at(2), Input::Asked { token: Token(4), message });
    let [Output::Answer { message: Message::Traced { ways }, .. }] = &out[..] else {
        panic!("{out:?}")
    };
    let here = Hop { node: id(0), at: START.at(at(1)) };
    let author = Hop { node: id(1), at: WallTime(5) };
    assert_eq!(ways[..], [vec![here], vec![author, here], vec![]]);
    let message = Message::Trace { ids, budget: 9_999 };
    let out = turn(&mut room, at(2), Input::Asked { token: Token(5), message });
    assert!(matches!(&out[..], [Output::Ask { message: Message::Trace { budget: 63, ids }, .. }]
        if ids.len() == 1));
}

#[test]
fn a_way_that_cannot_be_is_not_believed() {
    for lie in [
        vec![],
        vec![id(9)],
        vec![id(9), id(4)],
        vec![id(9), id(1), id(9), id(1)],
        (100..400).map(id).chain([id(1)]).collect(),
    ] {
        let mut room = room(0, TopicConfig::default());
        turn(&mut room, at(0), Input::Linked { peer: id(1) });
        turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
        let frame = frame(9, "chat", 1);
        turn(&mut room, at(1), Input::Heard { from: id(1), author: id(9), sequence: 1, frame });
        let command = Command::Read { token: Token(1), query: all() };
        let out = turn(&mut room, at(2), Input::Command(command));
        let [Output::Ask { token, .. }] = out[..] else { panic!("{out:?}") };
        let hops = lie.into_iter().map(|node| Hop { node, at: START }).collect();
        let message = Message::Traced { ways: vec![hops] };
        let out = turn(&mut room, at(3), Input::Answer { token, message });
        let [Output::Kept { messages, .. }] = &out[..] else { panic!("{out:?}") };
        assert_eq!(messages[0].ways[0].hops.len(), 1);
        assert!(!messages[0].ways[0].complete);
    }
}

#[test]
fn questions_of_peers_are_bounded_and_share_one_question() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    let frame = frame(9, "chat", 1);
    turn(&mut room, at(1), Input::Heard { from: id(1), author: id(9), sequence: 1, frame });
    let ids = vec![MessageId { author: id(9), life: Life(1), topic: "chat".into(), number: 1 }];
    let mut ask = |token| {
        let message = Message::Trace { ids: ids.clone(), budget: 9 };
        turn(&mut room, at(2), Input::Asked { token: Token(token), message })
    };
    let out = ask(1);
    let [Output::Ask { token, .. }] = out[..] else { panic!("{out:?}") };
    for more in 2..=256 {
        assert!(ask(more).is_empty(), "waits for the same answer");
    }
    assert!(matches!(&ask(257)[..], [Output::Answer { .. }]), "one too many");
    let way = [id(9), id(1)].map(|node| Hop { node, at: START }).to_vec();
    let message = Message::Traced { ways: vec![way] };
    let out = turn(&mut room, at(3), Input::Answer { token, message });
    assert_eq!(out.len(), 256);
    turn(&mut room, at(1_000), Input::Tick);
    assert!(room.deadline().is_none(), "nothing is left of the questions");
}

#[test]
fn a_way_through_this_node_is_left_out() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    let frame = frame(9, "chat", 1);
    turn(&mut room, at(1), Input::Heard { from: id(9), author: id(9), sequence: 1, frame });
    turn(&mut room, at(1), Input::Copy { from: id(1), author: id(9), sequence: 1 });
    let command = Command::Read { token: Token(1), query: all() };
    let out = turn(&mut room, at(2), Input::Command(command));
    let [Output::Ask { token, .. }] = out[..] else { panic!("{out:?}") };
    let way = [id(9), id(0), id(1)].map(|node| Hop { node, at: START }).to_vec();
    let message = Message::Traced { ways: vec![way] };
    let out = turn(&mut room, at(3), Input::Answer { token, message });
    let [Output::Kept { messages, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(messages[0].ways.len(), 1, "only the direct one");
}

#[test]
fn ways_come_once_the_first_copys_first_then_whole_ones_then_shorter_ones() {
    let way = |nodes: &[usize], complete, millis| {
        let hop = |node: &usize| Hop { node: id(*node), at: START.at(at(millis)) };
        Way { hops: nodes.iter().map(hop).collect(), complete }
    };
    let first = way(&[1, 2, 3, 0], true, 1);
    let (short, long) = (way(&[1, 0], true, 2), way(&[1, 4, 0], true, 2));
    let broken = way(&[0], false, 1);
    let again = way(&[1, 0], true, 9);
    let all = [first.clone(), broken.clone(), long.clone(), short.clone(), again];
    assert_eq!(in_order(all), [first, short, long, broken]);
}
