//! The layout of the design, letter by letter.

use jiff::tz::{Offset, TimeZone};

use super::{Asked, Line, Page, Paths, Times, Way};

fn way(hops: &str) -> Way {
    Way { hops: hops.split(' ').map(str::to_owned).collect(), complete: true }
}

/// 20 November 2026, 12:04:31.182 UTC.
const SENT: u64 = 1_795_176_271_182_000;

fn apple() -> Line {
    Line {
        payload: b"apple".to_vec(),
        sent_us: SENT,
        received_us: SENT + 4_999,
        ways: vec![way("4 9 8"), way("4 2 11 8"), way("4 3 8"), way("4 2 7 8")],
    }
}

fn page(paths: Paths, times: Times) -> Page {
    Page { asked: Asked::Unread, node: "8".into(), topic: None, lines: vec![apple()], paths, times }
}

fn shown(paths: Paths, times: Times) -> String {
    page(paths, times).render(&TimeZone::UTC)
}

#[test]
fn the_example_of_the_design_is_shown_as_it_stands_there() {
    let mut page = page(Paths::All, Times::Clock);
    page.lines[0].ways.truncate(2);
    assert_eq!(
        page.render(&TimeZone::UTC),
        "unread messages of node 8 (1)
  • apple  sent 12:04:31.182, received 12:04:31.186
      4 → 9 → 8  (first)
      4 → 2 → 11 → 8
"
    );
}

#[test]
fn times_have_three_levels() {
    let second = |times| shown(Paths::Shortest, times).lines().nth(1).unwrap().to_owned();
    assert_eq!(second(Times::of_count(0)), "  • apple");
    assert_eq!(
        second(Times::of_count(2)),
        "  • apple  sent 2026-11-20 12:04:31.182, received 2026-11-20 12:04:31.186"
    );
    assert_eq!(
        second(Times::of_count(3)),
        "  • sent 2026-11-20 12:04:31.182 +00:00, received 2026-11-20 12:04:31.186 +00:00  apple"
    );
    assert_eq!(Times::of_count(1), Times::Clock);
    assert_eq!(Times::of_count(9), Times::Zone);
}

#[test]
fn times_are_those_of_the_reader() {
    let zone = TimeZone::fixed(Offset::from_seconds(-(5 * 3600 + 1800)).unwrap());
    let text = page(Paths::Shortest, Times::Zone).render(&zone);
    assert!(text.contains("sent 2026-11-20 06:34:31.182 -05:30"), "{text}");
}

#[test]
fn a_time_beyond_the_calendar_harms_nothing() {
    let mut page = page(Paths::Shortest, Times::Clock);
    page.lines[0].sent_us = u64::MAX;
    assert!(page.render(&TimeZone::UTC).contains("apple  sent never, received 12:04:31.186"));
}

#[test]
fn the_flags_choose_the_ways() {
    let ways = |count, all| {
        let text = shown(Paths::of_flags(count, all), Times::Hidden);
        text.lines().skip(2).map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let each = ["4 → 9 → 8  (first)", "4 → 2 → 11 → 8", "4 → 3 → 8", "4 → 2 → 7 → 8"];
    assert_eq!(ways(0, false), each);
    assert_eq!(ways(1, true), each);
    assert_eq!(ways(1, false), [each[0]]);
    assert_eq!(ways(2, false), [each[1]]);
    assert_eq!(ways(3, false), [each[0], each[1]]);
    assert_eq!(ways(4, false), [each[0], each[1]]);
}

#[test]
fn a_way_that_is_shortest_and_longest_is_shown_once() {
    let mut page = page(Paths::Both, Times::Hidden);
    page.lines[0].ways = vec![way("4 9 8"), way("4 3 8")];
    assert!(page.render(&TimeZone::UTC).ends_with("• apple\n      4 → 9 → 8  (first)\n"));
}

#[test]
fn a_way_without_its_beginning_begins_with_dots_and_counts_as_no_length() {
    let mut page = page(Paths::Shortest, Times::Hidden);
    let half = Way { complete: false, ..way("9 8") };
    page.lines[0].ways = vec![half.clone(), way("4 2 11 8")];
    assert!(page.render(&TimeZone::UTC).ends_with("\n      4 → 2 → 11 → 8\n"));
    page.lines[0].ways = vec![half];
    assert!(page.render(&TimeZone::UTC).ends_with("\n      … → 9 → 8  (first)\n"));
}

#[test]
fn the_own_message_has_a_way_of_one_and_none_is_no_line() {
    let mut page = page(Paths::All, Times::Hidden);
    page.lines[0].ways = vec![way("8")];
    page.lines.push(Line { payload: b"pear".to_vec(), ..Line::default() });
    assert_eq!(
        page.render(&TimeZone::UTC),
        "unread messages of node 8 (2)\n  • apple\n      8  (first)\n  • pear\n"
    );
}

#[test]
fn the_header_says_what_was_asked_for() {
    let header = |asked, lines: usize, topic: Option<&str>| {
        let mut page = page(Paths::Shortest, Times::Hidden);
        (page.asked, page.topic) = (asked, topic.map(str::to_owned));
        page.lines = vec![apple(); lines];
        page.render(&TimeZone::UTC).lines().next().unwrap().to_owned()
    };
    assert_eq!(header(Asked::Unread, 0, None), "no unread messages of node 8");
    assert_eq!(header(Asked::Read, 0, None), "no read messages of node 8");
    assert_eq!(header(Asked::All, 0, None), "no messages of node 8");
    assert_eq!(header(Asked::All, 2, None), "all messages of node 8 (2)");
    assert_eq!(header(Asked::Read, 2, None), "read messages of node 8 (2)");
    assert_eq!(
        header(Asked::Unread, 1, Some("a\nb")),
        "unread messages of node 8 on topic a\\nb (1)"
    );
}

#[test]
fn a_message_cannot_leave_its_line() {
    let mut page = page(Paths::Shortest, Times::Hidden);
    page.lines[0].ways.clear();
    page.lines[0].payload = b"one\ntwo\x1b[31m\xff\0".to_vec();
    page.lines.push(Line::default());
    assert_eq!(
        page.render(&TimeZone::UTC),
        "unread messages of node 8 (2)\n  • one\\ntwo\\u{1b}[31m\\xff\\0\n  • (empty)\n"
    );
}
