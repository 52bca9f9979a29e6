//! Whose turn it is, case by case.

use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use crate::base::time::Time;
use crate::net::carrier::turns::{HOLD, Turns};

const NOW: Time = Time::ZERO;

fn one() -> ConnectionId {
    ConnectionId::new_unchecked(1)
}

fn two() -> ConnectionId {
    ConnectionId::new_unchecked(2)
}

/// The smaller and the larger of two ids.
fn ids() -> (PeerId, PeerId) {
    let (a, b) = (PeerId::random(), PeerId::random());
    (a.min(b), a.max(b))
}

#[test]
fn what_the_smaller_side_dialled_is_spoken_on_at_once_by_both() {
    let (small, large) = ids();
    for (me, peer, by_us) in [(small, large, true), (large, small, false)] {
        let mut turns = Turns::new(me);
        turns.opened(NOW, peer, one(), by_us);
        assert_eq!(turns.next(NOW), Some((peer, one())));
        assert_eq!((turns.next(NOW), turns.deadline()), (None, None));
    }
}

#[test]
fn the_larger_side_waits_on_its_own_dial_until_the_smaller_one_speaks() {
    let (small, large) = ids();
    let mut turns = Turns::new(large);
    turns.opened(NOW, small, one(), true);
    assert_eq!((turns.next(NOW), turns.deadline()), (None, Some(NOW + HOLD)));
    turns.heard(small, one());
    assert_eq!(turns.next(NOW), Some((small, one())));
}

#[test]
fn the_smaller_side_speaks_on_the_others_dial_only_when_it_does_not_dial_itself() {
    let (small, large) = ids();
    for target in [Some(large), None] {
        let mut turns = Turns::new(small);
        turns.dialling(two(), target);
        turns.opened(NOW, large, one(), false);
        assert_eq!(turns.next(NOW), None, "its own dial may lead there");
        turns.not_dialled(two());
        assert_eq!(turns.next(NOW), Some((large, one())));
    }
    let mut turns = Turns::new(small);
    turns.dialling(two(), Some(PeerId::random()));
    turns.opened(NOW, large, one(), false);
    assert_eq!(turns.next(NOW), Some((large, one())), "a dial elsewhere is no reason to wait");
}

#[test]
fn of_two_that_dial_each_other_both_speak_on_the_one_that_stands() {
    let (small, large) = ids();
    let mut turns = Turns::new(small);
    turns.dialling(two(), Some(large));
    turns.opened(NOW, large, one(), false);
    assert_eq!(turns.next(NOW), None);
    turns.opened(NOW, large, two(), true);
    assert_eq!(turns.next(NOW), Some((large, two())));

    let mut turns = Turns::new(large);
    turns.opened(NOW, small, one(), true);
    assert_eq!(turns.next(NOW), None);
    turns.opened(NOW, small, two(), false);
    assert_eq!(turns.next(NOW), Some((small, two())));
}

#[test]
fn nobody_waits_longer_than_the_hold() {
    let (small, large) = ids();
    let mut turns = Turns::new(large);
    turns.opened(NOW, small, one(), true);
    assert_eq!(turns.next(NOW + HOLD - Duration::from_micros(1)), None);
    assert_eq!(turns.next(NOW + HOLD), Some((small, one())));
}

#[test]
fn a_connection_keeps_its_turn_until_it_is_closed() {
    let (small, large) = ids();
    let mut turns = Turns::new(small);
    turns.opened(NOW, large, one(), false);
    assert_eq!(turns.next(NOW), Some((large, one())));
    turns.opened(NOW, large, two(), true);
    assert_eq!(turns.next(NOW), None);
    turns.closed(large, one());
    assert_eq!(turns.next(NOW), Some((large, two())));
    turns.closed(large, two());
    assert_eq!((turns.next(NOW), turns.deadline()), (None, None));
}
