//! What is kept for late joiners, and how much of it is given at once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::world::{START, at, key};
use crate::base::batch::{Batch, Head};
use crate::base::id::Life;
use crate::base::signer::Signer;
use crate::base::time::Time;
use crate::protocol::topic::history::{Excerpt, History, MAX_PAGE};
use crate::protocol::topic::{Earlier, TopicConfig};

fn batch(topic: &str, first: u64, count: usize, bytes: usize) -> Arc<Batch> {
    let mut signer = Signer::new(key(1));
    let head = Head::new(signer.me(), Life(1), topic, first);
    let messages = vec![(START, Bytes::from(vec![0; bytes])); count];
    Arc::new(Batch::seal(head, &messages, &mut signer))
}

fn kept(history: &History, now: Time, name: &str) -> Vec<u64> {
    let all = history.since(START.at(now), name, None);
    all.iter().map(|(_, batch)| batch.first()).collect()
}

fn keep(history: &mut History, now: Time, batch: &Arc<Batch>) {
    history.keep(now, START.at(now), batch);
}

#[test]
fn each_topic_keeps_its_newest_messages_and_each_batch_once() {
    let config = TopicConfig { max_history: 10, ..TopicConfig::default() };
    let mut history = History::new(&config);
    keep(&mut history, at(0), &batch("quiet", 1, 1, 1));
    for turn in 0..20 {
        let batch = batch("busy", 1 + 4 * turn, 4, 1);
        keep(&mut history, at(turn), &batch);
        keep(&mut history, at(turn), &batch);
    }
    // Ten messages, and what else came with the oldest.
    assert_eq!(kept(&history, at(20), "busy"), [69, 73, 77]);
    assert_eq!(kept(&history, at(20), "quiet"), [1]);
    assert_eq!(kept(&history, at(20), ">"), [1, 69, 73, 77]);

    let mut nothing = History::new(&TopicConfig { max_history: 0, ..config });
    keep(&mut nothing, at(0), &batch("quiet", 1, 1, 1));
    assert!(kept(&nothing, at(0), "quiet").is_empty());
}

#[test]
fn what_is_repaired_late_is_as_old_as_its_place_in_its_feed() {
    let config = TopicConfig { max_history: 3, ..TopicConfig::default() };
    let mut history = History::new(&config);
    for number in [1, 2, 5, 6, 7, 4, 3] {
        keep(&mut history, at(10 * number), &batch("chat", number, 1, 1));
    }
    // Those two came last, and nobody would call them the newest.
    assert_eq!(kept(&history, at(100), "chat"), [5, 6, 7]);

    let mut history = History::new(&TopicConfig::default());
    for (turn, number) in (0..).zip([1, 4, 3, 2, 5]) {
        keep(&mut history, at(turn), &batch("chat", number, 1, 1));
    }
    assert_eq!(kept(&history, at(100), "chat"), [1, 2, 3, 4, 5]);
}

#[test]
fn the_largest_topic_loses_its_oldest_when_there_are_too_many_bytes() {
    let config = TopicConfig { max_history_bytes: 20_000, ..TopicConfig::default() };
    let mut history = History::new(&config);
    keep(&mut history, at(0), &batch("quiet", 1, 1, 1_000));
    for number in 1..=30 {
        keep(&mut history, at(number), &batch("large", number, 1, 5_000));
        assert!(history.bytes() <= 20_000);
    }
    assert_eq!(kept(&history, at(30), "large"), [28, 29, 30]);
    assert_eq!(kept(&history, at(30), "quiet"), [1]);
    keep(&mut history, at(31), &batch("huge", 1, 1, 20_000));
    assert_eq!(kept(&history, at(31), "huge"), [] as [u64; 0], "it would push out all others");

    // As many topics as there may be, however small.
    let mut history = History::new(&TopicConfig::default());
    for topic in 0..2_000 {
        keep(&mut history, at(0), &batch(&topic.to_string(), 1, 1, 1));
    }
    assert_eq!(kept(&history, at(0), ">").len(), 1_024);
}

#[test]
fn what_is_too_old_is_not_given_and_forgotten_soon() {
    let config = TopicConfig { keep_for: Duration::from_secs(60), ..TopicConfig::default() };
    let mut history = History::new(&config);
    keep(&mut history, at(0), &batch("chat", 1, 1, 1));
    assert_eq!(kept(&history, at(60_000), "chat"), [1]);
    assert!(kept(&history, at(60_001), "chat").is_empty());
    let mut now = at(0);
    while let Some(due) = history.deadline() {
        assert!(due > now && due <= at(80_000));
        now = due;
        history.expire(now, START.at(now));
    }
    assert_eq!((history.bytes(), history.deadline()), (0, None));
}

#[test]
fn an_excerpt_comes_in_pages_from_the_newest_to_the_oldest() {
    let config = TopicConfig { max_history: 5_000, ..TopicConfig::default() };
    let mut history = History::new(&config);
    for number in 1..=1_300 {
        keep(&mut history, at(number / 100), &batch("chat", number, 1, 1));
    }
    let wall = START.at(at(100));
    let wish = Earlier { last: Some(u64::MAX), since: Some(Duration::MAX) };
    let mut excerpt = Excerpt { name: "chat", wish, except: None, before: None };
    let mut numbers = Vec::new();
    loop {
        let page = history.page(wall, &excerpt);
        assert!(page.batches.len() <= MAX_PAGE);
        numbers.extend(page.batches.iter().map(|(_, batch)| batch.first()));
        excerpt.before = page.older;
        if page.older.is_none() {
            break;
        }
    }
    assert_eq!(numbers, (1..=1_300).rev().collect::<Vec<_>>());

    let wish = Earlier { last: Some(3), since: None };
    let page = history.page(wall, &Excerpt { wish, before: None, ..excerpt });
    assert_eq!((page.batches.len(), page.older.is_some()), (3, true));
    let me = key(1).id();
    let nothing = history.page(wall, &Excerpt { except: Some(me), before: None, ..excerpt });
    assert!(nothing.batches.is_empty());

    // By bytes.
    for number in 1..=9 {
        keep(&mut history, at(1), &batch("large", number, 1, 200_000));
    }
    let page = history.page(wall, &Excerpt { name: "large", before: None, ..excerpt });
    assert_eq!(page.batches.len(), 3);
    assert!(page.older.is_some());
}
