//! Spec, "Leaving".

use super::room::{LIFE, MS, Room, good_byes, id, key, left, rejected, told, wants};
use crate::base::id::Life;
use crate::base::machine::Machine;
use crate::base::token::Token;
use crate::protocol::membership::wire::Left;
use crate::protocol::membership::{Flaw, Input, MembershipConfig, Message, Output, Standing};

#[test]
fn a_node_may_stop_when_all_peers_have_noted_its_good_bye() {
    let mut room = Room::new();
    room.links(id(1), LIFE);
    room.links(id(2), LIFE);
    let wanted = room.input(Input::Leave);
    let own = vec![left(0, LIFE)];
    let mut asked = vec![(id(1), own.clone()), (id(2), own)];
    asked.sort_by_key(|(peer, _)| *peer);
    assert_eq!(told(&wanted), asked);
    let [first, second] = good_byes(&wanted)[..] else { panic!("two questions") };
    assert_eq!(room.input(Input::Settled { token: first }), []);
    assert_eq!(room.input(Input::Leave), [], "it says so once");
    assert_eq!(room.input(Input::Settled { token: second }), [Output::MayStop]);
    assert_eq!(room.machine.deadline(), None);
}

#[test]
fn a_node_without_peers_may_stop_at_once() {
    assert_eq!(Room::new().input(Input::Leave), [Output::MayStop]);
}

#[test]
fn a_node_may_stop_after_patience_and_hears_it_once() {
    let mut room = Room::new();
    room.links(id(1), LIFE);
    let token = good_byes(&room.input(Input::Leave))[0];
    assert_eq!(room.wait(999 * MS), []);
    assert_eq!(room.wait(MS), [Output::MayStop]);
    assert_eq!(room.input(Input::Settled { token }), []);
    assert_eq!(room.input(Input::Tick), []);
}

#[test]
fn who_links_with_a_leaving_node_hears_its_good_bye_too() {
    let mut room = Room::new();
    room.links(id(1), LIFE);
    let first = good_byes(&room.input(Input::Leave))[0];
    let late = room.links(id(2), LIFE);
    assert_eq!(told(&late), [(id(2), vec![left(0, LIFE)])]);
    assert_eq!(room.input(Input::Settled { token: first }), []);
    let wanted = room.input(Input::Settled { token: good_byes(&late)[0] });
    assert_eq!(wanted, [Output::MayStop]);
}

#[test]
fn a_good_bye_that_is_news_is_noted_and_passed_on_to_the_others() {
    let mut room = Room::new();
    for number in 1..=4 {
        room.links(id(number), LIFE);
    }
    room.hears(id(4), vec![left(4, LIFE)]);
    let record = left(1, LIFE);
    let wanted = room.hears(id(2), vec![record.clone()]);
    assert!(wanted.contains(&Output::Left { node: id(1), life: LIFE }));
    let noted = Output::Answer { token: Token(77), message: Message::Noted };
    assert!(wanted.contains(&noted));
    assert_eq!(told(&wanted), [(id(3), vec![record])], "not to 2, which told, nor to the left");
    assert_eq!(room.standing(id(1)), Some(Standing::Left));
    assert_eq!(room.unlinks(id(1)), [], "left, not unreachable");
}

#[test]
fn a_good_bye_heard_again_is_no_news() {
    let mut room = Room::new();
    room.knows(1);
    room.links(id(2), LIFE);
    room.links(id(3), LIFE);
    room.hears(id(2), vec![left(1, LIFE)]);
    let again = room.hears(id(3), vec![left(1, LIFE), left(1, Life(4))]);
    assert_eq!(again, [Output::Answer { token: Token(77), message: Message::Noted }]);
}

#[test]
fn a_forged_good_bye_is_counted_and_ends_the_message() {
    let mut room = Room::new();
    room.links(id(1), LIFE);
    let genuine = left(1, LIFE);
    let forgeries = [
        Left { life: Life(9), ..genuine.clone() },
        Left { node: id(2), ..genuine.clone() },
        Left { signature: Vec::new(), ..genuine.clone() },
        Left { signature: key(1).sign(b"something else"), ..genuine },
    ];
    for (number, forged) in forgeries.into_iter().enumerate() {
        room.knows(2);
        room.knows(5);
        let wanted = room.hears(id(3), vec![forged, left(5, LIFE)]);
        assert_eq!(rejected(&wanted), [(id(3), Flaw::Forged)]);
        assert_eq!(wants(wanted), [Output::Answer { token: Token(77), message: Message::Noted }]);
        assert_eq!(room.machine.stats().forged, number as u64 + 1);
    }
    assert_eq!(room.standing(id(1)), Some(Standing::Alive));
    assert_eq!(room.standing(id(5)), Some(Standing::Alive), "the rest of the message is not read");
}

#[test]
fn nobody_is_told_that_it_left_itself() {
    let mut room = Room::new();
    let wanted = room.hears(id(1), vec![left(0, LIFE), left(0, Life(99))]);
    assert_eq!(wanted, [Output::Answer { token: Token(77), message: Message::Noted }]);
}

#[test]
fn a_good_bye_replayed_to_a_newer_life_changes_nothing() {
    let mut room = Room::new();
    room.links(id(1), Life(6));
    room.hears(id(2), vec![left(1, LIFE)]);
    assert_eq!(room.standing(id(1)), Some(Standing::Alive));
}

#[test]
fn a_peer_that_was_away_hears_the_good_byes_of_the_last_while_with_their_age() {
    let mut room = Room::new();
    room.knows(1);
    room.hears(id(2), vec![left(1, LIFE)]);
    room.input(Input::Forgotten { node: id(1) });
    room.wait(60_000 * MS);
    let aged = Left { age_ms: 60_000, ..left(1, LIFE) };
    assert_eq!(told(&room.links(id(3), LIFE)), [(id(3), vec![aged])]);
    room.wait(3_540_000 * MS);
    assert_eq!(told(&room.links(id(4), LIFE)), []);
    assert_eq!(room.standing(id(1)), None, "and it is forgotten with its good-bye");
}

#[test]
fn a_good_bye_does_not_grow_younger_by_travelling() {
    let mut room = Room::new();
    room.knows(1);
    let aged = |age_ms| Left { age_ms, ..left(1, LIFE) };
    room.hears(id(2), vec![aged(3_599_000)]);
    room.wait(500 * MS);
    assert_eq!(told(&room.links(id(3), LIFE)), [(id(3), vec![aged(3_599_500)])]);
    room.wait(500 * MS);
    assert_eq!(told(&room.links(id(4), LIFE)), []);
    room.knows(6);
    room.hears(id(2), vec![Left { age_ms: 3_600_000, ..left(6, LIFE) }]);
    assert_eq!(room.standing(id(6)), Some(Standing::Alive), "what is too old is no news");
}

#[test]
fn good_byes_are_bounded_and_the_oldest_makes_room() {
    let mut room = Room::with(MembershipConfig { max_left: 2, ..MembershipConfig::default() });
    for number in 1..=3 {
        room.knows(number);
        room.hears(id(9), vec![left(number, LIFE)]);
        room.input(Input::Forgotten { node: id(number) });
    }
    let wanted = room.links(id(9), LIFE);
    assert_eq!(told(&wanted), [(id(9), vec![left(2, LIFE), left(3, LIFE)])]);
    assert_eq!(room.machine.members().count(), 3, "2, 3 and the new peer");
    (4..=6).for_each(|number| room.knows(number));
    room.hears(id(9), vec![left(4, LIFE), left(5, LIFE), left(6, LIFE)]);
    assert_eq!(
        room.standing(id(6)),
        Some(Standing::Alive),
        "at most `max_left` of a message are read"
    );
}

#[test]
fn a_link_or_card_of_a_higher_life_brings_a_node_back() {
    for by_card in [true, false] {
        let mut room = Room::new();
        room.knows(1);
        room.hears(id(2), vec![left(1, LIFE)]);
        let wanted = if by_card {
            room.input(Input::Known { node: id(1), life: Life(6) })
        } else {
            room.links(id(1), Life(6))
        };
        assert!(wanted.contains(&Output::Online { node: id(1), life: Life(6) }));
        assert_eq!(room.standing(id(1)), Some(Standing::Alive));
        let newcomer = room.links(id(3), LIFE);
        assert_eq!(told(&newcomer), [], "its good-bye is history");
    }
}

#[test]
fn the_life_that_said_good_bye_does_not_come_back() {
    let mut room = Room::new();
    room.knows(1);
    room.hears(id(2), vec![left(1, LIFE)]);
    assert_eq!(room.input(Input::Known { node: id(1), life: LIFE }), []);
    let wanted = room.links(id(1), LIFE);
    assert_eq!(wanted, [Output::Unlink { peer: id(1) }]);
    assert_eq!(room.standing(id(1)), Some(Standing::Left));
    assert_eq!(room.unlinks(id(1)), []);
    assert_eq!(room.standing(id(1)), Some(Standing::Left), "its end means nothing");
}

#[test]
fn good_byes_of_nodes_that_were_never_known_are_ignored_and_not_passed_on() {
    let mut room = Room::new();
    room.links(id(1), LIFE);
    room.links(id(2), LIFE);
    let made_up = (10..110).map(|number| left(number, LIFE)).collect();
    let wanted = room.hears(id(1), made_up);
    assert_eq!(wanted, [Output::Answer { token: Token(77), message: Message::Noted }]);
    assert_eq!(room.machine.members().count(), 2);
    assert_eq!(told(&room.links(id(3), LIFE)), [], "nor kept");
}

#[test]
fn a_good_bye_among_strangers_is_read_and_a_later_life_may_say_it_too() {
    let mut room = Room::new();
    room.knows(1);
    room.hears(id(2), vec![left(9, LIFE), left(1, LIFE)]);
    assert_eq!(room.standing(id(1)), Some(Standing::Left));
    let wanted = room.hears(id(2), vec![left(1, Life(6))]);
    assert!(wanted.contains(&Output::Left { node: id(1), life: Life(6) }), "known by its record");
}
