use proptest::prelude::*;

use super::room::{Room, frame, ms, node, source};
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::id::Life;
use crate::protocol::tree::wire::{MAX_RUNS, Run};
use crate::protocol::tree::{Input, Message, Source, TreeConfig};

#[test]
fn the_largest_message_fits_into_16_kib() {
    let source = Source { author: node(1), life: Life(u64::MAX), bucket: u16::MAX };
    let run = Run { source, from: u64::MAX, to: u64::MAX };
    let message = Message::Announce(vec![run; MAX_RUNS]);
    let bytes = to_cbor(&message);
    assert!(bytes.len() <= 16 * 1024, "{} bytes", bytes.len());
    assert_eq!(from_cbor::<Message>(&bytes, 16 * 1024), Ok(message));
}

#[test]
fn absurd_sequences_are_bounded_work() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.hear(0, frame(source, u64::MAX));
    room.announce(1, source, 0, u64::MAX);
    assert!(room.machine.wants.len() <= 512);
    let run = Run { source, from: 0, to: u64::MAX };
    room.tell(1, Message::Graft(run));
    room.tell(1, Message::Announce(vec![run; 2_000]));
    room.hear(0, frame(source, 0));
    assert_eq!(room.machine.stats().malformed, 1);
    room.wait(ms(60_000));
    assert_eq!(room.machine.wants.len(), 0);
}

#[test]
fn a_liar_with_many_lives_cannot_fill_the_memory() {
    let config = TreeConfig { max_sources: 16, max_wanted: 100, ..TreeConfig::default() };
    let mut room = Room::with(2, config);
    let honest = source(node(98));
    for life in 0..1_000 {
        room.hear(0, frame(honest, life + 1));
        let lying = Source { life: Life(life), ..source(node(99)) };
        room.hear(1, frame(lying, 1));
        room.announce(1, lying, 2, 100_000);
        room.wait(ms(1));
    }
    let stats = room.machine.stats();
    assert_eq!(stats.sources, 16);
    assert_eq!(stats.forgotten, 1_001 - 16);
    assert!(room.machine.wants.len() <= 100);
    let out = room.hear(1, frame(honest, 1_000));
    assert!(room.said(&out).iter().any(|(_, said)| *said == Message::Prune(honest)));
}

#[test]
fn frames_are_kept_within_their_bounds() {
    let config = TreeConfig { max_kept_bytes: 10_000, ..TreeConfig::default() };
    let mut room = Room::with(1, config);
    let source = source(node(99));
    for sequence in 1..=100 {
        room.give(Input::Publish(frame(source, sequence)));
        assert!(room.machine.stats().kept_bytes <= 10_000);
    }
    room.wait(ms(11_000));
    assert_eq!(room.machine.stats().kept_bytes, 0);
}

proptest! {
    /// What was seen is what a set says, as long as the gaps are few.
    #[test]
    fn seen_is_a_set(sequences in proptest::collection::vec(1_u64..60, 1..200)) {
        let mut seen = crate::protocol::tree::seen::Seen::before(1);
        let mut set = std::collections::BTreeSet::new();
        for sequence in sequences {
            prop_assert_eq!(seen.insert(sequence).is_some(), set.insert(sequence));
            for probe in 1..61 {
                prop_assert_eq!(seen.contains(probe), set.contains(&probe));
            }
            prop_assert_eq!(Some(seen.newest()), set.last().copied());
        }
    }
}
