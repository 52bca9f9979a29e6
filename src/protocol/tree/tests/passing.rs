use super::room::{Room, frame, ms, node, source};
use crate::protocol::tree::wire::Run;
use crate::protocol::tree::{Input, Message, Output};

#[test]
fn a_first_copy_is_delivered_and_goes_to_all_but_who_brought_it_and_who_wrote_it() {
    let mut room = Room::new(4);
    let source = source(room.peers[3]);
    let out = room.hear(1, frame(source, 1));
    assert_eq!(out[0], Output::Deliver { from: room.peers[1], frame: frame(source, 1) });
    assert_eq!(room.receivers(&out, 1), [0, 2]);
}

#[test]
fn a_frame_goes_only_to_who_takes_part_in_its_bucket() {
    let mut room = Room::new(3);
    room.give(Input::Parted { peer: room.peers[1], bucket: 3 });
    let out = room.give(Input::Publish(frame(source(node(99)), 1)));
    assert_eq!(room.receivers(&out, 1), [0, 2]);
    room.give(Input::Down { peer: room.peers[0] });
    room.wait(ms(10));
    let out = room.give(Input::Publish(frame(source(node(99)), 2)));
    assert_eq!(room.receivers(&out, 2), [2]);
}

#[test]
fn who_brings_a_further_copy_is_pruned_and_gets_announcements_from_now_on() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    let out = room.hear(1, frame(source, 1));
    assert_eq!(room.said(&out), [(1, Message::Prune(source))]);
    assert!(out.contains(&Output::Copy { from: room.peers[1], name: frame(source, 1).name }));
    room.wait(ms(20));
    let out = room.hear(0, frame(source, 2));
    assert_eq!(room.receivers(&out, 2), [2]);
    let run = Run { source, from: 2, to: 2 };
    let out = room.wait(ms(20));
    assert_eq!(room.said(&out), [(1, Message::Announce(vec![run]))]);
}

#[test]
fn a_copy_sent_before_the_prune_came_does_not_change_the_parent() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.hear(1, frame(source, 1));
    room.hear(1, frame(source, 2));
    let out = room.hear(0, frame(source, 2));
    assert!(room.said(&out).is_empty(), "the parent is pruned: {out:?}");
}

#[test]
fn who_goes_on_sending_is_pruned_again_but_not_at_once() {
    let mut room = Room::new(2);
    let source = source(node(99));
    let mut prunes = 0;
    for sequence in 1..=10 {
        room.hear(0, frame(source, sequence));
        let out = room.hear(1, frame(source, sequence));
        prunes += room.said(&out).iter().filter(|(to, _)| *to == 1).count();
        room.wait(ms(5));
    }
    assert!((2..=4).contains(&prunes), "{prunes} prunes in 50 ms with 20 ms of patience");
}

#[test]
fn whoever_is_pruned_by_a_neighbour_only_announces_to_it() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.give(Input::Publish(frame(source, 1)));
    room.tell(0, Message::Prune(source));
    room.wait(ms(10));
    let out = room.give(Input::Publish(frame(source, 2)));
    assert_eq!(room.receivers(&out, 2), [1]);
}

#[test]
fn announcements_are_gathered_as_runs() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.give(Input::Publish(frame(source, 1)));
    room.wait(ms(20));
    room.tell(0, Message::Prune(source));
    for sequence in 2..=50 {
        room.give(Input::Publish(frame(source, sequence)));
    }
    let out = room.wait(ms(9));
    assert!(room.said(&out).is_empty());
    let out = room.wait(ms(1));
    let run = Run { source, from: 2, to: 50 };
    assert_eq!(room.said(&out), [(0, Message::Announce(vec![run]))]);
    let out = room.wait(ms(1_000));
    assert!(room.said(&out).is_empty(), "everything was said");
}

#[test]
fn own_frames_of_a_new_source_wait_a_round_trip_for_its_first_one() {
    let mut room = Room::new(2);
    let source = source(node(99));
    let out = room.give(Input::Publish(frame(source, 1)));
    assert_eq!(room.receivers(&out, 1), [0, 1]);
    let out = room.give(Input::Publish(frame(source, 2)));
    assert_eq!(room.receivers(&out, 2), [0; 0]);
    room.tell(0, Message::Prune(source));
    let out = room.wait(ms(10));
    assert_eq!(room.receivers(&out, 2), [1]);
    let mut later = source;
    later.life.0 += 1;
    room.give(Input::Publish(frame(later, 1)));
    let out = room.give(Input::Publish(frame(later, 2)));
    assert_eq!(room.receivers(&out, 2), [1], "its tree is known");
}

#[test]
fn a_new_source_of_an_author_begins_with_the_links_of_its_last_one() {
    let mut room = Room::new(3);
    let first = source(node(99));
    room.hear(0, frame(first, 1));
    room.hear(1, frame(first, 1));
    let mut second = first;
    second.life.0 += 1;
    let out = room.hear(0, frame(second, 1));
    assert_eq!(room.receivers(&out, 1), [2]);
}
