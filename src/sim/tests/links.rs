//! The link model.

use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::base::time::Time;
use crate::sim::link::{Fate, Way, latency};
use crate::sim::scenario::{Kind, Latency, LinkModel, Span};

const START: Time = Time::from_micros(1_000_000);

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

fn model(kind: Kind, loss: f64) -> LinkModel {
    LinkModel { kind, loss, ..LinkModel::default() }
}

/// The fates of so many messages, one per millisecond.
fn fates(model: &LinkModel, count: u64) -> Vec<(Time, Fate)> {
    let (mut way, mut rng) = (Way::default(), rng());
    let times = (0..count).map(|number| START + Duration::from_millis(number));
    times.map(|at| (at, way.send(model, model.loss, 100, at, &mut rng))).collect()
}

fn arrivals(fates: &[(Time, Fate)]) -> Vec<Time> {
    let arrival = |(_, fate): &(Time, Fate)| match fate {
        Fate::Lost => None,
        Fate::Arrives(at) | Fate::Twice(at, _) => Some(*at),
    };
    fates.iter().filter_map(arrival).collect()
}

#[test]
fn a_message_takes_as_long_as_the_latency_says() {
    for (at, fate) in fates(&model(Kind::Datagram, 0.0), 1_000) {
        let Fate::Arrives(arrives) = fate else { panic!("{fate:?}") };
        let span = arrives.since(at);
        assert!((Duration::from_millis(2)..=Duration::from_millis(10)).contains(&span), "{span:?}");
    }
}

#[test]
fn a_datagram_that_is_lost_vanishes_as_often_as_said() {
    let fates = fates(&model(Kind::Datagram, 0.2), 10_000);
    let lost = fates.iter().filter(|(_, fate)| *fate == Fate::Lost).count();
    assert!((1_800..2_200).contains(&lost), "{lost} of 10,000");
}

#[test]
fn datagrams_overtake_each_other_and_streams_do_not() {
    let sorted = |times: &[Time]| times.is_sorted();
    assert!(!sorted(&arrivals(&fates(&model(Kind::Datagram, 0.0), 1_000))));
    assert!(sorted(&arrivals(&fates(&model(Kind::Stream, 0.3), 1_000))));
}

#[test]
fn a_stream_loses_nothing_and_stalls_instead() {
    let fates = fates(&model(Kind::Stream, 0.2), 1_000);
    assert_eq!(arrivals(&fates).len(), 1_000);
    let late = |(at, fate): &&(Time, Fate)| match fate {
        Fate::Arrives(arrives) => arrives.since(*at) >= Duration::from_millis(200),
        _ => false,
    };
    assert!(fates.iter().filter(late).count() > 200);
}

#[test]
fn a_stream_that_loses_everything_is_silent() {
    assert!(arrivals(&fates(&model(Kind::Stream, 1.0), 10)).is_empty());
}

#[test]
fn duplicates_come_twice_and_not_earlier() {
    let model = LinkModel { duplicate: 1.0, ..model(Kind::Datagram, 0.0) };
    for (_, fate) in fates(&model, 100) {
        assert!(matches!(fate, Fate::Twice(first, second) if first <= second), "{fate:?}");
    }
}

#[test]
fn a_narrow_link_makes_messages_queue() {
    let model = LinkModel {
        bandwidth: Some(10_000),
        latency: Latency::Constant(Span::millis(1)),
        ..model(Kind::Datagram, 0.0)
    };
    // 100 bytes take 10 ms and come every millisecond: the hundredth waits for all before it.
    let last = arrivals(&fates(&model, 100)).last().copied().unwrap();
    assert_eq!(last.since(START), Duration::from_millis(1_001));
}

#[test]
fn distributions_have_their_means_and_bounds() {
    let span = Span::millis;
    let cases = [
        (Latency::Constant(span(5)), 5.0, 5, 5),
        (Latency::Uniform(span(2), span(10)), 6.0, 2, 10),
        (Latency::Normal { mean: span(20), deviation: span(3), least: span(10) }, 20.0, 10, 32),
        (Latency::Exponential { least: span(5), mean: span(10) }, 15.0, 5, 205),
    ];
    for (distribution, mean, least, most) in cases {
        let mut rng = rng();
        let drawn: Vec<Duration> = (0..20_000).map(|_| latency(&distribution, &mut rng)).collect();
        let measured = drawn.iter().map(Duration::as_secs_f64).sum::<f64>() / 20.0;
        assert!((measured - mean).abs() < mean * 0.03, "{distribution:?}: {measured} ms");
        assert!(drawn.iter().all(|time| *time >= Duration::from_millis(least)));
        assert!(drawn.iter().all(|time| *time <= Duration::from_millis(most)));
    }
}
