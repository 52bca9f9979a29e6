//! Spec, "Knowing", and the bound on members.

use super::room::{LIFE, Room, id, left, ours};
use crate::base::id::Life;
use crate::base::machine::Machine;
use crate::protocol::membership::{Input, Output, Standing};

#[test]
fn a_card_makes_a_node_known_and_alive_once() {
    let mut room = Room::new();
    let known = Input::Known { node: id(1), life: LIFE };
    assert_eq!(room.input(known.clone()), [Output::Online { node: id(1), life: LIFE }]);
    assert_eq!(room.input(known), []);
}

#[test]
fn a_card_of_the_same_life_does_not_revive_a_node_that_is_missed() {
    let mut room = Room::new();
    room.input(Input::Known { node: id(1), life: LIFE });
    room.opens(id(1), LIFE, ours(1));
    room.closes(id(1), 1);
    assert_eq!(room.input(Input::Known { node: id(1), life: LIFE }), []);
    assert_eq!(room.standing(id(1)), Some(Standing::Unreachable));
    let newer = Input::Known { node: id(1), life: Life(6) };
    assert_eq!(room.input(newer), [Output::Online { node: id(1), life: Life(6) }]);
}

#[test]
fn the_life_known_of_a_node_never_falls() {
    let mut room = Room::new();
    room.input(Input::Known { node: id(1), life: Life(6) });
    room.input(Input::Known { node: id(1), life: LIFE });
    room.opens(id(1), LIFE, ours(1));
    room.hears(id(2), vec![left(1, LIFE)]);
    let lives: Vec<Life> = room.machine.members().map(|(_, member)| member.life).collect();
    assert_eq!(lives, [Life(6)]);
}

#[test]
fn a_node_is_known_while_it_has_a_link_a_card_or_a_good_bye() {
    let mut room = Room::new();
    room.input(Input::Known { node: id(1), life: LIFE });
    room.opens(id(1), LIFE, ours(1));
    room.input(Input::Forgotten { node: id(1) });
    assert_eq!(room.standing(id(1)), Some(Standing::Alive), "it is linked");
    room.closes(id(1), 1);
    assert_eq!(room.standing(id(1)), None);

    room.input(Input::Known { node: id(2), life: LIFE });
    room.input(Input::Forgotten { node: id(2) });
    assert_eq!(room.standing(id(2)), None);

    room.knows(3);
    room.hears(id(9), vec![left(3, LIFE)]);
    room.input(Input::Forgotten { node: id(3) });
    assert_eq!(room.standing(id(3)), Some(Standing::Left));
}

#[test]
fn peers_that_come_and_go_without_a_card_leave_nothing_behind() {
    let mut room = Room::new();
    for number in 1..=100 {
        room.opens(id(number), LIFE, ours(number.into()));
        room.closes(id(number), number.into());
    }
    assert_eq!(room.machine.members().count(), 0);
    assert_eq!(room.machine.deadline(), None);
}

#[test]
fn we_are_no_member_of_our_own_list() {
    let mut room = Room::new();
    assert_eq!(room.input(Input::Known { node: id(0), life: LIFE }), []);
    assert_eq!(room.machine.members().count(), 0);
}
