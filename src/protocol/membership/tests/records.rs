//! What is true of records, holders and observers in whatever order things come.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::room::id;
use crate::base::id::{Incarnation, Life, NodeId};
use crate::base::time::Time;
use crate::protocol::membership::holders::Holders;
use crate::protocol::membership::observers::Observers;
use crate::protocol::membership::roll::{Roll, State, lot};
use crate::protocol::membership::wire::{Left, Resigned};
use crate::protocol::membership::{Alive, Certificate};

fn node(number: u8) -> NodeId {
    // Keys cost much, and any id will do.
    use std::sync::LazyLock;
    static IDS: LazyLock<Vec<NodeId>> = LazyLock::new(|| (0..160).map(id).collect());
    IDS[usize::from(number)]
}

fn state((number, kind, life, refutations): (u8, u8, u64, u32)) -> (NodeId, State) {
    let node = node(number);
    let life = Life(life);
    let incarnation = Incarnation { life, refutations };
    let signature = Vec::new();
    let state = match kind {
        0 => {
            let vouchers = Vec::new();
            State::Alive(Arc::new(Alive { node, incarnation, tick: 0, signature, vouchers }))
        }
        1 => {
            let votes = Vec::new();
            State::Down(Arc::new(Certificate { subject: node, incarnation, round: 0, votes }))
        }
        2 => State::Resigned(Arc::new(Resigned { node, incarnation, signature })),
        _ => State::Left(Arc::new(Left { node, life, signature, age_ms: 0 })),
    };
    (node, state)
}

fn filled(states: &[(NodeId, State)]) -> Roll {
    let mut roll = Roll::default();
    for (node, state) in states {
        roll.apply(Time::ZERO, *node, state.clone());
    }
    roll
}

fn content(roll: &Roll) -> Vec<(NodeId, Incarnation, bool, bool)> {
    roll.records().map(|(node, r)| (node, r.incarnation(), r.is_alive(), r.is_left())).collect()
}

fn states() -> impl Strategy<Value = Vec<(NodeId, State)>> {
    let one = (0_u8..6, 0_u8..4, 1_u64..4, 0_u32..3).prop_map(state);
    prop::collection::vec(one, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn merging_is_a_maximum(states in states(), seed: u64) {
        use rand::seq::SliceRandom;
        use rand::SeedableRng;
        let once = filled(&states);
        let mut mixed: Vec<_> = states.iter().chain(&states).cloned().collect();
        mixed.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
        let again = filled(&mixed);
        prop_assert_eq!(content(&once), content(&again));
        prop_assert_eq!(once.digests(), again.digests());
        prop_assert_eq!(once.sizes(), again.sizes());
        let mut highest: BTreeMap<NodeId, Incarnation> = BTreeMap::new();
        for (node, state) in &states {
            let known = highest.entry(*node).or_default();
            *known = (*known).max(state.incarnation());
        }
        for (node, incarnation) in highest {
            prop_assert_eq!(once.record(node).map(|r| r.incarnation()), Some(incarnation));
        }
    }

    #[test]
    fn counts_and_digests_are_those_of_the_records(
        states in states(), settles in prop::collection::vec(0_usize..40, 0..4),
    ) {
        let mut roll = Roll::default();
        for (index, (node, state)) in states.iter().enumerate() {
            roll.apply(Time::ZERO, *node, state.clone());
            if settles.contains(&index) {
                roll.settle();
                prop_assert!(roll.is_settled());
                prop_assert_eq!(roll.digests().1, roll.settled_digest());
            }
            let (active, agreed) = roll.sizes();
            prop_assert_eq!(roll.alive().count(), active as usize);
            prop_assert_eq!(roll.agreed().count(), agreed as usize);
            prop_assert!(roll.electorate_size() >= active.max(agreed));
            let same = roll.records().all(|(_, r)| r.is_alive() == r.agreed);
            prop_assert_eq!(roll.is_settled(), same);
            let fresh = filled(&states[..=index]);
            prop_assert_eq!(fresh.digests().0, roll.digests().0);
        }
        let nobody = std::collections::BTreeSet::new();
        roll.agree_on(&nobody);
        prop_assert_eq!((roll.sizes().1, roll.digests().1), (0, 0));
    }

    #[test]
    fn holders_are_those_that_were_named_and_no_more_than_there_are(
        size in 1_usize..40,
        first in 0_usize..50,
        adds in prop::collection::vec(0_usize..60, 0..20),
        foreign in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut holders = Holders::default();
        holders.begin(size, Some(first));
        let mut expected: std::collections::BTreeSet<usize> =
            adds.iter().chain([&first]).copied().filter(|index| *index < size).collect();
        for index in adds {
            holders.add(index);
        }
        prop_assert_eq!(holders.count() as usize, expected.len());
        let before = holders.count();
        let grew = holders.merge(&foreign);
        if foreign.len() == size.div_ceil(8) {
            let named = (0..size).filter(|index| foreign[index / 8] >> (index % 8) & 1 == 1);
            expected.extend(named);
        }
        prop_assert_eq!(holders.count() as usize, expected.len());
        prop_assert_eq!(grew, holders.count() > before);
        prop_assert!(!holders.merge(&foreign), "the same again is no news");
    }

    #[test]
    fn observers_chosen_step_by_step_are_those_chosen_at_once(
        steps in prop::collection::vec(0_u8..150, 1..200),
    ) {
        let me = lot(node(0));
        let mut members: BTreeMap<NodeId, u64> = BTreeMap::from([(node(0), me)]);
        let all = |members: &BTreeMap<NodeId, u64>| -> Vec<(NodeId, u64)> {
            members.iter().map(|(node, lot)| (*node, *lot)).collect()
        };
        let mut observers = Observers::new(me, 4);
        observers.joined(node(0), me, 1, || all(&members));
        for number in steps.into_iter().filter(|number| *number > 0) {
            let (node, lot) = (node(number), lot(node(number)));
            if members.remove(&node).is_some() {
                observers.gone(node, lot, members.len() as u32, || all(&members));
            } else {
                members.insert(node, lot);
                observers.joined(node, lot, members.len() as u32, || all(&members));
            }
        }
        let mut fresh = Observers::new(me, 4);
        fresh.joined(node(0), me, members.len() as u32, || all(&members));
        let mut watched: Vec<NodeId> = observers.watched().collect();
        let mut expected: Vec<NodeId> = fresh.watched().collect();
        watched.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(&watched, &expected);
        for watched in watched {
            prop_assert_eq!(observers.rank(watched), fresh.rank(watched));
        }
    }
}

#[test]
fn every_member_has_as_many_observers_as_there_shall_be_each_of_another_rank() {
    for (size, monitors) in [(1_u8, 4), (2, 4), (4, 4), (5, 4), (9, 1), (63, 4), (130, 4), (150, 6)]
    {
        let members: Vec<(NodeId, u64)> = (0..size).map(|n| (node(n), lot(node(n)))).collect();
        let mut ranks: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
        for (observer, own) in &members {
            let mut observers = Observers::new(*own, monitors);
            observers.joined(*observer, *own, u32::from(size), || members.clone());
            for watched in observers.watched() {
                assert_ne!(watched, *observer, "nobody watches itself");
                ranks.entry(watched).or_default().push(observers.rank(watched));
            }
        }
        let each = monitors.min(u32::from(size) - 1);
        for (node, _) in &members {
            let mut ranks = ranks.remove(node).unwrap_or_default();
            ranks.sort_unstable();
            assert_eq!(ranks, (0..each).collect::<Vec<u32>>(), "{size} members");
        }
    }
}
