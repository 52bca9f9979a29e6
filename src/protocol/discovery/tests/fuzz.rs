//! Garbage, in every place where something may come in.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{MS, address, id, key, settings};
use crate::base::id::Life;
use crate::base::limits::MAX_CARD;
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::base::token::Token;
use crate::protocol::discovery::card::{is_genuine, read};
use crate::protocol::discovery::wire::{Held, SignedCard};
use crate::protocol::discovery::{
    Command, Degrees, DialFailure, DiscoveryMachine, Input, Message, Source, Topology,
};

/// A proper card with a few bytes changed, cut off or added.
fn mutated(rng: &mut ChaCha8Rng) -> SignedCard {
    let machine = DiscoveryMachine::new(settings(3), 0);
    let mut signed = machine.own().sign(&key(3));
    signed.age_ms = rng.random();
    for _ in 0..rng.random_range(1..8) {
        let at = rng.random_range(0..signed.card.len());
        signed.card[at] = rng.random();
    }
    let length = rng.random_range(0..signed.card.len() * 2);
    if rng.random_bool(0.3) {
        signed.card.resize(length, 0xff);
    }
    signed
}

#[test]
fn no_changed_card_is_genuine_and_no_garbage_panics() {
    for seed in 0..3_000 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let genuine = DiscoveryMachine::new(settings(3), 0).own().sign(&key(3)).card;
        let signed = mutated(&mut rng);
        if let Some(card) = read(&signed).filter(|_| signed.card != genuine) {
            assert!(!is_genuine(&card, &signed), "seed {seed}");
        }
        let mut bytes = vec![0; rng.random_range(0..300)];
        rng.fill_bytes(&mut bytes);
        let garbage = SignedCard { card: bytes.clone(), signature: bytes, age_ms: 0 };
        assert_eq!(read(&garbage), None, "seed {seed}");
    }
    let large = SignedCard { card: vec![0xa7; MAX_CARD + 1], signature: vec![0; 64], age_ms: 0 };
    assert_eq!(read(&large), None);
}

fn any_message(rng: &mut ChaCha8Rng) -> Message {
    let any_id = |rng: &mut ChaCha8Rng| id(rng.random_range(0..6));
    match rng.random_range(0..8) {
        0 => Message::Compare { digest: rng.random(), after: Some(any_id(rng)) },
        1 => Message::Same,
        2 => {
            let held = (0..rng.random_range(0..5)).map(|_| Held {
                node: any_id(rng),
                life: Life(rng.random_range(0..3)),
                version: rng.random(),
            });
            Message::Holds { held: held.collect(), more: true }
        }
        3 => Message::Fetch { nodes: vec![any_id(rng); rng.random_range(0..5)] },
        4 => Message::Adopt { cut_off: rng.random() },
        5 => Message::Adopted,
        6 => Message::Dropped,
        _ => {
            let number = rng.random_range(0..6);
            let own = DiscoveryMachine::new(settings(number), 0).own().sign(&key(number));
            Message::Cards { cards: vec![mutated(rng), own] }
        }
    }
}

fn any_input(rng: &mut ChaCha8Rng) -> Input {
    let number = rng.random_range(0..6);
    let (peer, life, address) = (id(number), Life(rng.random_range(0..3)), address(number));
    let token = Token(rng.random_range(0..60));
    match rng.random_range(0..19) {
        0 => Input::Command(Command::Connect { token, address }),
        1 => Input::Command(Command::Disconnect { peer }),
        2 => Input::Command(Command::Forget { peer }),
        3 => Input::Command(Command::Rewire(Topology::Open)),
        4 => {
            let map = [(peer, vec![address])].into();
            Input::Command(Command::Rewire(Topology::Fixed(map)))
        }
        5 => Input::Listening { addresses: vec![address] },
        6 => Input::Sighting { source: Source::Mdns, peer: None, addresses: vec![address] },
        7 => Input::Sighting { source: Source::Mdns, peer: Some(peer), addresses: vec![address] },
        8 => Input::Linked { peer, life, address: rng.random_bool(0.5).then_some(address) },
        9 => Input::Unlinked { peer },
        10 => Input::DialFailed { token, failure: DialFailure::Stranger(String::new()) },
        11 => Input::DialFailed { token, failure: DialFailure::WrongPeer(Some(peer)) },
        12 => Input::Left { peer, life },
        13 => Input::Asked { from: peer, token, message: any_message(rng) },
        14 => Input::Told { from: peer, message: any_message(rng) },
        15 => Input::Dialled { token, peer },
        16 => Input::Down { peer },
        17 => {
            let neighbours = [(peer, vec![address])].into();
            let degrees = Degrees { min: 1, max: rng.random_range(1..4) };
            Input::Command(Command::Rewire(Topology::Mending { neighbours, degrees }))
        }
        _ => Input::Answer { token, message: any_message(rng) },
    }
}

#[test]
fn whatever_comes_the_machine_neither_panics_nor_spins_and_repeats_itself() {
    let run = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut settings = settings(0);
        settings.config.max_cards = 4;
        settings.config.max_sightings = 3;
        settings.config.max_dials = 2;
        let mut machine = DiscoveryMachine::new(settings, seed);
        let (mut now, mut trace) = (Time::ZERO, Vec::new());
        for _ in 0..300 {
            now = now + rng.random_range(0..2000) * MS;
            let mut out = Outbox::new();
            machine.handle(now, any_input(&mut rng), &mut out);
            assert!(machine.deadline().is_none_or(|due| due > now), "seed {seed}");
            assert!(machine.stats().cards <= 4, "seed {seed}");
            trace.push(format!("{:?}", out.drain().collect::<Vec<_>>()));
        }
        trace
    };
    for seed in 0..60 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
