//! When, and over which connection, our stream to a peer is opened.

use std::future::pending;
use std::time::Duration;

use libp2p::swarm::ConnectionId;

use crate::base::time::Time;
use crate::net::stream::report::StreamId;
use crate::net::stream::ways::{Attempt, Outgoing, Task, Ways};

fn connection(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

fn attempt(number: usize, millis: u64) -> Option<Attempt> {
    let after = Duration::from_millis(millis);
    Some(Attempt { connection: connection(number), after })
}

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// Our stream, as it was asked for.
fn open(ways: &mut Ways, number: usize, stream: u64, since: Time) {
    assert!(ways.expects(connection(number)));
    let (stream, _task) = (StreamId(stream), Task::spawn(pending()));
    let queue = std::sync::Arc::default();
    ways.open(Outgoing { connection: connection(number), stream, queue, since, _task });
}

#[test]
fn attempts_that_fail_are_made_ever_more_rarely() {
    let mut ways = Ways::new();
    assert_eq!(ways.add(connection(1)), attempt(1, 0));
    for millis in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
        assert!(ways.expects(connection(1)));
        assert_eq!(ways.retry(), attempt(1, millis));
    }
    assert_eq!(ways.add(connection(2)), attempt(2, 0), "a new link is a new beginning");
    assert!(!ways.expects(connection(1)), "what was asked for before is not wanted any more");
}

#[tokio::test]
async fn a_stream_that_lived_for_long_is_opened_again_soon_and_one_that_did_not_is_not() {
    let mut ways = Ways::new();
    ways.add(connection(1));
    open(&mut ways, 1, 1, at(0));
    assert_eq!(ways.ended(StreamId(1), at(1)), (true, attempt(1, 100)));
    open(&mut ways, 1, 2, at(1));
    assert_eq!(ways.ended(StreamId(1), at(2)), (false, None), "that one is long gone");
    assert_eq!(ways.ended(StreamId(2), at(2)), (true, attempt(1, 200)));
    open(&mut ways, 1, 3, at(2));
    assert_eq!(ways.ended(StreamId(3), at(13)), (true, attempt(1, 100)));
}

#[tokio::test]
async fn when_a_connection_ends_the_other_one_is_tried_at_once() {
    let mut ways = Ways::new();
    ways.add(connection(1));
    open(&mut ways, 1, 1, at(0));
    assert_eq!(ways.add(connection(2)), None, "one stream is enough");
    assert_eq!(ways.remove(connection(1)), (true, attempt(2, 0)));
    assert_eq!(ways.remove(connection(1)), (false, None));
    // It was under way there.
    assert_eq!(ways.remove(connection(2)), (false, None));
    assert!(ways.is_over());
}
