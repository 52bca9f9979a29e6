//! Spec, "Large meshes", and thresholds at work in a mesh.

use std::num::NonZeroU32;

use super::mesh::Mesh;
use super::room::SECOND;
use crate::base::signer::Signer;
use crate::protocol::membership::electorate::{electorate, needed};
use crate::protocol::membership::{
    Finding, Flaw, MembershipConfig, Phase, Standing, Statement, Threshold, Verdict, Vote,
};

/// Committees in a mesh that is small enough to be quick.
fn by_committee() -> MembershipConfig {
    MembershipConfig { full_limit: 8, committee: 7, ..MembershipConfig::default() }
}

fn with_threshold(consensus_threshold: Threshold) -> MembershipConfig {
    MembershipConfig { consensus_threshold, ..MembershipConfig::default() }
}

const fn is_down(finding: &Finding) -> bool {
    matches!(finding, Finding::Down { .. })
}

#[test]
fn above_the_limit_a_committee_puts_out_the_dead_one() {
    let mut mesh = Mesh::with(14, by_committee());
    mesh.kill(5);
    mesh.run(6 * SECOND);
    mesh.expect_whole(13);
    let proof = mesh.machine(0).certificate(super::room::id(5)).unwrap();
    assert_eq!((proof.quorum(), proof.votes.len()), (4, 4));
}

#[test]
fn more_than_thirty_two_members_at_the_defaults() {
    let mut mesh = Mesh::new(40);
    mesh.kill(11);
    let all = |mesh: &Mesh| {
        mesh.numbers().iter().all(|number| mesh.standing(*number, 11) == Some(Standing::Down))
    };
    assert!(mesh.run_to(5 * SECOND, all), "{:#?}", mesh.tail());
    let proof = mesh.machine(0).certificate(super::room::id(11)).unwrap();
    assert_eq!((proof.quorum(), proof.votes.len()), (8, 8), "of a committee of 15");
    mesh.run(4 * SECOND);
    mesh.expect_whole(39);
}

#[test]
fn the_guard_keeps_the_smaller_side_from_any_verdict() {
    for (large, small) in [(9, 5), (7, 7), (11, 9)] {
        let mut mesh = Mesh::with(large + small, by_committee());
        let (one, other): (Vec<u8>, Vec<u8>) = (0..large + small).partition(|n| *n < large);
        mesh.split(&one, &other);
        mesh.run(60 * SECOND);
        for number in &other {
            assert_eq!(mesh.count(*number, is_down), 0, "{large}/{small}: {:#?}", mesh.tail());
        }
        if large == small {
            assert!(mesh.put_out().is_empty());
        }
        mesh.heal();
        mesh.run(60 * SECOND);
        mesh.expect_whole(large + small);
    }
}

#[test]
fn votes_of_others_than_the_committee_are_refused() {
    let mut mesh = Mesh::with(20, by_committee());
    let subject = super::room::id(4);
    let machine = mesh.machine(0);
    let incarnation = machine.member(subject).unwrap().incarnation;
    let config = by_committee();
    let mut seats = std::collections::BTreeSet::new();
    for attempt in 0..3 {
        let me = super::room::id(0);
        let body = electorate(machine.roll(), &config, me, subject, incarnation, attempt);
        assert!((7..=8).contains(&body.voters.len()));
        assert!(!body.voters.contains(&subject));
        assert_eq!(body.quorum, needed(machine.roll(), &config));
        seats.extend(body.voters);
    }
    let strangers: Vec<u8> =
        (0..20).filter(|n| *n != 4 && !seats.contains(&super::room::id(*n))).collect();
    // The three committees, drawn a third wider as voters are checked, may cover most members.
    let Some(chosen) = strangers.get(..4) else { return };
    let vote = |voter: u8| {
        let vote = Vote {
            voter: super::room::id(voter),
            tick: 5,
            agreed: 0,
            quorum: 4,
            signature: Vec::new(),
        };
        let verdict = Verdict::Down;
        let made = Statement { round: 1, subject, incarnation, verdict, vote };
        made.sign(&mut Signer::new(super::room::key(voter))).vote
    };
    let votes = chosen.iter().map(|voter| vote(*voter)).collect();
    let proof = crate::protocol::membership::Certificate { subject, incarnation, round: 1, votes };
    assert_eq!(proof.check(), Ok(()), "anybody may check it, and only members know better");
    let news = crate::protocol::membership::wire::News::Down(proof);
    mesh.tell(1, 0, crate::protocol::membership::Message::News(vec![news]));
    mesh.run(SECOND);
    let refused =
        |finding: &Finding| matches!(finding, Finding::Rejected { reason: Flaw::ForeignVoter, .. });
    assert_eq!((mesh.count(0, refused), mesh.put_out().len()), (1, 0), "{:#?}", mesh.tail());
}

#[test]
fn all_reachable_voters_must_agree_when_the_threshold_is_one() {
    let mut mesh = Mesh::with(6, with_threshold(Threshold::share(1.0).unwrap()));
    // One voter reaches 5: nobody puts it out, though four of five do not reach it.
    mesh.split(&[5], &[1, 2, 3, 4]);
    mesh.run(20 * SECOND);
    assert!(!mesh.put_out().contains(&5), "{:#?}", mesh.tail());
    mesh.heal();
    mesh.run(400 * SECOND);
    mesh.expect_whole(6);
    mesh.log.clear();
    mesh.kill(5);
    mesh.run(8 * SECOND);
    mesh.expect_whole(5);
    let votes = mesh.machine(0).certificate(super::room::id(5)).unwrap().votes.len();
    assert_eq!(votes, 5);
}

#[test]
fn a_whole_number_is_so_many_voters_and_without_them_nobody_is_put_out() {
    let three = Threshold::count(NonZeroU32::new(3).unwrap());
    let mut mesh = Mesh::with(4, with_threshold(three));
    mesh.kill(3);
    mesh.run(6 * SECOND);
    mesh.expect_whole(3);
    mesh.kill(2);
    mesh.run(30 * SECOND);
    assert_eq!(mesh.put_out(), [3].into(), "two voters cannot give three votes");
    let none = |f: &Finding| matches!(f, Finding::QuorumUnavailable { quorum: 3, voters: 2, .. });
    assert!(mesh.count(0, none) > 0, "{:#?}", mesh.tail());
}

#[test]
fn one_voter_is_enough_when_that_is_wanted_and_then_both_sides_put_the_other_out() {
    let one = Threshold::count(NonZeroU32::new(1).unwrap());
    let config = MembershipConfig { partition_safe: false, ..with_threshold(one) };
    let mut mesh = Mesh::with(2, config);
    mesh.cut(0, 1);
    mesh.run(10 * SECOND);
    assert_eq!(mesh.put_out(), [0, 1].into(), "{:#?}", mesh.tail());
    assert_eq!((mesh.sizes(0).0, mesh.sizes(1).0), (1, 1));
    mesh.heal();
    mesh.run(60 * SECOND);
    mesh.expect_whole(2);
    let safe = Mesh::with(2, with_threshold(one));
    let mut mesh = safe;
    mesh.cut(0, 1);
    mesh.run(30 * SECOND);
    assert!(mesh.put_out().is_empty(), "the majority is needed besides");
    assert_eq!(mesh.phase(0), Phase::Active);
}
