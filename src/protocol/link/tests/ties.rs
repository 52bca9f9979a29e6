//! Two rooms decide about the same connections without a word between them: they must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::room::{LIFE, MS, key};
use crate::base::machine::{Machine, Outbox};
use crate::base::time::Time;
use crate::protocol::link::{Input, Link, LinkId, LinkMachine, Output, WatchConfig};

/// One connection, as the network treats it.
#[derive(Clone, Debug)]
struct Connection {
    dialled_by: usize,
    at: Duration,
    /// How long after `at` each side sees it open.
    seen_after: [Duration; 2],
    /// How long each side takes to see an end the other made.
    end_after: [Duration; 2],
}

/// What a side is to see next.
#[derive(Clone, Copy, Debug)]
enum Sight {
    Open,
    End,
}

impl Sight {
    fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }
}

struct Pair {
    sides: [LinkMachine; 2],
    connections: Vec<Connection>,
    queue: BTreeMap<(Time, u64), (usize, usize, Sight)>,
    count: u64,
    /// Which connections each side holds.
    held: [BTreeSet<usize>; 2],
    /// Which have seen their end decided; nobody opens them afterwards.
    ended: BTreeSet<usize>,
    /// How often each side said `Linked` more than `Unlinked`.
    linked: [i32; 2],
}

impl Pair {
    fn new(connections: Vec<Connection>) -> Self {
        let side = |number| LinkMachine::new(WatchConfig::default(), key(number).id());
        let mut pair = Self {
            sides: [side(1), side(2)],
            connections,
            queue: BTreeMap::new(),
            count: 0,
            held: Default::default(),
            ended: BTreeSet::new(),
            linked: [0, 0],
        };
        for (number, connection) in pair.connections.clone().iter().enumerate() {
            for side in [0, 1] {
                let at = Time::ZERO + connection.at + connection.seen_after[side];
                pair.later(at, side, number, Sight::Open);
            }
        }
        pair
    }

    fn later(&mut self, at: Time, side: usize, number: usize, sight: Sight) {
        self.count += 1;
        self.queue.insert((at, self.count), (side, number, sight));
    }

    fn run(&mut self) {
        loop {
            let event = self.queue.keys().next().map(|(at, _)| *at);
            let due = [0, 1].map(|side| self.sides[side].deadline());
            let tick = due.iter().flatten().min().copied();
            match (event, tick) {
                (None, None) => return,
                (Some(at), tick) if tick.is_none_or(|tick| at <= tick) => self.step(),
                (_, tick) => {
                    let now = tick.expect("one of the two is there");
                    let side = usize::from(due[0] != Some(now));
                    self.input(now, side, Input::Tick);
                }
            }
        }
    }

    fn step(&mut self) {
        let Some(((now, _), (side, number, sight))) = self.queue.pop_first() else { return };
        let peer = key(2 - side as u8).id();
        match sight {
            Sight::Open => {
                self.held[side].insert(number);
                let here = self.connections[number].dialled_by == side;
                let dialled = here.then(|| "/memory/1".parse().unwrap());
                let link = Link { id: LinkId(number as u64), dialled };
                self.input(now, side, Input::Opened { peer, life: LIFE, link });
            }
            Sight::End => {
                // An end overtakes nothing: who has yet to see it open sees that first.
                let mut queued = self.queue.values();
                if queued.any(|(s, n, sight)| (*s, *n) == (side, number) && sight.is_open()) {
                    return self.later(now + MS, side, number, Sight::End);
                }
                if self.held[side].remove(&number) {
                    self.input(now, side, Input::Closed { peer, link: LinkId(number as u64) });
                }
            }
        }
    }

    fn input(&mut self, now: Time, side: usize, input: Input) {
        let mut out = Outbox::new();
        self.sides[side].handle(now, input, &mut out);
        while let Some(output) = out.pop() {
            match output {
                Output::Close(link) => {
                    let number = link.0 as usize;
                    if self.ended.insert(number) {
                        let after = self.connections[number].end_after;
                        self.later(now, side, number, Sight::End);
                        self.later(now + after[1 - side], 1 - side, number, Sight::End);
                    }
                }
                Output::Linked { .. } => self.linked[side] += 1,
                Output::Unlinked { .. } => self.linked[side] -= 1,
            }
            assert!((0..=1).contains(&self.linked[side]), "`Linked` and `Unlinked` alternate");
        }
    }
}

fn connection(delay: u64) -> impl Strategy<Value = Connection> {
    let delays = || prop::array::uniform2((0..=delay).prop_map(Duration::from_millis));
    (0..2_usize, 0..5_000_u64, delays(), delays()).prop_map(
        |(dialled_by, at, seen_after, end_after)| Connection {
            dialled_by,
            at: Duration::from_millis(at),
            seen_after,
            end_after,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Whatever is dialled, and in whatever order the two sides see it: in the end they hold one
    /// and the same connection, or none, and both know it.
    #[test]
    fn two_sides_agree_on_one_connection_or_none(
        connections in prop::collection::vec(connection(150), 1..6),
    ) {
        let mut pair = Pair::new(connections);
        pair.run();
        prop_assert!(pair.held[0].len() <= 1, "{:?}", pair.held);
        prop_assert_eq!(&pair.held[0], &pair.held[1]);
        for side in [0, 1] {
            prop_assert_eq!(pair.linked[side], i32::from(!pair.held[side].is_empty()));
        }
    }

    /// The same holds when the way between them is slow.
    #[test]
    fn two_sides_far_apart_agree_too(
        connections in prop::collection::vec(connection(1_500), 1..4),
    ) {
        let mut pair = Pair::new(connections);
        pair.run();
        prop_assert!(pair.held[0].len() <= 1, "{:?}", pair.held);
        prop_assert_eq!(&pair.held[0], &pair.held[1]);
    }

    /// Two that dial each other at the same moment keep one of the two, not none.
    #[test]
    fn a_simultaneous_dial_leaves_one_connection(
        delays in prop::collection::vec((0..200_u64, 0..200_u64), 2),
    ) {
        let dialled = |dialled_by, (one, other): (u64, u64)| Connection {
            dialled_by,
            at: Duration::ZERO,
            seen_after: [one, other].map(Duration::from_millis),
            end_after: [20 * MS; 2],
        };
        let mut pair = Pair::new(vec![dialled(0, delays[0]), dialled(1, delays[1])]);
        pair.run();
        prop_assert_eq!(&pair.held[0], &pair.held[1]);
        prop_assert_eq!(pair.held[0].len(), 1);
    }
}
