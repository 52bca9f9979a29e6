//! The wheel, the links, the delays, the file.

use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::sim::broadcast::links::Links;
use crate::sim::broadcast::tick::Tick;
use crate::sim::broadcast::wheel::Wheel;
use crate::sim::broadcast::{BroadcastScenario, Latency, is_broadcast};

#[test]
fn events_come_in_the_order_of_time_and_then_of_coming_near_and_far() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut wheel = Wheel::new();
    let mut planned: Vec<(Tick, u32)> = Vec::new();
    let mut seen = Vec::new();
    for number in 0..5_000 {
        // Some at the same tick, some beyond the ring; a third while others are taken.
        let wait = if rng.random_bool(0.2) { 400_000 } else { 300 };
        let at = wheel.now().plus(rng.random_range(0..wait));
        wheel.schedule(at, number);
        planned.push((at, number));
        if rng.random_bool(0.3) {
            seen.extend(wheel.next(Tick::NEVER).map(|event| (wheel.now(), event)));
        }
    }
    while let Some(event) = wheel.next(Tick::NEVER) {
        seen.push((wheel.now(), event));
    }
    planned.sort();
    assert!(seen.is_sorted_by_key(|(at, _)| *at));
    seen.sort();
    assert_eq!(seen, planned, "each comes at its time");
}

#[test]
fn events_of_one_tick_come_as_they_were_added_though_some_waited_far_away() {
    let mut wheel = Wheel::new();
    let late = Tick(300_000);
    wheel.schedule(late, 'a');
    wheel.schedule(Tick(250_000), 'x');
    assert_eq!(wheel.next(Tick(1)), None, "nothing before the end that is given");
    assert_eq!(wheel.next(Tick::NEVER), Some('x'));
    wheel.schedule(late, 'b');
    let rest: Vec<char> = std::iter::from_fn(|| wheel.next(Tick::NEVER)).collect();
    assert_eq!(rest, ['a', 'b']);
}

#[test]
fn a_link_is_there_once_at_both_ends_and_gone_from_both() {
    let mut links = Links::new(4, 2);
    assert!(links.link(0, 1) && links.link(2, 0));
    assert!(!links.link(1, 0), "there is one");
    assert!(!links.link(0, 3), "no room");
    assert!(!links.link(3, 3), "with itself");
    let end = links.find(1, 0).unwrap();
    assert!(!links.dialled(end) && links.dialled(links.find(0, 1).unwrap()));
    links.unlink_all(0);
    assert_eq!([0, 1, 2].map(|node| links.count(node)), [0, 0, 0]);
}

#[test]
fn the_latency_has_the_quantiles_that_were_asked_for() {
    let latency = Latency { p50: Duration::from_millis(20), p99: Duration::from_millis(80) };
    let millis = |share| (latency.quantile(share).as_secs_f64() * 1e3).round();
    assert_eq!((millis(0.5), millis(0.99)), (20.0, 80.0));
    assert_eq!(millis(0.01), 5.0, "as far below the median as above");
}

#[test]
fn a_scenario_that_contradicts_itself_names_everything_that_is_wrong() {
    let text = "[broadcast]\nnodes = 1\nloss = 2.0\nlow = 9\nfixed = true\nchurn = 0.1";
    let wrong = BroadcastScenario::from_toml(text).unwrap_err();
    assert_eq!(wrong.0.len(), 4, "{wrong}");
    let typo = BroadcastScenario::from_toml("[broadcast]\nnode = 1").unwrap_err();
    assert!(typo.to_string().contains("node"), "{typo}");
    assert!(!is_broadcast("[broadcast"), "no TOML");
}
