//! Spec, "Suspicion": one round, decided without a network.

use std::num::NonZeroU32;

use super::room::{id, key};
use crate::base::id::{Incarnation, Life};
use crate::base::signer::Signer;
use crate::base::time::Time;
use crate::protocol::membership::round::{Decision, Round};
use crate::protocol::membership::{MembershipConfig, Statement, Threshold, Verdict, Vote};

const SUBJECT: u8 = 9;

fn statement(voter: u8, verdict: Verdict, quorum: u32) -> Statement {
    let incarnation = Incarnation { life: Life(1), refutations: 0 };
    let vote = Vote { voter: id(voter), tick: 5, agreed: 1, quorum, signature: Vec::new() };
    let made = Statement { round: 3, subject: id(SUBJECT), incarnation, verdict, vote };
    made.sign(&mut Signer::new(key(voter)))
}

/// A round of node 0 about node 9, with voters 0 to `voters - 1`, all of them asked.
fn round(voters: u8, needed: u32) -> Round {
    let mut all: Vec<_> = (0..voters).map(id).collect();
    all.sort_unstable();
    let order = (1..voters).map(id).collect();
    let own = statement(0, Verdict::Down, needed);
    let mut round = Round::new(&own, Time::ZERO, 0, all, order);
    round.guard = Some(true);
    while let Some(voter) = round.next() {
        round.ask(voter, crate::protocol::membership::probe::Stage::Link);
    }
    round
}

fn share(share: f64) -> MembershipConfig {
    let consensus_threshold = Threshold::share(share).unwrap();
    MembershipConfig { consensus_threshold, ..MembershipConfig::default() }
}

fn late() -> Time {
    Time::from_micros(1_000_000)
}

fn down(round: &mut Round, voters: &[u8], quorum: u32) {
    for voter in voters {
        assert!(round.vote(&statement(*voter, Verdict::Down, quorum)));
    }
}

fn up(round: &mut Round, voters: &[u8]) {
    for voter in voters {
        assert!(round.vote(&statement(*voter, Verdict::Up, 1)));
    }
}

#[test]
fn a_quorum_decides_when_the_subject_had_its_time() {
    let mut round = round(6, 4);
    down(&mut round, &[1, 2], 4);
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Wait, "three of four");
    down(&mut round, &[3], 4);
    let early = Time::from_micros(999_999);
    assert_eq!(round.decide(early, &share(0.5), true), Decision::Wait, "the window is open");
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Down);
    let proof = round.certificate(&share(0.5));
    assert_eq!((proof.votes.len(), proof.check()), (4, Ok(())));
}

#[test]
fn a_vote_counts_once_and_of_its_round_only() {
    let mut round = round(6, 4);
    down(&mut round, &[1], 4);
    assert!(!round.vote(&statement(1, Verdict::Down, 4)), "twice");
    assert!(!round.vote(&statement(1, Verdict::Up, 4)), "nor does it change");
    assert!(!round.vote(&statement(7, Verdict::Down, 4)), "no voter");
    assert!(!round.vote(&Statement { round: 4, ..statement(2, Verdict::Down, 4) }));
    assert_eq!(round.tally(), (0, 2, 0));
}

#[test]
fn more_than_the_threshold_of_ups_is_a_broken_link_and_as_many_is_none() {
    let mut round = round(8, 3);
    up(&mut round, &[1, 2, 3, 4]);
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Wait, "four of eight");
    up(&mut round, &[5]);
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Up);
}

#[test]
fn when_too_many_found_it_up_for_any_quorum_it_is_up() {
    let mut round = round(4, 3);
    up(&mut round, &[1]);
    assert_eq!(round.decide(late(), &share(0.9), true), Decision::Wait);
    up(&mut round, &[2]);
    assert_eq!(round.decide(late(), &share(0.9), true), Decision::Up, "two of four are left");
}

#[test]
fn the_silent_are_not_reachable_and_lower_a_share_not_the_majority() {
    let mut round = round(8, 2);
    down(&mut round, &[1, 2], 2);
    assert_eq!(round.decide(late(), &share(1.0), true), Decision::Wait);
    for voter in 3..8 {
        assert!(round.silent(id(voter)));
    }
    assert_eq!(round.quorum(&share(1.0)), 3, "all that answered");
    assert_eq!(round.decide(late(), &share(1.0), true), Decision::Down);
    round.needed = 4;
    assert_eq!(round.decide(late(), &share(1.0), true), Decision::Inconclusive);
}

#[test]
fn nobody_answered_is_not_the_same_as_nobody_agreed() {
    let mut round = round(4, 3);
    [1, 2].into_iter().for_each(|voter| assert!(round.silent(id(voter))));
    assert_eq!(round.decide(late(), &share(0.5), false), Decision::Wait);
    assert!(round.silent(id(3)));
    assert_eq!(round.decide(late(), &share(0.5), false), Decision::NobodyAnswered);
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Inconclusive, "one was heard");
    up(&mut round, &[3]);
    assert_eq!(round.decide(late(), &share(0.5), false), Decision::Inconclusive, "late, not never");
}

#[test]
fn a_count_is_that_many_voters() {
    let count = NonZeroU32::new(1).unwrap();
    let config = MembershipConfig {
        consensus_threshold: Threshold::count(count),
        partition_safe: false,
        ..MembershipConfig::default()
    };
    let round = round(4, 1);
    assert_eq!(round.decide(late(), &config, true), Decision::Down, "its own vote is enough");
    assert_eq!(round.certificate(&config).check(), Ok(()));
}

#[test]
fn the_strictest_voter_counts_unless_the_others_are_enough_without_it() {
    let mut round = round(8, 3);
    down(&mut round, &[1], 3);
    down(&mut round, &[2], u32::MAX);
    assert_eq!(round.decide(late(), &share(0.1), true), Decision::Wait, "two hold three enough");
    down(&mut round, &[3], 4);
    assert_eq!(round.decide(late(), &share(0.1), true), Decision::Wait);
    down(&mut round, &[4], 4);
    assert_eq!(round.decide(late(), &share(0.1), true), Decision::Down, "four hold four enough");
    let proof = round.certificate(&share(0.1));
    assert_eq!((proof.votes.len(), proof.check()), (4, Ok(())));
    assert!(!proof.voters().any(|voter| voter == id(2)), "the liar is left out");
}

#[test]
fn a_node_that_hears_too_few_of_a_large_mesh_condemns_nobody() {
    let mut round = round(6, 4);
    down(&mut round, &[1, 2, 3], 4);
    round.guard = None;
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Wait);
    round.guard = Some(false);
    assert_eq!(round.decide(late(), &share(0.5), true), Decision::Inconclusive);
}
