//! Cards: made, spread, refused, bounded, ended.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{MS, SECOND, World, address, id, key, settings};
use crate::base::group::{Group, Interests};
use crate::base::id::Life;
use crate::base::key::SecretKey;
use crate::base::limits::{MAX_ADDRESSES, MAX_CARD, MAX_LABELS, MAX_TOPICS};
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::protocol::discovery::card::read;
use crate::protocol::discovery::wire::{Held, SignedCard};
use crate::protocol::discovery::{Card, DiscoveryMachine, Input, Message, Output, Settings};

pub(super) fn card(number: u8, life: u64, version: u64) -> Card {
    Card {
        node: id(number),
        life: Life(life),
        version,
        name: format!("node {number}"),
        addresses: vec![address(number)],
        topics: BTreeSet::new(),
        groups: BTreeMap::new(),
        labels: BTreeMap::new(),
        neighbours: BTreeSet::new(),
    }
}

/// Node 0, linked with node 1 and no world around it.
pub(super) fn alone(settings: Settings) -> DiscoveryMachine {
    let mut machine = DiscoveryMachine::new(settings, 0);
    let linked = Input::Linked { peer: id(1), life: Life(1), address: None };
    machine.handle(Time::ZERO, linked, &mut Outbox::new());
    machine
}

pub(super) fn tell(
    machine: &mut DiscoveryMachine,
    at: Time,
    cards: Vec<SignedCard>,
) -> Vec<Output> {
    let mut out = Outbox::new();
    let told = Input::Told { from: id(1), message: Message::Cards { cards } };
    machine.handle(at, told, &mut out);
    out.drain().collect()
}

pub(super) fn known(machine: &DiscoveryMachine) -> Vec<(Life, u64)> {
    machine.known().map(|card| (card.life, card.version)).collect()
}

#[test]
fn a_changed_card_is_known_everywhere_within_a_second() {
    let mut world = World::new();
    for number in 0..16 {
        let topology = super::joining::ring(number, 16);
        world.start(number, Settings { topology, ..settings(number) });
    }
    world.run(3 * SECOND);
    let topics: BTreeSet<String> = ["chat".to_owned()].into();
    world.input(5, Input::Reads { topics: topics.clone().into() });
    world.run(200 * MS);
    for number in (0..16).filter(|number| *number != 5) {
        let theirs = world.nodes[&number].known().find(|card| card.node == id(5)).unwrap();
        assert_eq!(theirs.topics, topics, "at node {number}");
    }
}

#[test]
fn changes_within_five_milliseconds_become_one_version_pushed_to_the_linked() {
    let mut machine = alone(settings(0));
    let mut out = Outbox::new();
    machine.handle(Time::ZERO, Input::Listening { addresses: vec![address(0)] }, &mut out);
    let topics = BTreeSet::from(["chat".to_owned()]).into();
    machine.handle(Time::ZERO + 4 * MS, Input::Reads { topics }, &mut out);
    out.drain().for_each(drop);
    machine.handle(Time::ZERO + 5 * MS, Input::Tick, &mut out);
    machine.handle(Time::ZERO + 10 * MS, Input::Tick, &mut out);
    let told: Vec<Output> = out.drain().filter(|o| matches!(o, Output::Tell { .. })).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(machine.own().version, 2);
    assert_eq!(machine.own().topics.len(), 1);
    assert_eq!(machine.own().addresses, [address(0)]);
}

#[test]
fn a_forged_card_is_refused_and_counted() {
    let mut machine = alone(settings(0));
    let mut forged = card(2, 1, 1).sign(&key(3));
    let genuine = card(2, 1, 1).sign(&key(2));
    assert!(tell(&mut machine, Time::ZERO, vec![forged.clone()]).is_empty());
    forged.signature = genuine.signature[..63].to_vec();
    tell(&mut machine, Time::ZERO, vec![forged]);
    let mut changed = genuine.clone();
    changed.card = card(2, 1, 2).sign(&key(2)).card;
    tell(&mut machine, Time::ZERO, vec![changed]);
    assert_eq!((known(&machine).len(), machine.stats().cards_refused), (0, 3));
    tell(&mut machine, Time::ZERO, vec![genuine]);
    assert_eq!(known(&machine).len(), 1);
}

#[test]
fn a_card_beyond_the_limits_is_refused() {
    let mut machine = alone(settings(0));
    let mut many = card(2, 1, 1);
    many.addresses = (0..=MAX_ADDRESSES as u8).map(address).collect();
    let mut large = card(3, 1, 1);
    large.labels.insert("x".to_owned(), "x".repeat(MAX_CARD));
    let mut nameless = card(4, 1, 1);
    nameless.name = "a\nb".to_owned();
    let cards = vec![many.sign(&key(2)), large.sign(&key(3)), nameless.sign(&key(4))];
    tell(&mut machine, Time::ZERO, cards);
    assert_eq!((known(&machine).len(), machine.stats().cards_refused), (0, 3));
}

/// So many topics, and so many labels.
pub(super) fn crowded(number: u8, topics: usize, labels: usize) -> Card {
    let topics = (0..topics).map(|n| format!("{n}")).collect();
    let labels = (0..labels).map(|n| (format!("{n}"), String::new())).collect();
    Card { topics, labels, ..card(number, 1, 1) }
}

#[test]
fn a_card_of_more_topics_or_labels_than_allowed_or_a_bad_label_is_refused() {
    let mut machine = alone(settings(0));
    let mut nameless = card(4, 1, 1);
    nameless.labels.insert(String::new(), "x".to_owned());
    let cards = vec![
        crowded(2, MAX_TOPICS + 1, 0).sign(&key(2)),
        crowded(3, 0, MAX_LABELS + 1).sign(&key(3)),
        nameless.sign(&key(4)),
    ];
    tell(&mut machine, Time::ZERO, cards);
    assert_eq!((known(&machine).len(), machine.stats().cards_refused), (0, 3));
    let most = crowded(2, MAX_TOPICS, MAX_LABELS);
    tell(&mut machine, Time::ZERO, vec![most.sign(&key(2))]);
    assert_eq!(known(&machine).len(), 1);
}

#[test]
fn the_own_card_holds_no_more_topics_and_labels_than_others_accept() {
    let Card { topics, mut labels, .. } = crowded(0, 2 * MAX_TOPICS, 2 * MAX_LABELS);
    labels.insert(String::new(), "nameless".to_owned());
    let mut machine = alone(Settings { labels, ..settings(0) });
    machine.handle(Time::ZERO, Input::Reads { topics: topics.into() }, &mut Outbox::new());
    machine.handle(Time::ZERO + 5 * MS, Input::Tick, &mut Outbox::new());
    let own = machine.own();
    assert_eq!((own.topics.len(), own.labels.len()), (MAX_TOPICS, MAX_LABELS));
    assert_eq!(read(&own.sign(&key(0))).as_ref(), Some(own));
}

#[test]
fn the_newest_card_wins_and_the_same_or_older_is_silent() {
    let mut machine = alone(settings(0));
    let mut rank = |life, version| {
        let outputs = tell(&mut machine, Time::ZERO, vec![card(2, life, version).sign(&key(2))]);
        (outputs.iter().any(|o| matches!(o, Output::Card(_))), known(&machine))
    };
    assert_eq!(rank(1, 5), (true, vec![(Life(1), 5)]));
    assert_eq!(rank(1, 5), (false, vec![(Life(1), 5)]));
    assert_eq!(rank(1, 4), (false, vec![(Life(1), 5)]));
    assert_eq!(rank(2, 1), (true, vec![(Life(2), 1)]));
    assert_eq!(rank(1, 9), (false, vec![(Life(2), 1)]));
}

#[test]
fn the_own_card_always_fits() {
    let mut machine = alone(settings(0));
    let mut out = Outbox::new();
    let topics = (0..5000).map(|n| format!("a topic of quite some length {n}"));
    let topics = topics.collect::<BTreeSet<_>>().into();
    machine.handle(Time::ZERO, Input::Reads { topics }, &mut out);
    let addresses = (0..100).map(address).collect();
    machine.handle(Time::ZERO, Input::Listening { addresses }, &mut out);
    machine.handle(Time::ZERO + 5 * MS, Input::Tick, &mut out);
    let bytes = machine.own().sign(&key(0)).card.len();
    assert!((MAX_CARD - 256..=MAX_CARD).contains(&bytes), "{bytes}");
    assert_eq!(machine.own().addresses.len(), MAX_ADDRESSES);
}

#[test]
fn the_own_card_has_as_many_groups_as_fit_and_others_accept() {
    for (topics, groups) in [(1_000, 40), (0, 5_000)] {
        let mut machine = alone(settings(0));
        let mut interests = Interests::from(crowded(0, topics, 0).topics);
        let group = |n| Group { name: format!("g{n:04}"), host: Some("a host".to_owned()) };
        interests.groups.insert("jobs".to_owned(), (0..groups).map(group).collect());
        interests.groups.insert("bad/>/name".to_owned(), [group(0)].into());
        machine.handle(Time::ZERO, Input::Reads { topics: interests }, &mut Outbox::new());
        machine.handle(Time::ZERO + 5 * MS, Input::Tick, &mut Outbox::new());
        let own = machine.own();
        let signed = own.sign(&key(0));
        assert!(signed.card.len() <= MAX_CARD);
        assert_eq!(read(&signed).as_ref(), Some(own), "others accept it");
        let listed = own.topics.len() + own.groups.values().map(BTreeSet::len).sum::<usize>();
        assert!(listed == MAX_TOPICS || signed.card.len() > MAX_CARD - 256, "{listed}");
        assert!(!own.groups["jobs"].is_empty());
    }
}

#[test]
fn a_higher_life_of_ourselves_is_told_once_and_a_forgotten_version_is_outranked() {
    let mut machine = alone(settings(0));
    let twice = || vec![card(0, 2, 1).sign(&key(0)), card(0, 2, 2).sign(&key(0))];
    let notice =
        |outputs: Vec<Output>| outputs.iter().filter(|o| matches!(o, Output::Notice(_))).count();
    assert_eq!(notice(tell(&mut machine, Time::ZERO, twice())), 1);
    assert_eq!(notice(tell(&mut machine, Time::ZERO, twice())), 0);
    tell(&mut machine, Time::ZERO, vec![card(0, 1, 7).sign(&key(0))]);
    machine.handle(Time::ZERO + 5 * MS, Input::Tick, &mut Outbox::new());
    assert_eq!((machine.own().life, machine.own().version), (Life(1), 8));
}

#[test]
fn the_card_of_a_silent_node_ends_everywhere_and_that_of_a_live_one_stays() {
    let mut world = World::new();
    for number in 0..5 {
        let mut settings = settings(number);
        settings.config.forget_after = 60 * SECOND;
        settings.config.target_links = 2;
        settings.bootstrap = vec![address(0)];
        world.start(number, settings);
    }
    world.run(10 * SECOND);
    world.kill(4);
    world.run(30 * SECOND);
    assert!((0..4).all(|number| world.knows(number, 4)));
    world.run(60 * SECOND);
    assert!((0..4).all(|number| !world.knows(number, 4)));
    assert!((0..4).all(|number| world.known(number) == 3));
    assert!(world.outputs(1).any(|o| matches!(o, Output::Gone { node } if *node == id(4))));
}

#[test]
fn large_cards_are_exchanged_in_messages_below_the_frame_limit() {
    let mut machine = DiscoveryMachine::new(settings(0), 0);
    for number in 1..=60_u8 {
        let mut card = card(number, 1, 1);
        card.labels.insert("x".to_owned(), "x".repeat(30_000));
        tell(&mut machine, Time::ZERO, vec![card.sign(&key(number))]);
    }
    // The world asserts that every message fits into a frame.
    let mut world = World::new();
    world.adopt(0, machine);
    world.start_open(99, &[0]);
    world.run(2 * SECOND);
    assert_eq!(world.known(99), 61);
}

#[test]
fn a_book_of_thousands_is_compared_page_by_page() {
    let mut machine = DiscoveryMachine::new(settings(0), 0);
    for number in 0..5_000_u32 {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let owner = SecretKey::from_seed(seed);
        let card = Card { node: owner.id(), addresses: Vec::new(), ..card(1, 1, 1) };
        tell(&mut machine, Time::ZERO, vec![card.sign(&owner)]);
    }
    let mut world = World::new();
    world.adopt(0, machine);
    world.start_open(99, &[0]);
    world.run(2 * SECOND);
    assert_eq!(world.known(99), 5_001);
    let asked = |o: &&Output| {
        matches!(o, Output::Ask { message: Message::Compare { after: Some(_), .. }, .. })
    };
    assert!(world.outputs(99).any(|o| asked(&o)), "a second page");
}

#[test]
fn a_card_ends_by_the_age_it_came_with() {
    let keep = settings(0).config.forget_after;
    let aged = |age_ms| SignedCard { age_ms, ..card(2, 1, 1).sign(&key(2)) };
    let all = u64::try_from(keep.as_millis()).unwrap();
    let mut machine = alone(settings(0));
    tell(&mut machine, Time::ZERO, vec![aged(all)]);
    assert_eq!(known(&machine), []);
    tell(&mut machine, Time::ZERO, vec![aged(all / 2)]);
    machine.handle(Time::ZERO + keep / 4, Input::Tick, &mut Outbox::new());
    assert_eq!(known(&machine).len(), 1);
    machine.handle(Time::ZERO + keep * 9 / 16, Input::Tick, &mut Outbox::new());
    assert_eq!(known(&machine), []);
}

#[test]
fn a_comparison_tells_what_the_peer_lacks_and_fetches_what_it_has() {
    let mut machine = DiscoveryMachine::new(settings(0), 0);
    let mut out = Outbox::new();
    machine.handle(
        Time::ZERO,
        Input::Linked { peer: id(1), life: Life(1), address: None },
        &mut out,
    );
    let token = out.drain().find_map(|output| match output {
        Output::Ask { token, message: Message::Compare { .. }, .. } => Some(token),
        _ => None,
    });
    let held = vec![Held { node: id(2), life: Life(1), version: 1 }];
    let message = Message::Holds { held, more: false };
    machine.handle(Time::ZERO, Input::Answer { token: token.unwrap(), message }, &mut out);
    let outputs: Vec<Output> = out.drain().collect();
    let Some(Output::Tell { message: Message::Cards { cards }, .. }) = outputs.first() else {
        panic!("tells its own card: {outputs:?}")
    };
    assert_eq!(read(&cards[0]).as_ref(), Some(machine.own()));
    let Some(Output::Ask { message: Message::Fetch { nodes }, .. }) = outputs.get(1) else {
        panic!("asks for the card: {outputs:?}")
    };
    assert_eq!(*nodes, [id(2)]);
}
