//! The clock model.

use std::time::Duration;

use crate::base::time::Time;
use crate::sim::clock::Clock;

fn at(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

#[test]
fn a_clock_begins_with_its_node_and_runs_at_its_own_rate() {
    let mut clock = Clock::new(at(1_000), 100_000);
    assert_eq!(clock.read(at(1_000)), Time::ZERO);
    assert_eq!(clock.read(at(2_000)), at(1_100));
}

#[test]
fn a_deadline_is_met_at_the_first_moment_at_which_the_clock_shows_it() {
    for skew in [-300_000, -7, 0, 3, 250_000] {
        let clock = Clock::new(at(500), skew);
        for due in [1, 999_999, 1_000_000, 123_456_789] {
            let due = Time::from_micros(due);
            let when = clock.when(due, Time::ZERO);
            assert!(clock.clone().read(when) >= due, "skew {skew}: {due:?} at {when:?}");
            let before = when - Duration::from_micros(1);
            assert!(clock.clone().read(before) < due, "skew {skew}: {due:?} before {when:?}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_stands_until_it_is_caught_up() {
    let mut clock = Clock::new(Time::ZERO, 0);
    assert_eq!(clock.read(at(1_000)), at(1_000));
    clock.jump(-500);
    assert_eq!(clock.read(at(1_200)), at(1_000));
    assert_eq!(clock.read(at(1_600)), at(1_100));
    clock.jump(2_000);
    assert_eq!(clock.read(at(1_600)), at(3_100));
}
