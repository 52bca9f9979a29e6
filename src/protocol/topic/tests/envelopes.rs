//! How messages travel: compressed, and with a trace context.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::groups::workers;
use super::world::{World, at, id, key, publish, room, subscribe, topics, turn};
use crate::base::batch::{Batch, Head, MAX_CONTEXTS};
use crate::base::id::Life;
use crate::base::signer::Signer;
use crate::base::trace_context::TraceContext;
use crate::protocol::topic::{
    Command, Envelope, Input, Notice, Output, Received, TopicConfig, TopicError,
};

const COMPRESSED: Envelope = Envelope { compressed: true, trace_context: None };

fn wrapped(token: u64, text: &str, with: Envelope) -> Command {
    wrapped_on("chat", token, text, with)
}

fn wrapped_on(topic: &str, token: u64, text: &str, with: Envelope) -> Command {
    let mut command = publish(token, topic, text);
    if let Command::Publish { envelope, .. } = &mut command {
        *envelope = with;
    }
    command
}

fn context(number: u64) -> TraceContext {
    TraceContext::new([9; 16], (number + 1).to_be_bytes(), 1).unwrap()
}

fn text(number: u64) -> String {
    format!("{number}: {}", "the same words again ".repeat(20))
}

fn delivered(world: &World, node: usize) -> Vec<Arc<Received>> {
    let messages = world.said[node].iter().filter_map(|(_, output)| match output {
        Output::Deliver { messages, .. } => Some(messages.clone()),
        _ => None,
    });
    messages.flatten().collect()
}

/// The bytes of the only frame that goes out.
fn frame(out: &[Output]) -> usize {
    let frames = out.iter().filter_map(|output| match output {
        Output::Broadcast { frame, .. } => Some(frame.len()),
        _ => None,
    });
    frames.sum()
}

#[test]
fn a_compressed_topic_takes_less_on_the_wire_and_reads_the_same() {
    let sent = |command| {
        let mut room = room(0, TopicConfig::default());
        turn(&mut room, at(0), Input::Reads { node: id(1), topics: topics(&["chat"]) });
        frame(&turn(&mut room, at(0), Input::Command(command)))
    };
    let (plain, packed) =
        (sent(publish(1, "chat", &text(1))), sent(wrapped(1, &text(1), COMPRESSED)));
    assert!(plain > 400 && packed > 0 && packed < plain / 2, "{plain} and {packed}");
}

#[test]
fn calm_and_burst_arrive_whole_where_links_lose_a_fifth() {
    let mut world = World::ring(5).all_read("chat").with_trees();
    world.loss = 20;
    for number in 0..400 {
        world.command(0, wrapped(1, &text(number), COMPRESSED));
        if number < 10 || number % 100 == 0 {
            world.run(Duration::from_millis(50));
        }
    }
    world.run(Duration::from_secs(20));
    let all: Vec<_> = (0..400).map(text).collect();
    for node in 1..5 {
        assert_eq!(world.delivered(node), all, "node {node}");
        assert_eq!(world.rooms[node].stats().unexpandable, 0);
    }
    assert!(world.rooms[0].stats().by_tree > 300, "{:?}", world.rooms[0].stats());
}

#[test]
fn the_limit_holds_before_compression() {
    let mut room = room(0, TopicConfig { max_message_bytes: 1_000, ..TopicConfig::default() });
    let mut published = |bytes| {
        let command = wrapped(1, &"x".repeat(bytes), COMPRESSED);
        turn(&mut room, at(0), Input::Command(command)).into_iter().find_map(|out| match out {
            Output::Published { result, .. } => Some(result),
            _ => None,
        })
    };
    assert!(published(1_000).unwrap().is_ok());
    let refused = published(1_001).unwrap();
    assert_eq!(refused, Err(TopicError::TooLarge { bytes: 1_001, max: 1_000 }));
}

/// A batch of node 9 that says it becomes a thousand bytes, and does not.
fn bomb(topic: &str, first: u64) -> Bytes {
    let mut signer = Signer::new(key(9));
    let expanded = Some(1_000);
    let head = Head { expanded, ..Head::new(signer.me(), Life(1), topic, first) };
    Batch::signed_as(&head, &[0xff; 100], &mut signer)
}

#[test]
fn what_does_not_expand_is_counted_told_as_lost_and_holds_nothing_up() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    let mut hear = |sequence, frame| {
        let heard = Input::Heard { from: id(1), author: id(9), sequence, frame };
        turn(&mut room, at(sequence), heard)
    };
    let out = hear(1, bomb("chat", 1));
    let [Output::Notice(Notice::Gap { from: 1, to: 2, .. })] = &out[..] else { panic!("{out:?}") };
    let out = hear(2, super::incoming::frame(9, "chat", 2));
    assert!(out.iter().any(|output| matches!(output, Output::Deliver { .. })), "{out:?}");
    // What nobody here reads is not looked into.
    assert!(hear(3, bomb("other", 1)).is_empty());
    let stats = room.stats();
    assert_eq!((stats.unexpandable, stats.lost, stats.unread), (1, 1, 1));
    assert_eq!((stats.malformed, stats.forged, stats.received), (0, 0, 1));
}

#[test]
fn foreigners_get_the_payload_as_it_is() {
    let mut room = room(0, TopicConfig { door: vec!["chat".into()], ..TopicConfig::default() });
    let payloads = |out: Vec<Output>| -> Vec<Bytes> {
        let door = out.into_iter().filter_map(|output| match output {
            Output::Door { payload, .. } => Some(payload),
            _ => None,
        });
        door.collect()
    };
    let own = turn(&mut room, at(0), Input::Command(wrapped(1, &text(1), COMPRESSED)));
    assert_eq!(payloads(own), [text(1)]);
    let mut author = super::world::room(9, TopicConfig::default());
    turn(&mut author, at(0), Input::Reads { node: id(0), topics: topics(&["chat"]) });
    let out = turn(&mut author, at(0), Input::Command(wrapped(1, &text(2), COMPRESSED)));
    let frame = out.into_iter().find_map(|output| match output {
        Output::Broadcast { frame, .. } => Some(frame),
        _ => None,
    });
    let frame = frame.expect("it is sent");
    assert!(frame.len() < text(2).len());
    let heard = Input::Heard { from: id(9), author: id(9), sequence: 1, frame };
    assert_eq!(payloads(turn(&mut room, at(1), heard)), [text(2)]);
}

#[test]
fn a_trace_context_comes_with_its_message_in_the_calm_and_in_a_burst() {
    let mut world = World::ring(4).all_read("chat").with_trees();
    // The first hundred one by one, then some with a context, then more than fit into a head.
    let of = |number: u64| {
        (number < 100 && number.is_multiple_of(2) || number.is_multiple_of(7) || number >= 300)
            .then(|| context(number))
    };
    for number in 0..600 {
        let envelope = Envelope { compressed: number % 100 < 50, trace_context: of(number) };
        world.command(0, wrapped(1, &text(number), envelope));
        if number < 100 || number % 200 == 0 {
            world.run(Duration::from_millis(50));
        }
    }
    world.run(Duration::from_secs(5));
    for node in 1..4 {
        let messages = delivered(&world, node);
        assert_eq!(messages.len(), 600);
        for (message, number) in messages.iter().zip(0..) {
            assert_eq!(message.payload, text(number));
            assert_eq!(message.trace_context, of(number), "message {number}");
        }
    }
    let stats = world.rooms[0].stats();
    assert!(stats.by_tree > 400, "{stats:?}");
    assert!(stats.batches < 100 + 600 / MAX_CONTEXTS as u64 + 20, "{stats:?}");
}

#[test]
fn what_is_sent_again_to_the_next_member_has_the_same_envelope() {
    let mut world = workers(2, &["a"]);
    world.freeze(2);
    world.run(Duration::from_millis(10));
    for number in 0..2 {
        let envelope = Envelope { compressed: true, trace_context: Some(context(number)) };
        world.command(0, wrapped_on("jobs", 1, &text(number), envelope));
    }
    world.run(Duration::from_secs(10));
    let mut jobs = delivered(&world, 1);
    jobs.sort_by_key(|job| job.id.number);
    assert_eq!(world.rooms[0].stats().sent_again, 1);
    for (job, number) in jobs.iter().zip(0..) {
        assert_eq!(
            (&job.payload[..], job.trace_context),
            (text(number).as_bytes(), Some(context(number)))
        );
    }
    assert_eq!(jobs.len(), 2);
}

#[test]
fn a_large_message_is_compressed_piece_by_piece_and_has_its_context_once() {
    let mut world = World::ring(4).all_read("chat").with_trees();
    let large = |number: u64| text(number).repeat(500);
    for number in 0..4 {
        let trace_context = (number != 2).then(|| context(number));
        let envelope = Envelope { compressed: true, trace_context };
        world.command(0, wrapped(1, &large(number), envelope));
    }
    world.run(Duration::from_secs(5));
    for node in 1..4 {
        let messages = delivered(&world, node);
        assert_eq!(messages.len(), 4);
        for (message, number) in messages.iter().zip(0..) {
            assert_eq!(message.payload, large(number));
            assert_eq!(message.trace_context, (number != 2).then(|| context(number)));
        }
    }
    let stats = world.rooms[0].stats();
    assert!(stats.by_tree >= 12 && stats.recent_bytes < 40_000, "{stats:?}");
}
