//! The spec, but for what two sides must agree on.

use super::room::{LIFE, MS, Room, closed, id, id_that_is, ours, theirs};
use crate::base::id::Life;
use crate::base::machine::Machine;
use crate::protocol::link::{Input, LinkId, Output, WatchConfig};

#[test]
fn the_first_connection_is_the_link() {
    let mut room = Room::new();
    let link = ours(1);
    let address = link.dialled.clone();
    let wanted = room.opens(id(1), LIFE, link);
    assert_eq!(wanted, [Output::Linked { peer: id(1), life: LIFE, address }]);
    assert!(room.is_linked(id(1)));
}

#[test]
fn of_two_dialled_from_different_sides_the_one_of_the_smaller_id_is_kept() {
    for (peer_is_smaller, mine_first) in
        [(true, true), (true, false), (false, true), (false, false)]
    {
        let peer = id_that_is(peer_is_smaller);
        let mut room = Room::new();
        let (first, second) = if mine_first { (ours(1), theirs(2)) } else { (theirs(2), ours(1)) };
        room.opens(peer, LIFE, first);
        assert_eq!(room.opens(peer, LIFE, second), [], "nothing is closed at once");
        let loser = if peer_is_smaller { 1 } else { 2 };
        assert_eq!(closed(&room.wait(299 * MS)), [], "what is under way arrives");
        assert_eq!(closed(&room.wait(MS)), [LinkId(loser)]);
        assert_eq!(room.closes(peer, loser), []);
        assert!(room.is_linked(peer));
    }
}

#[test]
fn of_two_dialled_here_the_newer_is_kept() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, ours(1));
    room.opens(id(1), LIFE, ours(2));
    assert_eq!(closed(&room.wait(300 * MS)), [LinkId(1)]);
}

#[test]
fn of_two_dialled_there_the_older_is_closed_only_after_patience() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, theirs(1));
    room.opens(id(1), LIFE, theirs(2));
    assert_eq!(closed(&room.wait(1_999 * MS)), []);
    assert_eq!(closed(&room.wait(MS)), [LinkId(1)]);
}

#[test]
fn when_the_dialler_closes_the_one_we_would_keep_the_other_lives_on() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, theirs(1));
    room.opens(id(1), LIFE, theirs(2));
    assert_eq!(room.closes(id(1), 2), []);
    assert_eq!(closed(&room.wait(10_000 * MS)), [], "the one that is left is the link");
    assert!(room.is_linked(id(1)));
}

#[test]
fn a_second_connection_after_the_tie_window_closes_everything() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, theirs(1));
    room.wait(2_001 * MS);
    assert_eq!(closed(&room.opens(id(1), LIFE, theirs(2))), [LinkId(1), LinkId(2)]);
    assert_eq!(room.closes(id(1), 1), [], "not before the last one is gone");
    assert_eq!(room.closes(id(1), 2), [Output::Unlinked { peer: id(1) }]);
}

#[test]
fn a_newer_life_closes_everything_and_is_told_with_the_next_link() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, theirs(1));
    assert_eq!(closed(&room.opens(id(1), Life(6), theirs(2))), [LinkId(1), LinkId(2)]);
    room.closes(id(1), 1);
    room.closes(id(1), 2);
    let wanted = room.opens(id(1), Life(6), theirs(3));
    assert_eq!(wanted, [Output::Linked { peer: id(1), life: Life(6), address: None }]);
}

#[test]
fn what_comes_while_everything_is_being_closed_is_closed_too() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, theirs(1));
    room.wait(2_001 * MS);
    room.opens(id(1), LIFE, theirs(2));
    room.closes(id(1), 1);
    assert!(closed(&room.opens(id(1), LIFE, theirs(3))).contains(&LinkId(3)));
    assert_eq!(room.closes(id(1), 2), []);
    assert!(room.closes(id(1), 3).contains(&Output::Unlinked { peer: id(1) }));
}

#[test]
fn a_connection_in_an_older_life_is_closed() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, theirs(1));
    assert_eq!(room.opens(id(1), Life(4), theirs(2)), [Output::Close(LinkId(2))]);
    assert_eq!(room.closes(id(1), 2), [], "it never was the link");
    assert!(room.is_linked(id(1)));
}

#[test]
fn who_is_to_be_unlinked_loses_all_connections_and_may_come_back_afterwards() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, ours(1));
    room.opens(id(1), LIFE, ours(2));
    room.opens(id(2), LIFE, ours(3));
    let wanted = room.input(Input::Unlink { peer: id(1) });
    assert_eq!(closed(&wanted), [LinkId(1), LinkId(2)]);
    assert!(closed(&room.opens(id(1), LIFE, theirs(4))).contains(&LinkId(4)), "not yet clean");
    assert_eq!(closed(&room.wait(10_000 * MS)), [], "they were named");
    assert_eq!([1, 2].map(|link| room.closes(id(1), link)), [[], []]);
    assert_eq!(room.closes(id(1), 4), [Output::Unlinked { peer: id(1) }]);
    assert_eq!(room.opens(id(1), LIFE, theirs(5)).len(), 1);
    assert!(room.is_linked(id(1)) && room.is_linked(id(2)));
}

fn pinged(room: &mut Room, link: u64, answered: bool) -> Vec<LinkId> {
    closed(&room.input(Input::Pinged { peer: id(1), link: LinkId(link), answered }))
}

#[test]
fn only_failed_pings_in_a_row_close_a_link() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, ours(1));
    assert_eq!(pinged(&mut room, 1, false), []);
    assert_eq!(pinged(&mut room, 1, true), []);
    assert_eq!(pinged(&mut room, 1, false), []);
    assert_eq!(pinged(&mut room, 1, false), [LinkId(1)]);
}

#[test]
fn failed_pings_of_another_connection_are_not_those_of_the_link() {
    let mut room = Room::new();
    room.opens(id(1), LIFE, ours(1));
    assert_eq!(pinged(&mut room, 1, false), []);
    room.opens(id(1), LIFE, ours(2));
    assert_eq!(pinged(&mut room, 1, false), [], "it lost");
    assert_eq!(pinged(&mut room, 2, false), [], "its first");
    assert_eq!(pinged(&mut room, 2, false), [LinkId(1), LinkId(2)]);
}

#[test]
fn only_complaints_within_the_window_close_a_link() {
    let slow_window = 5_000 * MS;
    let config = WatchConfig { slow_limit: 3, slow_window, ..WatchConfig::default() };
    let mut room = Room::with(config);
    room.opens(id(1), LIFE, ours(1));
    let slow = |room: &mut Room| closed(&room.input(Input::Slow { peer: id(1) }));
    assert_eq!(slow(&mut room), []);
    assert_eq!(slow(&mut room), []);
    room.wait(5_001 * MS);
    assert_eq!(slow(&mut room), [], "the first two are history");
    assert_eq!(slow(&mut room), []);
    assert_eq!(slow(&mut room), [LinkId(1)]);
}

#[test]
fn what_is_said_of_unknown_links_changes_nothing() {
    let mut room = Room::new();
    assert_eq!(room.closes(id(1), 9), []);
    assert_eq!(pinged(&mut room, 9, false), []);
    assert_eq!(room.input(Input::Slow { peer: id(1) }), []);
    assert_eq!(room.input(Input::Unlink { peer: id(1) }), []);
    assert_eq!(room.machine.deadline(), None);
}
