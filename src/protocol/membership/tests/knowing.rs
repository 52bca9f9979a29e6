//! Spec, "Links" and "Knowing", and the bound on members.

use super::room::{LIFE, Room, SECOND, id, left, questions, told, wants};
use crate::base::codec::to_cbor;
use crate::base::id::Life;
use crate::protocol::membership::{Input, Output, Standing};

#[test]
fn a_link_makes_a_peer_alive_its_end_unreachable_and_the_next_brings_it_back() {
    let mut room = Room::new();
    room.input(Input::Known { node: id(1), life: Life(4) });
    let online = [Output::Online { node: id(1), life: LIFE }];
    assert_eq!(wants(room.links(id(1), LIFE)), online);
    assert_eq!(room.unlinks(id(1)), [Output::Unreachable { node: id(1) }]);
    assert_eq!(room.standing(id(1)), Some(Standing::Unreachable));
    assert_eq!(room.unlinks(id(1)), [], "told once");
    assert_eq!(wants(room.links(id(1), LIFE)), online);
}

#[test]
fn a_link_in_a_life_that_is_over_is_to_be_closed_and_nothing_goes_over_it() {
    let mut room = Room::new();
    room.input(Input::Known { node: id(1), life: LIFE });
    assert_eq!(room.links(id(1), Life(4)), [Output::Unlink { peer: id(1) }]);
    room.knows(2);
    let wanted = room.hears(id(3), vec![left(2, LIFE)]);
    assert_eq!(told(&wanted), [], "it is as good as not linked");
    assert_eq!(room.unlinks(id(1)), [], "nor missed");
    assert_eq!(room.standing(id(1)), Some(Standing::Alive));
}

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
    room.links(id(1), LIFE);
    room.unlinks(id(1));
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
    room.links(id(1), LIFE);
    room.hears(id(2), vec![left(1, LIFE)]);
    let lives: Vec<Life> =
        room.machine.members().map(|(_, member)| member.incarnation.life).collect();
    assert_eq!(lives, [Life(6)]);
}

#[test]
fn a_node_is_known_while_it_has_a_link_a_card_or_a_good_bye() {
    let mut room = Room::new();
    room.input(Input::Known { node: id(1), life: LIFE });
    room.links(id(1), LIFE);
    room.input(Input::Forgotten { node: id(1) });
    assert_eq!(room.standing(id(1)), Some(Standing::Alive), "it is linked");
    room.unlinks(id(1));
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
    let mut come_and_go = |numbers: std::ops::RangeInclusive<u8>| {
        for number in numbers {
            let asked = questions(&room.links(id(number), LIFE));
            room.unlinks(id(number));
            for token in asked {
                room.input(Input::Settled { token });
            }
        }
        room.wait(SECOND);
        assert_eq!(room.machine.members().count(), 0);
        to_cbor(&room.machine).len()
    };
    let before = come_and_go(1..=1);
    let after = come_and_go(2..=100);
    assert!(after < before + 64, "{before} bytes, then {after}");
}

#[test]
fn we_are_no_member_of_our_own_list() {
    let mut room = Room::new();
    assert_eq!(room.input(Input::Known { node: id(0), life: LIFE }), []);
    assert_eq!(room.machine.members().count(), 0);
}
