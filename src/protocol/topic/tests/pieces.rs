//! Messages that are larger than a batch.

use std::time::Duration;

use bytes::Bytes;

use super::world::{World, at, id, key, publish, room, subscribe, turn};
use crate::base::batch::{Batch, Head, Item, Piece};
use crate::base::id::Life;
use crate::base::signer::Signer;
use crate::base::time::{Time, WallTime};
use crate::protocol::topic::pieces::{Pieces, Whole, cut};
use crate::protocol::topic::wire::Feed;
use crate::protocol::topic::{Input, Notice, Output, TopicConfig, TopicMachine};

const SECOND: Duration = Duration::from_secs(1);

fn feed() -> Feed {
    Feed { author: id(9), life: Life(1), topic: "chat".to_owned() }
}

fn item(number: u64, payload: &Bytes) -> Item {
    Item { number, sent: WallTime(number), payload: payload.clone(), trace_context: None }
}

/// Adds these numbers of a message of three pieces that begins with 10.
fn add(pieces: &mut Pieces, numbers: &[u64], missed: u64) -> Option<Whole> {
    let mut whole = None;
    for number in numbers {
        assert!(whole.is_none(), "before the last piece");
        let piece = Piece { index: u32::try_from(number - 10).unwrap(), of: 3 };
        let item = item(*number, &Bytes::from(vec![b'0' + (number % 10) as u8; 4]));
        whole = pieces.add(Time::ZERO, &feed(), piece, item, missed);
    }
    whole
}

#[test]
fn what_is_cut_is_joined_again() {
    for bytes in [69_633, 139_264, 139_265, 1 << 20] {
        let payload: Bytes = (0..bytes).map(|at: u32| (at % 251) as u8).collect();
        let mut pieces = Pieces::new(&TopicConfig::default());
        let mut whole = None;
        for (number, (piece, part)) in (7..).zip(cut(payload.clone())) {
            assert!(whole.is_none() && part.len() <= 68 * 1024);
            whole = pieces.add(at(0), &feed(), piece.unwrap(), item(number, &part), 3);
        }
        let Whole { first, sent, payload: joined, missed, .. } = whole.expect("all pieces");
        assert_eq!((first, sent, joined, missed), (7, WallTime(7), payload, 3));
        assert_eq!(pieces.interrupt(&feed()), 0, "nothing is left");
    }
    let small = Bytes::from(vec![1; 68 * 1024]);
    assert_eq!(cut(small.clone()).collect::<Vec<_>>(), [(None, small)]);
    assert_eq!(cut(Bytes::new()).count(), 1);
}

#[test]
fn without_one_piece_the_message_is_lost_and_told_with_the_next() {
    let mut pieces = Pieces::new(&TopicConfig::default());
    assert_eq!(add(&mut pieces, &[10], 0), None);
    assert_eq!(add(&mut pieces, &[12], 1), None, "11 is a gap");
    assert_eq!(pieces.interrupt(&feed()), 3);
    // Where a feed begins in the middle of a message nothing is lost.
    assert_eq!(add(&mut pieces, &[11, 12], 0), None);
    assert_eq!(pieces.interrupt(&feed()), 0);
    // The next message ends one that its author did not finish.
    assert_eq!(add(&mut pieces, &[10, 11], 0), None);
    let next = add(&mut pieces, &[10, 11, 12], 0).expect("all pieces");
    assert_eq!((&next.payload[..], next.missed), (&b"000011112222"[..], 2));
}

#[test]
fn a_message_above_the_limit_is_not_joined_and_holds_nothing() {
    let config = TopicConfig { max_message_bytes: 11, max_early_bytes: 11, ..Default::default() };
    let mut pieces = Pieces::new(&config);
    assert_eq!(add(&mut pieces, &[10, 11, 12], 0), None);
    assert_eq!(pieces.interrupt(&feed()), 3);
    // Of several messages that are not whole the oldest leaves.
    assert_eq!(add(&mut pieces, &[10, 11], 0), None);
    let other = Feed { topic: "other".to_owned(), ..feed() };
    let first = Piece { index: 0, of: 2 };
    pieces.add(at(1), &other, first, item(1, &Bytes::from_static(b"abcd")), 0);
    assert_eq!(pieces.expire(at(1)), Some((feed(), 10, 12)));
    assert_eq!(pieces.expire(at(1)), None);
}

fn grow(room: &mut TopicMachine, millis: u64, number: u64, piece: Option<Piece>) -> Vec<Output> {
    let mut signer = Signer::new(key(9));
    let head = Head { piece, ..Head::new(signer.me(), Life(1), "chat", number) };
    let batch = Batch::seal(head, &[(WallTime(5), Bytes::from("part"))], &mut signer);
    turn(room, at(millis), Input::Grown { from: id(1), batch: batch.into() })
}

#[test]
fn what_its_author_did_not_finish_is_told_as_a_gap() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    grow(&mut room, 0, 1, None);
    for index in 0..2 {
        let out = grow(&mut room, 10, 2 + u64::from(index), Some(Piece { index, of: 3 }));
        assert!(!out.iter().any(|output| matches!(output, Output::Deliver { .. })));
    }
    let mut out = Vec::new();
    for millis in (20..11_000).step_by(500) {
        out.extend(turn(&mut room, at(millis), Input::Tick));
    }
    let told = |output: &Output| match output {
        Output::Notice(Notice::Gap { from, to, .. }) => Some((*from, *to)),
        _ => None,
    };
    assert_eq!(out.iter().filter_map(told).collect::<Vec<_>>(), [(2, 4)]);
    assert_eq!(room.stats().lost, 2);
}

#[test]
fn the_rest_of_what_was_given_up_is_told_with_the_next_message() {
    let mut room = room(0, TopicConfig::default());
    turn(&mut room, at(0), Input::Linked { peer: id(1) });
    turn(&mut room, at(0), Input::Command(subscribe(1, "chat")));
    grow(&mut room, 0, 1, Some(Piece { index: 0, of: 3 }));
    grow(&mut room, 0, 2, Some(Piece { index: 1, of: 3 }));
    let out = turn(&mut room, at(10_001), Input::Tick);
    assert!(out.iter().any(|output| matches!(output, Output::Notice(Notice::Gap { .. }))));
    grow(&mut room, 10_002, 3, Some(Piece { index: 2, of: 3 }));
    let out = grow(&mut room, 10_003, 4, None);
    let missed = out.iter().find_map(|output| match output {
        Output::Deliver { messages, .. } => Some(messages[0].missed),
        _ => None,
    });
    assert_eq!(missed, Some(3));
}

#[test]
fn messages_of_any_size_arrive_whole_and_in_order_where_links_lose_a_fifth() {
    let mut world = World::ring(6).all_read("chat").with_trees();
    world.loss = 20;
    let sizes = [1, 70_000, 40, 65_536, 65_537, 300_000, 5, 1_000_000, 131_072, 3];
    let texts: Vec<String> =
        (0..80).map(|n| n.to_string() + &"x".repeat(sizes[n % sizes.len()])).collect();
    for text in &texts {
        world.command(0, publish(1, "chat", text));
        world.run(Duration::from_millis(50));
    }
    world.run(20 * SECOND);
    for node in 0..6 {
        // The author reads without its own messages.
        let wanted = if node == 0 { &[][..] } else { &texts[..] };
        assert!(world.delivered(node) == wanted, "node {node}");
    }
    assert!(world.rooms[0].stats().by_tree > 160, "{:?}", world.rooms[0].stats());
}
