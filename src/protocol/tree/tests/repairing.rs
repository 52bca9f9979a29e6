use super::room::{Light, Room, frame, ms, node, source};
use crate::protocol::tree::wire::Run;
use crate::protocol::tree::{Input, Message, Output};

fn graft(out: Vec<(usize, Message)>) -> Vec<(usize, u64, u64)> {
    let grafts = out.into_iter().filter_map(|(to, message)| match message {
        Message::Graft(run) => Some((to, run.from, run.to)),
        _ => None,
    });
    grafts.collect()
}

#[test]
fn an_announced_frame_is_asked_for_when_it_does_not_come_in_time() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.announce(2, source, 2, 4);
    let out = room.wait(ms(19));
    assert_eq!(graft(room.said(&out)), []);
    let out = room.wait(ms(1));
    assert_eq!(graft(room.said(&out)), [(2, 2, 4)]);
}

#[test]
fn a_frame_that_comes_in_time_is_not_asked_for() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.announce(2, source, 2, 2);
    room.wait(ms(10));
    room.hear(0, frame(source, 2));
    let out = room.wait(ms(1_000));
    assert_eq!(graft(room.said(&out)), []);
}

#[test]
fn a_frame_is_waited_for_while_frames_before_it_come() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.announce(1, source, 9, 9);
    for sequence in 2..=8 {
        let out = room.wait(ms(15));
        assert_eq!(graft(room.said(&out)), []);
        room.hear(0, frame(source, sequence));
    }
    let out = room.wait(ms(20));
    assert_eq!(graft(room.said(&out)), [(1, 9, 9)]);
}

#[test]
fn a_gap_is_asked_for_from_who_brought_the_later_frame_and_then_from_others() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.hear(0, frame(source, 4));
    let out = room.wait(ms(20));
    assert_eq!(graft(room.said(&out)), [(0, 2, 3)]);
    let out = room.wait(ms(20));
    assert_eq!(graft(room.said(&out)), [(1, 2, 3)]);
    room.hear(1, frame(source, 2));
    room.hear(1, frame(source, 3));
    let out = room.wait(ms(1_000));
    assert_eq!(graft(room.said(&out)), []);
}

#[test]
fn what_nobody_gives_is_dropped_and_counted() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.announce(0, source, 7, 7);
    // Each is waited for twice as long as before: 20 ms, 40 ms, ...
    room.wait(ms(20 + 2 * (20 + 40 + 80) + 10));
    assert_eq!(room.machine.stats().grafts_for_missing, 7, "three rounds of two, and a fourth");
    room.wait(ms(11_000));
    assert_eq!(room.machine.stats().unrepaired, 1, "{:?}", room.machine.stats());
    assert_eq!(room.machine.stats().grafts_for_missing, 16, "as long as it is kept");
    assert_eq!(room.machine.wants.len(), 0);
}

#[test]
fn without_a_parent_the_first_to_announce_is_asked_at_once() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.give(Input::Down { peer: room.peers[0] });
    room.announce(2, source, 2, 2);
    let out = room.wait(ms(0));
    assert_eq!(graft(room.said(&out)), [(2, 2, 2)]);
    room.announce(1, source, 3, 3);
    let out = room.wait(ms(10));
    assert_eq!(graft(room.said(&out)), [], "one way is being made already");
}

#[test]
fn a_graft_gives_what_is_kept_and_everything_that_comes() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.give(Input::Publish(frame(source, 1)));
    room.tell(0, Message::Prune(source));
    room.give(Input::Publish(frame(source, 2)));
    room.wait(ms(20));
    room.give(Input::Publish(frame(source, 3)));
    let out = room.tell(0, Message::Graft(Run { source, from: 1, to: 2 }));
    assert_eq!((room.receivers(&out, 1), room.receivers(&out, 2)), (vec![0], vec![0]));
    let news = Run { source, from: 3, to: 3 };
    assert_eq!(room.said(&out), [(0, Message::Announce(vec![news]))], "not announced yet");
    let out = room.give(Input::Publish(frame(source, 4)));
    assert_eq!(room.receivers(&out, 4).len(), 2);
}

#[test]
fn a_new_neighbour_hears_of_the_newest_frames() {
    let mut room = Room::new(2);
    let source = source(node(99));
    for sequence in 1..=3 {
        room.give(Input::Publish(frame(source, sequence)));
    }
    let peer = node(1);
    room.give(Input::Down { peer });
    let out = room.give(Input::Up { peer, round_trip: None });
    let run = Run { source, from: 1, to: 3 };
    assert_eq!(room.said(&out), [(0, Message::Announce(vec![run]))]);
    room.give(Input::Parted { peer, bucket: 3 });
    let out = room.give(Input::Joined { peer, bucket: 3 });
    assert_eq!(room.said(&out).len(), 1);
    room.give(Input::Down { peer });
    room.wait(ms(11_000));
    let out = room.give(Input::Up { peer, round_trip: None });
    assert!(room.said(&out).is_empty(), "the source is quiet, its frames are kept no more");
}

#[test]
fn who_announces_clearly_before_the_frames_is_asked_to_send_them() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.hear(1, frame(source, 1));
    room.wait(ms(100));
    for sequence in 2..=9 {
        room.announce(1, source, sequence, sequence);
        room.wait(ms(8));
        let out = room.hear(0, frame(source, sequence));
        let expected = if sequence < 9 { vec![] } else { vec![(1, 10, 9)] };
        assert_eq!(graft(room.said(&out)), expected);
    }
    // From now on it is faster, and the old parent is told so.
    room.hear(1, frame(source, 10));
    let out = room.hear(0, frame(source, 10));
    assert_eq!(room.said(&out), [(0, Message::Prune(source))]);
}

#[test]
fn who_was_slow_to_give_what_was_asked_for_is_waited_for_before_others_are_asked() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.hear(0, frame(source, 3));
    room.wait(ms(20));
    let out = room.wait(ms(40));
    assert_eq!(graft(room.said(&out)).len(), 2, "at first the others follow soon");
    room.hear(0, frame(source, 2));
    room.wait(ms(100));
    // It took 40 ms.
    room.hear(0, frame(source, 5));
    room.hear(0, frame(source, 6));
    let out = room.wait(ms(20 + 39));
    assert_eq!(graft(room.said(&out)), [(0, 4, 4)]);
    let out = room.wait(ms(2));
    assert_eq!(graft(room.said(&out)), [(1, 4, 4)]);
}

#[test]
fn a_parent_that_paused_of_late_may_pause_as_long_again() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.wait(ms(200));
    room.hear(0, frame(source, 2));
    room.announce(1, source, 3, 3);
    let out = room.wait(ms(190));
    assert_eq!(graft(room.said(&out)), []);
    let out = room.wait(ms(20));
    assert_eq!(graft(room.said(&out)), [(1, 3, 3)]);
    // What comes without a pause lets it forget that.
    let mut sequence = 3;
    for _ in 0..200 {
        room.hear(0, frame(source, sequence));
        room.wait(ms(5));
        sequence += 1;
    }
    room.announce(1, source, sequence, sequence);
    let out = room.wait(ms(20));
    assert_eq!(graft(room.said(&out)), [(1, sequence, sequence)]);
}

/// What is missing before that cannot come from the parent: links keep the order.
#[test]
fn what_the_parent_passed_over_is_asked_for_though_the_parent_is_held() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    room.announce(1, source, 2, 2);
    // The link to the other neighbour is full.
    let out = room.hear(0, Light { bytes: 2 << 20, ..frame(source, 3) });
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: true }));
    let out = room.wait(ms(100));
    assert!(graft(room.said(&out)).contains(&(1, 2, 2)));
}

#[test]
fn a_frame_with_many_gaps_behind_it_is_still_missing() {
    let mut room = Room::new(2);
    let source = source(node(99));
    for sequence in (1..=400).step_by(2) {
        room.hear(0, frame(source, sequence));
    }
    let out = room.hear(1, frame(source, 2));
    assert!(out.iter().any(|output| matches!(output, Output::Deliver { .. })), "{out:?}");
}

#[test]
fn announcements_that_overtake_a_stream_do_not_change_the_tree() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    for burst in 0..50 {
        let first = 2 + 4 * burst;
        room.announce(1, source, first, first + 3);
        room.wait(ms(15));
        for sequence in first..first + 4 {
            room.hear(0, frame(source, sequence));
        }
    }
    assert_eq!(room.machine.stats().grafts_for_latency, 0);
}
