//! A book that is full: who is turned away, who gives way, and what is not asked for any more.

use super::cards::{alone, card, crowded, known, tell};
use super::world::{SECOND, World, address, id, key, settings};
use crate::base::id::{Life, NodeId};
use crate::base::limits::MAX_TOPICS;
use crate::base::time::Time;
use crate::protocol::discovery::book::Book;
use crate::protocol::discovery::{Card, DiscoveryMachine, Notice, Output, Settings};

fn gone(outputs: &[Output]) -> Vec<NodeId> {
    let gone = outputs.iter().filter_map(|output| match output {
        Output::Gone { node } => Some(*node),
        _ => None,
    });
    gone.collect()
}

#[test]
fn the_oldest_unlinked_gives_way_to_a_linked_node() {
    let mut full = settings(0);
    full.config.max_cards = 4;
    let mut machine = alone(full);
    for (second, number) in [(1, 3), (2, 2), (3, 4)] {
        tell(
            &mut machine,
            Time::ZERO + second * SECOND,
            vec![card(number, 1, 1).sign(&key(number))],
        );
    }
    let now = Time::ZERO + 4 * SECOND;
    assert_eq!(gone(&tell(&mut machine, now, vec![card(1, 1, 1).sign(&key(9))])), []);
    assert_eq!(machine.stats().cards_refused, 1, "a forged card drives nobody out");
    let outputs = tell(&mut machine, now, vec![card(1, 1, 1).sign(&key(1))]);
    assert_eq!(gone(&outputs), [id(3)]);
    assert!(machine.card(id(1)).is_some() && machine.card(id(3)).is_none());
    assert_eq!(known(&machine).len(), 3);
    assert_eq!(gone(&tell(&mut machine, now, vec![card(5, 1, 1).sign(&key(5))])), []);
    assert!(machine.card(id(5)).is_none(), "who is not linked drives nobody out");
}

#[test]
fn as_many_give_way_as_a_large_card_needs_and_none_when_that_is_not_enough() {
    let mut book = Book::new(100, 105 * MAX_TOPICS, 1000 * SECOND);
    let stays = |node| node == id(1) || node == id(2);
    for number in 3..=6 {
        let now = Time::ZERO + u32::from(number) * SECOND;
        book.take(now, crowded(number, MAX_TOPICS / 4 - 20, 0).sign(&key(number)), stays);
    }
    let now = Time::ZERO + 9 * SECOND;
    let before = book.digest();
    book.take(now, crowded(1, MAX_TOPICS * 2, 0).sign(&key(1)), stays);
    assert_eq!((book.len(), book.digest()), (4, before));
    book.take(now, crowded(2, MAX_TOPICS / 2, 0).sign(&key(2)), stays);
    let left: Vec<NodeId> = book.cards().map(|card| card.node).collect();
    assert_eq!(left.len(), 3);
    assert!([2, 5, 6].iter().all(|number| left.contains(&id(*number))));
    let mut same = Book::new(100, usize::MAX, 1000 * SECOND);
    for card in [crowded(2, 0, 0), crowded(5, 0, 0), crowded(6, 0, 0)] {
        let owner = (2..7).find(|number| id(*number) == card.node).unwrap();
        same.take(now, card.sign(&key(owner)), stays);
    }
    assert_eq!(book.digest(), same.digest(), "the same nodes and versions");
}

#[test]
fn nodes_that_are_linked_know_each_other_though_phantoms_fill_the_book() {
    let mut full = settings(0);
    full.config.max_cards = 4;
    let mut machine = DiscoveryMachine::new(full, 0);
    for number in 100..110 {
        let phantom = Card { addresses: Vec::new(), ..card(number, 1, 1) };
        tell(&mut machine, Time::ZERO, vec![phantom.sign(&key(number))]);
    }
    let mut world = World::new();
    world.adopt(0, machine);
    for number in 1..=3 {
        world.start(number, Settings { bootstrap: vec![address(0)], ..settings(number) });
    }
    world.run(SECOND);
    assert!((1..=3).all(|number| world.knows(0, number)));
    assert_eq!(world.known(0), 3);
}

#[test]
fn a_full_book_takes_no_new_node_and_says_so_once() {
    let mut full = settings(0);
    full.config.max_cards = 3;
    let mut machine = alone(full);
    let cards = (2..9).map(|n| card(n, 1, 1).sign(&key(n))).collect();
    let outputs = tell(&mut machine, Time::ZERO, cards);
    let notices = outputs.iter().filter(|o| matches!(o, Output::Notice(Notice::CardsFull { .. })));
    assert_eq!((known(&machine).len(), notices.count()), (2, 1));
    tell(&mut machine, Time::ZERO, vec![card(2, 1, 2).sign(&key(2))]);
    assert!(known(&machine).contains(&(Life(1), 2)), "who is known may change");
}

#[test]
fn cards_cost_no_more_memory_than_allowed_in_all() {
    let mut full = settings(0);
    // Room for four such cards and a part of the fifth.
    full.config.max_card_bytes = 4 * 105 * MAX_TOPICS + 50 * MAX_TOPICS;
    let mut machine = alone(full);
    let cards = (2..9).map(|n| crowded(n, MAX_TOPICS, 0).sign(&key(n))).collect();
    let outputs = tell(&mut machine, Time::ZERO, cards);
    let notices = outputs.iter().filter(|o| matches!(o, Output::Notice(Notice::CardsFull { .. })));
    assert_eq!((known(&machine).len(), notices.count()), (4, 1));
    tell(&mut machine, Time::ZERO, vec![card(9, 1, 1).sign(&key(9))]);
    assert_eq!(known(&machine).len(), 5, "a small one still fits");
    let grown = Card { version: 2, ..crowded(9, MAX_TOPICS, 0) };
    tell(&mut machine, Time::ZERO, vec![grown.sign(&key(9))]);
    assert_eq!(known(&machine), [(Life(1), 1); 5], "but it may not grow");
    tell(&mut machine, Time::ZERO, vec![card(2, 1, 2).sign(&key(2))]);
    tell(&mut machine, Time::ZERO, vec![grown.sign(&key(9))]);
    let second = known(&machine).into_iter().filter(|rank| *rank == (Life(1), 2));
    assert_eq!(second.count(), 2, "until another one shrinks");
}

#[test]
fn cards_that_do_not_fit_are_not_asked_for_again_and_again() {
    let mut book = Book::new(100, 50 * MAX_TOPICS, 1000 * SECOND);
    let mut take = |card: Card, number| {
        book.take(Time::ZERO, card.sign(&key(number)), |_| false);
        (book.len(), book.has_room(), book.has_room_for(id(2)))
    };
    assert_eq!(take(crowded(2, MAX_TOPICS / 4, 0), 2), (1, true, true));
    assert_eq!(take(crowded(3, MAX_TOPICS, 0), 3), (1, false, false));
    assert_eq!(take(card(3, 1, 1), 3), (2, false, false));
    assert_eq!(take(card(3, 1, 2), 3), (2, false, false), "as large as before");
    assert_eq!(take(card(2, 1, 2), 2), (2, true, true));
}
