use super::room::{Light, Room, frame, ms, node, source};
use crate::protocol::tree::wire::Run;
use crate::protocol::tree::{Input, Message, Output, Source};

const MIB: usize = 1024 * 1024;

fn large(source: Source, sequence: u64) -> Light {
    Light { bytes: 64 * 1024, ..frame(source, sequence) }
}

/// Frames from a neighbour until its link is to be held or `most` were taken.
fn fill(room: &mut Room, from: usize, of: Source, sequences: std::ops::Range<u64>) -> Vec<u64> {
    let mut holds = Vec::new();
    for sequence in sequences {
        let out = room.hear(from, large(of, sequence));
        if out.iter().any(|output| matches!(output, Output::Hold { held: true, .. })) {
            holds.push(sequence);
        }
    }
    holds
}

#[test]
fn who_feeds_a_full_link_is_held_until_half_of_it_is_gone() {
    let mut room = Room::new(2);
    let source = source(node(99));
    assert_eq!(fill(&mut room, 0, source, 1..18), [17], "16 frames are a mebibyte");
    assert!(room.sent(1, MIB / 4).is_empty());
    let out = room.sent(1, MIB / 2);
    assert_eq!(out, [Output::Hold { from: room.peers[0], held: false }]);
}

#[test]
fn own_frames_wait_only_for_links_that_they_filled() {
    let mut room = Room::new(2);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    assert!(room.machine.room);
    let own = Source { bucket: 3, ..super::room::source(node(77)) };
    let out = room.give(Input::Publish(large(own, 1)));
    assert!(out.contains(&Output::Room(false)));
    let out = room.sent(1, MIB);
    assert!(out.contains(&Output::Room(true)));
}

#[test]
fn a_link_that_does_not_move_is_demoted_and_others_go_on() {
    let mut room = Room::new(3);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    room.sent(2, 17 * 64 * 1024);
    let out = room.wait(ms(450));
    assert!(!out.contains(&Output::Hold { from: room.peers[0], held: false }));
    let out = room.wait(ms(100));
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: false }));
    let stats = room.machine.stats();
    assert_eq!(stats.demoted_stuck + stats.demoted_slow, 1);
    let out = room.hear(0, large(source, 18));
    assert_eq!(room.receivers(&out, 18), [2]);
    let out = room.wait(ms(20));
    assert!(room.said(&out).iter().any(|(to, _)| *to == 1), "it is announced: {out:?}");
}

#[test]
fn a_demoted_link_is_eager_again_after_it_was_calm() {
    let mut room = Room::new(3);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    room.sent(2, 17 * 64 * 1024);
    room.wait(ms(1_100));
    room.sent(1, 17 * 64 * 1024);
    room.wait(ms(4_000));
    let out = room.hear(0, large(source, 18));
    assert_eq!(room.receivers(&out, 18), [2]);
    room.wait(ms(2_000));
    let out = room.hear(0, large(source, 19));
    assert_eq!(room.receivers(&out, 19), [1, 2]);
}

#[test]
fn the_only_receiver_is_waited_for_until_it_stalls() {
    let mut room = Room::new(2);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    let out = room.wait(ms(550));
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: false }), "it may be slow");
    let out = room.hear(0, large(source, 18));
    assert_eq!(room.receivers(&out, 18), [1], "nobody else would get it");
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: true }));
    let out = room.wait(ms(1_600));
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: false }));
    let out = room.hear(0, large(source, 19));
    assert_eq!(room.receivers(&out, 19), [0; 0]);
    assert_eq!(room.machine.stats().stalled, 1);
    room.sent(1, MIB);
    let out = room.hear(0, large(source, 20));
    assert_eq!(room.receivers(&out, 20), [1], "it moves again");
}

#[test]
fn links_that_are_equally_busy_are_not_demoted() {
    let mut room = Room::new(3);
    let source = source(node(99));
    let mut sequence = 1;
    for _ in 0..200 {
        let holds = fill(&mut room, 0, source, sequence..sequence + 8);
        assert!(holds.len() <= 1);
        sequence += 8;
        for peer in [1, 2] {
            room.wait(ms(10));
            room.sent(peer, 8 * 64 * 1024);
        }
    }
    let stats = room.machine.stats();
    assert_eq!((stats.demoted_slow, stats.demoted_stuck), (0, 0));
}

#[test]
fn a_link_that_makes_others_run_dry_is_demoted() {
    let mut room = Room::new(3);
    let source = source(node(99));
    let (mut sequence, mut held) = (1, false);
    for _ in 0..400 {
        while !held && sequence < 1_000 {
            let out = room.hear(0, large(source, sequence));
            sequence += 1;
            held |= out.iter().any(|output| matches!(output, Output::Hold { held: true, .. }));
            room.sent(2, 64 * 1024);
        }
        let mut out = room.wait(ms(10));
        out.extend(room.sent(1, 32 * 1024));
        held &= !out.iter().any(|output| matches!(output, Output::Hold { held: false, .. }));
    }
    assert_eq!(room.machine.stats().demoted_slow, 1);
}

#[test]
fn who_is_held_for_long_is_told_how_far_the_full_link_is() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.tell(1, Message::Waiting(1));
    fill(&mut room, 0, source, 1..18);
    room.sent(2, 17 * 64 * 1024);
    let out = room.wait(ms(40));
    assert!(room.said(&out).iter().all(|(_, said)| !matches!(said, Message::Waiting(_))));
    let out = room.wait(ms(240));
    assert!(room.said(&out).contains(&(0, Message::Waiting(2))));
    assert_eq!(room.machine.stats().demoted_slow, 0, "the neighbour may decide first");
    // It moves a little, and the neighbour does not decide.
    let mut out = Vec::new();
    for _ in 0..50 {
        out.extend(room.sent(1, 1_024));
        out.extend(room.wait(ms(100)));
    }
    assert!(room.said(&out).contains(&(0, Message::Waiting(0))));
    assert_eq!(room.machine.stats().demoted_slow, 1);
}

#[test]
fn nobody_waits_for_a_link_that_became_lazy() {
    let mut room = Room::new(2);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    let out = room.tell(1, Message::Prune(source));
    assert_eq!(out, [Output::Hold { from: room.peers[0], held: false }]);
}

#[test]
fn a_full_link_gives_way_when_others_are_ahead_even_if_nobody_else_takes_the_frames() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.tell(2, Message::Prune(source));
    room.hear(0, large(source, 1));
    room.tell(2, Message::Prune(source));
    room.sent(1, MIB);
    room.sent(2, MIB);
    // Long after anything was sent: no other link could take more.
    room.wait(ms(6_000));
    fill(&mut room, 0, source, 2..19);
    room.announce(2, source, 19, 19);
    assert_eq!(room.machine.stats().demoted_yielding, 0, "that is a moment only");
    // It moves a little: that is not why.
    let mut out = Vec::new();
    for _ in 0..11 {
        out.extend(room.wait(ms(100)));
        out.extend(room.sent(1, 1_024));
    }
    assert_eq!(room.machine.stats().demoted_yielding, 1);
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: false }));
    let out = room.hear(0, large(source, 19));
    assert_eq!(room.receivers(&out, 19), [0; 0]);
}

#[test]
fn who_looks_late_has_no_evidence_until_a_link_stood_still_for_twice_the_stall() {
    let mut room = Room::new(3);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    room.sent(2, 17 * 64 * 1024);
    for _ in 0..100 {
        room.wait(ms(50));
        room.late(ms(60));
        room.sent(1, 1_024);
    }
    let stats = room.machine.stats();
    assert_eq!((stats.demoted_slow, stats.demoted_stuck), (0, 0));
    for _ in 0..65 {
        room.late(ms(60));
    }
    assert_eq!(room.machine.stats().demoted_stuck, 0);
    for _ in 0..3 {
        room.late(ms(60));
    }
    assert_eq!(room.machine.stats().demoted_stuck, 1, "it did not move at all");
}

#[test]
fn who_is_behind_reads_on_and_tells_its_neighbours() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.hear(0, frame(source, 1));
    let out = room.give(Input::Behind(true));
    for peer in [0, 1] {
        assert!(room.said(&out).contains(&(peer, Message::Behind(true))));
    }
    assert_eq!(out.len(), 2, "nobody is held: {out:?}");
    let peer = node(77);
    room.peers.push(peer);
    let out = room.give(Input::Up { peer, round_trip: None });
    assert_eq!(room.said(&out), [(2, Message::Behind(true))], "nor does a new one flood it");
    assert_eq!(room.give(Input::Behind(false)).len(), 3);
    assert!(room.give(Input::Behind(false)).is_empty());
}

#[test]
fn who_feeds_a_neighbour_that_is_behind_waits_and_it_gets_what_it_asks_for() {
    let mut room = Room::new(2);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..4);
    room.sent(1, MIB);
    room.tell(1, Message::Behind(true));
    let out = room.hear(0, large(source, 4));
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: true }));
    assert_eq!(room.receivers(&out, 4), [1], "what comes nevertheless is not lost");
    let out = room.tell(1, Message::Graft(Run { source, from: 2, to: 3 }));
    assert_eq!((room.receivers(&out, 2), room.receivers(&out, 3)), (vec![1], vec![1]));
    room.sent(1, MIB);
    let out = room.tell(1, Message::Behind(false));
    assert_eq!(out, [Output::Hold { from: room.peers[0], held: false }]);
}

#[test]
fn who_is_behind_is_not_held_because_it_would_not_be_heard_when_it_is_well_again() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.tell(0, Message::Behind(true));
    room.tell(1, Message::Behind(true));
    let held = |out: &[Output<_>], peer| out.contains(&Output::Hold { from: peer, held: true });
    let (behind, well) = (room.peers[0], room.peers[2]);
    let out = room.hear(0, large(source, 1));
    assert!(!held(&out, behind), "two that are behind wait for each other: {out:?}");
    let out = room.hear(2, large(source, 2));
    assert!(held(&out, well), "{out:?}");
    let mut out = Vec::new();
    for sequence in 3..80 {
        out.extend(room.hear(0, large(source, sequence)));
    }
    assert!(held(&out, behind), "it floods a link all the same");
}

#[test]
fn who_says_for_ever_that_it_is_behind_is_waited_for_three_seconds() {
    let mut room = Room::new(2);
    let source = source(node(99));
    room.tell(1, Message::Behind(true));
    room.hear(0, large(source, 1));
    room.sent(1, MIB);
    let out = room.wait(ms(2_900));
    assert!(!out.contains(&Output::Hold { from: room.peers[0], held: false }));
    let out = room.wait(ms(200));
    assert!(out.contains(&Output::Hold { from: room.peers[0], held: false }));
    let out = room.hear(0, large(source, 2));
    assert_eq!(room.receivers(&out, 2), [1]);
    assert_eq!(room.machine.stats().demoted_slow, 0, "to be behind is not to be slow");
}

/// Where others go on a demoted link is not relied on: the node would wait for it, and who feeds
/// the node would take the node for a slow one.
#[test]
fn a_demoted_link_is_not_relied_on_beside_who_has_the_frames_from_elsewhere() {
    let mut room = Room::new(3);
    let source = source(node(99));
    fill(&mut room, 0, source, 1..18);
    room.sent(2, 17 * 64 * 1024);
    room.wait(ms(1_100));
    let out = room.hear(0, large(source, 18));
    assert_eq!(room.receivers(&out, 18), [2]);
    room.tell(2, Message::Prune(source));
    let out = room.hear(0, large(source, 19));
    assert_eq!(room.receivers(&out, 19), [0; 0]);
    assert!(!out.iter().any(|output| matches!(output, Output::Hold { .. })), "{out:?}");
}

#[test]
fn what_fills_a_gap_makes_nobody_wait_and_is_owed_over_a_full_link() {
    let mut room = Room::new(3);
    let source = source(node(99));
    room.hear(0, large(source, 1));
    let out = fill(&mut room, 0, source, 3..20);
    assert_eq!(out.len(), 1, "the parent waits");
    let out = room.hear(2, large(source, 2));
    assert!(!out.contains(&Output::Hold { from: room.peers[2], held: true }));
    assert_eq!(room.receivers(&out, 2), [0; 0], "the parent lacks it, and its link is not full");
    let out = room.sent(1, MIB);
    assert_eq!(room.receivers(&out, 2), [1]);
}

/// How many of so many milliseconds the parent waits for a neighbour that says this in turn, each
/// every 10 ms, while frames come.
fn held_for(millis: u64, says: &[bool]) -> u64 {
    let mut room = Room::new(2);
    let source = source(node(99));
    let (mut held, mut sum) = (false, 0);
    for step in 0..millis / 10 {
        let behind = says[step as usize % says.len()];
        let mut out = room.tell(1, Message::Behind(behind));
        if !held {
            out.extend(room.hear(0, frame(source, step + 1)));
        }
        out.extend(room.sent(1, MIB));
        out.extend(room.wait(ms(10)));
        for output in out {
            if let Output::Hold { held: now, .. } = output {
                held = now;
            }
        }
        sum += 10 * u64::from(held);
    }
    sum
}

#[test]
fn who_says_again_and_again_that_it_is_behind_holds_others_up_for_half_of_the_time_at_most() {
    for says in [&[true][..], &[true, true, true, true, false], &[true, false]] {
        let held = held_for(60_000, says);
        assert!(held <= 34_000, "{held} of 60,000 ms: {says:?}");
    }
    assert_eq!(held_for(1_000, &[false]), 0);
}
