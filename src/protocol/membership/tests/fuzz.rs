//! Garbage where a message should be: it is refused, or it is a message; nothing else happens.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_bytes::ByteBuf;

use super::certificates::certificate;
use super::room::{id, key, left};
use crate::base::codec::{DecodeError, from_cbor, to_cbor};
use crate::base::id::{Incarnation, Life};
use crate::base::limits::MAX_FRAME;
use crate::base::signer::{Signer, Verifier};
use crate::protocol::membership::wire::{News, Pulse};
use crate::protocol::membership::{Alive, Message, Phase, Statement, Verdict, Vote};

fn incarnation(rng: &mut ChaCha8Rng) -> Incarnation {
    Incarnation { life: Life(rng.random()), refutations: rng.random() }
}

fn pulse(rng: &mut ChaCha8Rng) -> Pulse {
    let phases = [Phase::Joining, Phase::Active, Phase::Isolated, Phase::Downed];
    Pulse {
        incarnation: incarnation(rng),
        tick: rng.random(),
        phase: phases[rng.random_range(0..4)],
        active: rng.random(),
        agreed: rng.random(),
        holders: rng.random_bool(0.5).then(|| ByteBuf::from(vec![rng.random(); 8])),
    }
}

fn statement(rng: &mut ChaCha8Rng) -> Statement {
    let vote = Vote {
        voter: id(1),
        tick: rng.random(),
        agreed: rng.random(),
        quorum: rng.random(),
        signature: Vec::new(),
    };
    let verdict = if rng.random_bool(0.5) { Verdict::Up } else { Verdict::Down };
    let (round, incarnation) = (rng.random(), incarnation(rng));
    Statement { round, subject: id(2), incarnation, verdict, vote }.sign(&mut Signer::new(key(1)))
}

fn alive(rng: &mut ChaCha8Rng) -> Alive {
    let (incarnation, tick) = (incarnation(rng), rng.random());
    let vouchers = (0..rng.random_range(0..3)).map(|_| statement(rng)).collect();
    let alive = Alive { node: id(1), incarnation, tick, signature: Vec::new(), vouchers };
    alive.sign(&mut Signer::new(key(1)))
}

fn news(rng: &mut ChaCha8Rng) -> News {
    match rng.random_range(0..3) {
        0 => News::Alive(alive(rng)),
        1 => News::Down(certificate(3, 2)),
        _ => News::Left(left(1, Life(4))),
    }
}

fn any_message(rng: &mut ChaCha8Rng) -> Message {
    match rng.random_range(0..11) {
        0 => Message::Ping(pulse(rng)),
        1 => Message::Ack(pulse(rng)),
        2 => Message::Suspected { incarnation: incarnation(rng), round: rng.random() },
        3 => Message::Query(statement(rng)),
        4 => Message::Report(statement(rng)),
        5 => Message::News(vec![news(rng), news(rng)]),
        6 => Message::Join(alive(rng)),
        7 => Message::Fetch { after: rng.random_bool(0.5).then(|| id(3)) },
        8 => Message::Page { records: vec![news(rng)], agreed: vec![id(1), id(2)], more: true },
        9 => Message::NotActive,
        _ => Message::Noted,
    }
}

/// A few bytes changed, and sometimes the end cut off or lengthened.
fn mutate(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len());
        bytes[at] = rng.random();
    }
    if rng.random_bool(0.2) {
        let length = rng.random_range(0..bytes.len() * 2);
        bytes.resize(length, rng.random());
    }
}

#[test]
fn every_message_comes_back_as_it_was() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..300 {
        let message = any_message(&mut rng);
        assert_eq!(from_cbor(&to_cbor(&message), MAX_FRAME).as_ref(), Ok(&message));
    }
}

#[test]
fn no_bytes_panic_and_what_is_read_can_be_written_again() {
    let mut readable = 0;
    for seed in 0..4_000 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = to_cbor(&any_message(&mut rng));
        mutate(&mut rng, &mut bytes);
        if let Ok(message) = from_cbor::<Message>(&bytes, MAX_FRAME) {
            readable += 1;
            let again = from_cbor(&to_cbor(&message), MAX_FRAME);
            assert_eq!(again, Ok(message), "seed {seed}");
        }
        let mut noise = vec![0; rng.random_range(0..400)];
        rng.fill_bytes(&mut noise);
        let _ = from_cbor::<Message>(&noise, MAX_FRAME);
    }
    assert!(readable > 100, "the mutations reach past the decoder: {readable} were read");
}

#[test]
fn a_length_that_lies_is_not_believed() {
    // An array, a text, bytes and a map of 2^62 things, each where news should be.
    for kind in [0x9b_u8, 0x7b, 0x5b, 0xbb] {
        let mut bytes = vec![0xa1, 0x61, b'n', kind];
        bytes.extend((1_u64 << 62).to_be_bytes());
        assert!(matches!(from_cbor::<Message>(&bytes, MAX_FRAME), Err(DecodeError::Malformed(_))));
    }
    let deep = [vec![0xa1, 0x61, b'n'], vec![0x81; 100_000]].concat();
    assert!(matches!(from_cbor::<Message>(&deep, MAX_FRAME), Err(DecodeError::Malformed(_))));
    let large = vec![0; MAX_FRAME + 1];
    assert!(matches!(from_cbor::<Message>(&large, MAX_FRAME), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn a_statement_that_was_changed_is_not_genuine() {
    let verifier = Verifier::default();
    for seed in 0..300 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let made = statement(&mut rng);
        assert!(made.is_genuine(&verifier));
        let mut bytes = to_cbor(&made);
        mutate(&mut rng, &mut bytes);
        if let Ok(read) = from_cbor::<Statement>(&bytes, MAX_FRAME) {
            assert!(read == made || !read.is_genuine(&verifier), "seed {seed}");
        }
    }
}
