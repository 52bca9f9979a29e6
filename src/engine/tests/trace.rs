//! The same seed and the same inputs give the same outputs, whatever the inputs are.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{MS, SECOND, World, address, id, settings};
use crate::base::id::Life;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::engine::frame::{Message, Room, Ticket};
use crate::engine::{Engine, Input};
use crate::protocol::discovery::{self, DialFailure, Source};
use crate::protocol::link::{Link, LinkId};
use crate::protocol::membership;
use crate::protocol::topic::{Bucket, Carried};

/// The hash of all that six nodes want in a busy minute of joins, crashes, talk and good-byes.
fn busy_minute(seed: u64) -> blake3::Hash {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::default();
    let mut lives = [1_u64; 6];
    (0..6).for_each(|number| world.join(number, &[0, 1]));
    for _ in 0..200 {
        let number = chance.random_range(0..6_u8);
        match chance.random_range(0..10) {
            0 => {
                world.kill(number);
                let life = &mut lives[usize::from(number)];
                *life += 1;
                world.start(number, settings(number, Life(*life), &[0, 1]));
            }
            1 => world.input(number, Input::Leave),
            2..5 => world.subscribe(number, ["red", "green"][chance.random_range(0..2)]),
            _ => world.publish(number, ["red", "green"][chance.random_range(0..2)], "hello"),
        }
        world.run(chance.random_range(0..600) * MS);
    }
    world.run(SECOND);
    let mut trace = blake3::Hasher::new();
    for (at, number, output) in &world.log {
        trace.update(format!("{at:?} {number} {output:?}\n").as_bytes());
    }
    assert!(world.log.len() > 1_000, "a busy minute, not {} wishes", world.log.len());
    trace.finalize()
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    assert_eq!(busy_minute(1), busy_minute(1));
    assert_ne!(busy_minute(1), busy_minute(2), "the trace sees a difference");
}

fn any_input(chance: &mut ChaCha8Rng) -> Input {
    let number = chance.random_range(0..4_u8);
    let peer = id(number);
    let link = LinkId(chance.random_range(0..6));
    let token = Token(chance.random_range(0..30));
    let room = [Room::Membership, Room::Discovery, Room::Topic][chance.random_range(0..3)];
    let ticket = Ticket { room, token };
    let message = match chance.random_range(0..5) {
        0 => Message::Membership(membership::Message::Noted),
        1 => Message::Membership(membership::Message::News(Vec::new())),
        2 => Message::Discovery(discovery::Message::Same),
        3 => Message::Discovery(discovery::Message::Compare { digest: 7, after: None }),
        _ => Message::Discovery(discovery::Message::Fetch { nodes: vec![peer; 3] }),
    };
    let mut bytes = [0; 16];
    chance.fill_bytes(&mut bytes);
    let frame = bytes::Bytes::copy_from_slice(&bytes);
    let dialled = chance.random_bool(0.5).then(|| address(number));
    match chance.random_range(0..16) {
        0 => Input::Tick,
        1 | 2 => Input::Opened {
            peer,
            life: Life(chance.random_range(0..3)),
            link: Link { id: link, dialled },
        },
        3 => Input::Closed { peer, link },
        4 => Input::Pinged { peer, link, answered: None },
        5 => Input::Slow { peer },
        6 => Input::Dialled { token, peer },
        7 => Input::DialFailed { token, failure: DialFailure::WrongPeer(Some(peer)) },
        8 => Input::Sighting {
            source: Source::Mdns,
            peer: Some(peer),
            addresses: vec![address(number)],
        },
        9 => Input::Heard { from: peer, author: peer, sequence: token.0, frame },
        10 => Input::Copy { from: peer, author: peer, sequence: token.0 },
        11 => Input::Carried { token, outcome: Carried::QueuesFull },
        12 => Input::Joined { peer, bucket: Bucket(number.into()) },
        13 => Input::Asked { from: peer, token, message },
        14 => Input::Told { from: peer, message },
        _ => match chance.random_range(0..3) {
            0 => Input::Answer { from: peer, ticket, message },
            1 => Input::Arrived { from: peer, ticket },
            _ => Input::NoAnswer { ticket },
        },
    }
}

#[test]
fn any_input_at_any_time_is_taken_and_wants_little() {
    for seed in 0..20 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut engine = Engine::new(settings(0, Life(1), &[1]));
        let mut now = Time::ZERO;
        let mut out = Outbox::new();
        for _ in 0..2_000 {
            now = now + chance.random_range(0..400) * MS;
            let input = any_input(&mut chance);
            engine.handle(now, input.clone(), &mut out);
            let wanted = out.drain().count();
            assert!(wanted <= 64, "seed {seed}: {wanted} wishes after {input:?}");
        }
        assert!(engine.membership().members().count() <= 3, "seed {seed}");
    }
}
