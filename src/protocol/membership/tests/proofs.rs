//! Spec, "Verdict": what is obeyed, what is refused, and who comes back when.

use std::time::Duration;

use super::mesh::Mesh;
use super::room::{MS, SECOND, id, key};
use crate::base::id::Incarnation;
use crate::base::signer::Signer;
use crate::protocol::membership::wire::News;
use crate::protocol::membership::{
    Certificate, Finding, Flaw, GoingDownReason, Input, Message, Phase, Standing, Statement,
    Verdict, Vote,
};

const ROUND: u64 = 7;

fn vote(mesh: &Mesh, voter: u8, subject: u8, change: impl Fn(&mut Statement)) -> Vote {
    let roll = mesh.machine(voter).roll();
    let mut statement = Statement {
        round: ROUND,
        subject: id(subject),
        incarnation: mesh.machine(subject).incarnation(),
        verdict: Verdict::Down,
        vote: Vote {
            voter: id(voter),
            tick: 100,
            agreed: roll.digests().1,
            quorum: roll.sizes().1 / 2 + 1,
            signature: Vec::new(),
        },
    };
    change(&mut statement);
    statement.sign(&mut Signer::new(key(voter))).vote
}

/// What these voters would sign together.
fn certificate(mesh: &Mesh, subject: u8, voters: &[u8]) -> Certificate {
    Certificate {
        subject: id(subject),
        incarnation: mesh.machine(subject).incarnation(),
        round: ROUND,
        votes: voters.iter().map(|voter| vote(mesh, *voter, subject, |_| ())).collect(),
    }
}

fn news(certificate: &Certificate) -> Message {
    Message::News(vec![News::Down(certificate.clone())])
}

fn back_in(mesh: &Mesh, number: u8) -> Vec<Duration> {
    let down = |(_, teller, finding): &(_, u8, Finding)| match finding {
        Finding::GoingDown { back_in, .. } if *teller == number => Some(*back_in),
        _ => None,
    };
    mesh.log.iter().filter_map(down).collect()
}

#[test]
fn a_node_obeys_a_genuine_takedown_and_comes_back_above_it() {
    let mut mesh = Mesh::new(5);
    let proof = certificate(&mesh, 4, &[0, 1, 2]);
    let before = mesh.machine(4).incarnation();
    mesh.tell(0, 4, news(&proof));
    mesh.run(50 * MS);
    assert_eq!(mesh.phase(4), Phase::Downed, "{:#?}", mesh.tail());
    let told =
        Finding::TakedownReceived { certificate: Box::new(proof.clone()), from: Some(id(0)) };
    assert_eq!(mesh.count(4, |finding| *finding == told), 1);
    assert!(
        mesh.count(4, |finding| {
            matches!(finding, Finding::GoingDown { reason: GoingDownReason::Takedown, .. })
        }) == 1
    );
    mesh.run(10 * SECOND);
    assert!(mesh.machine(4).incarnation() > before);
    mesh.expect_whole(5);
}

#[test]
fn all_record_a_verdict_told_to_one_and_it_ends_with_the_next_incarnation() {
    let mut mesh = Mesh::new(5);
    let proof = certificate(&mesh, 4, &[0, 1, 2]);
    mesh.tell(0, 3, news(&proof));
    mesh.run(100 * MS);
    (0..4).for_each(|number| assert_eq!(mesh.standing(number, 4), Some(Standing::Down)));
    assert_eq!(mesh.machine(1).certificate(id(4)), Some(proof.clone()));
    mesh.run(10 * SECOND);
    mesh.expect_whole(5);
    // Again, after it came back: the incarnation that it speaks of is history.
    mesh.log.clear();
    (0..5).for_each(|number| mesh.tell(2, number, news(&proof)));
    mesh.input(4, Input::Barred { by: Some(id(1)), certificate: proof });
    mesh.run(10 * SECOND);
    mesh.expect_whole(5);
    assert_eq!(mesh.log, [], "{:#?}", mesh.tail());
}

#[test]
fn a_bent_takedown_is_refused_and_counted_whoever_is_told() {
    let mut mesh = Mesh::new(7);
    mesh.start(20, false);
    mesh.run(5 * SECOND);
    mesh.kill(20);
    mesh.run(8 * SECOND);
    mesh.expect_whole(7);
    let good = certificate(&mesh, 6, &[0, 1, 2, 3]);
    let with = |change: &dyn Fn(&mut Certificate)| {
        let mut bent = good.clone();
        change(&mut bent);
        bent
    };
    let foreign = Vote { voter: id(20), ..good.votes[0].clone() };
    let never_known = {
        let mut signer = Signer::new(key(99));
        let statement = Statement {
            round: ROUND,
            subject: id(6),
            incarnation: good.incarnation,
            verdict: Verdict::Down,
            vote: Vote { voter: id(99), ..good.votes[0].clone() },
        };
        statement.sign(&mut signer).vote
    };
    let one_vote = vote(&mesh, 0, 6, |statement| statement.vote.quorum = 1);
    let late = vote(&mesh, 3, 6, |statement| statement.vote.tick = 100_000);
    let other_round = vote(&mesh, 3, 6, |statement| statement.round = ROUND + 1);
    let up = vote(&mesh, 3, 6, |statement| statement.verdict = Verdict::Up);
    let higher = Incarnation { refutations: 9, ..good.incarnation };
    let bent = [
        (Flaw::Forged, with(&|bent| bent.votes[2].signature[9] ^= 4)),
        (Flaw::Forged, with(&|bent| bent.votes[1].tick ^= 1)),
        (Flaw::Forged, with(&|bent| bent.incarnation = higher)),
        (Flaw::Forged, with(&|bent| bent.votes[3] = other_round.clone())),
        (Flaw::Forged, with(&|bent| bent.votes[3] = up.clone())),
        (Flaw::ForeignVoter, with(&|bent| bent.votes[3] = foreign.clone())),
        (Flaw::ForeignVoter, with(&|bent| bent.votes[3] = never_known.clone())),
        (Flaw::DuplicateVoter, with(&|bent| bent.votes[3] = bent.votes[0].clone())),
        (Flaw::TooFewVotes, with(&|bent| drop(bent.votes.pop()))),
        (Flaw::TooFewVotes, with(&|bent| bent.votes = vec![one_vote.clone()])),
        (Flaw::TooOld, with(&|bent| bent.votes[3] = late.clone())),
    ];
    for (flaw, bent) in bent {
        for to in [0, 5, 6] {
            mesh.log.clear();
            let before = mesh.machine(to).stats().forged;
            mesh.tell(4, to, news(&bent));
            mesh.run(200 * MS);
            let refused = Finding::Rejected { from: id(4), node: id(6), reason: flaw };
            assert_eq!(mesh.log.len(), 1, "{flaw:?} to {to}: {:#?}", mesh.tail());
            assert_eq!(mesh.log[0].2, refused, "{to}");
            assert_eq!(mesh.machine(to).stats().forged, before + 1);
        }
        mesh.expect_whole(7);
    }
}

#[test]
fn a_witness_that_is_asked_with_a_forged_question_does_not_look() {
    let mut mesh = Mesh::new(5);
    let vote = vote(&mesh, 0, 4, |_| ());
    let incarnation = mesh.machine(4).incarnation();
    let (subject, verdict) = (id(4), Verdict::Down);
    let asked = Statement { round: ROUND, subject, incarnation, verdict, vote };
    let bent = [
        (0, Flaw::Forged, Statement { round: ROUND + 1, ..asked.clone() }),
        (1, Flaw::OutOfPlace, asked.clone()),
        (0, Flaw::OutOfPlace, Statement { verdict: Verdict::Up, ..asked }),
    ];
    for (from, flaw, statement) in bent {
        mesh.log.clear();
        let token = crate::base::token::Token(1);
        mesh.input(2, Input::Asked { from: id(from), token, message: Message::Query(statement) });
        mesh.run(SECOND);
        let refused = Finding::Rejected { from: id(from), node: id(4), reason: flaw };
        assert_eq!(mesh.log.len(), 1, "{:#?}", mesh.tail());
        assert_eq!(mesh.log[0].2, refused);
    }
}

#[test]
fn reports_that_nobody_asked_for_change_nothing() {
    let mut mesh = Mesh::new(7);
    mesh.kill(6);
    assert!(mesh.run_to(3 * SECOND, |mesh| {
        mesh.count_all(|finding| matches!(finding, Finding::Suspected { .. })) > 0
    }));
    let (coordinator, round) = mesh
        .log
        .iter()
        .find_map(|(_, teller, finding)| match finding {
            Finding::Suspected { round, .. } => Some((*teller, *round)),
            _ => None,
        })
        .unwrap();
    let incarnation = mesh.machine(coordinator).member(id(6)).unwrap().incarnation;
    let liar = (0..6).find(|number| *number != coordinator).unwrap();
    let other = (0..6).find(|number| *number != coordinator && *number != liar).unwrap();
    let lie = |round, voter: u8, signer: u8| {
        let statement = Statement {
            round,
            subject: id(6),
            incarnation,
            verdict: Verdict::Up,
            vote: Vote { voter: id(voter), tick: 0, agreed: 0, quorum: 0, signature: vec![] },
        };
        Message::Report(statement.sign(&mut Signer::new(key(signer))))
    };
    mesh.tell(liar, coordinator, lie(round + 1, liar, liar));
    mesh.tell(liar, coordinator, lie(round, other, liar));
    mesh.tell(liar, coordinator, lie(round, liar, other));
    let forged = mesh.machine(coordinator).stats().forged;
    mesh.run(6 * SECOND);
    assert_eq!(mesh.machine(coordinator).stats().forged, forged + 3);
    assert_eq!(mesh.put_out(), [6].into());
    mesh.expect_whole(6);
}

#[test]
fn who_is_put_out_again_and_again_waits_longer_each_time() {
    let mut mesh = Mesh::new(5);
    for _ in 0..4 {
        let proof = certificate(&mesh, 4, &[0, 1, 2]);
        mesh.tell(0, 4, news(&proof));
        mesh.tell(0, 1, news(&proof));
        assert!(mesh.run_to(SECOND, |mesh| mesh.phase(4) == Phase::Downed));
        assert!(mesh.run_to(20 * SECOND, |mesh| mesh.phase(4) == Phase::Active));
        mesh.run(2 * SECOND);
        mesh.expect_whole(5);
    }
    let waits = back_in(&mesh, 4);
    for (doubling, wait) in waits.iter().enumerate() {
        let least = SECOND * (1 << doubling);
        assert!(*wait >= least && *wait <= least * 5 / 4, "{waits:?}");
    }
    mesh.run(601 * SECOND);
    let proof = certificate(&mesh, 4, &[0, 1, 2]);
    mesh.tell(0, 4, news(&proof));
    mesh.run(SECOND);
    assert!(*back_in(&mesh, 4).last().unwrap() < 2 * SECOND, "calm for long: it begins anew");
}

#[test]
fn a_refutation_before_and_after_the_certificate_ends_alike() {
    for refutes_first in [true, false] {
        let mut mesh = Mesh::new(5);
        let proof = certificate(&mesh, 4, &[0, 1, 2]);
        let incarnation = mesh.machine(4).incarnation();
        let suspected = Message::Suspected { incarnation, round: ROUND };
        if refutes_first {
            mesh.tell(0, 4, suspected.clone());
            mesh.run(50 * MS);
        }
        (0..4).for_each(|number| mesh.tell(0, number, news(&proof)));
        if !refutes_first {
            // At the same moment, so that the refutation meets those who have the verdict.
            mesh.tell(0, 4, suspected);
        }
        mesh.run(10 * SECOND);
        mesh.expect_whole(5);
        let now = mesh.machine(4).incarnation();
        assert!(now > incarnation);
        let resets = mesh.count(4, |finding| matches!(finding, Finding::GoingDown { .. }));
        assert_eq!(resets, 0, "the next incarnation is alive: {:#?}", mesh.tail());
        let recorded = mesh.machine(1).member(id(4)).unwrap().incarnation;
        assert_eq!(recorded, now);
    }
}

#[test]
fn who_contradicts_too_often_needs_vouchers_and_gets_them_while_it_is_reached() {
    let mut mesh = Mesh::new(5);
    for time in 1..=6 {
        let incarnation = mesh.machine(4).incarnation();
        mesh.tell(0, 4, Message::Suspected { incarnation, round: time });
        mesh.run(3 * SECOND);
        assert!(mesh.machine(4).incarnation() > incarnation, "{time}: {:#?}", mesh.tail());
        mesh.expect_whole(5);
    }
    let refused = mesh.count_all(|finding| matches!(finding, Finding::Rejected { .. }));
    assert_eq!(refused, 0, "{:#?}", mesh.tail());
}

#[test]
fn contradictions_without_vouchers_are_refused_from_the_fourth_on() {
    let mut mesh = Mesh::new(5);
    let mut incarnation = mesh.machine(4).incarnation();
    mesh.split(&[4], &[0, 1, 2, 3]);
    for time in 1..=5_u32 {
        incarnation.refutations += 1;
        let (tick, node) = (0, id(4));
        let alive = crate::protocol::membership::Alive {
            node,
            incarnation,
            tick,
            signature: Vec::new(),
            vouchers: Vec::new(),
        };
        let alive = News::Alive(alive.sign(&mut Signer::new(key(4))));
        mesh.tell(1, 0, Message::News(vec![alive]));
        mesh.run(20 * MS);
        let known = mesh.machine(0).member(id(4)).unwrap().incarnation.refutations;
        assert_eq!(known, time.min(3), "{time}");
    }
    let unvouched = |f: &Finding| matches!(f, Finding::Rejected { reason: Flaw::Unvouched, .. });
    assert_eq!(mesh.count(0, unvouched), 2);
}

#[test]
fn a_refutation_is_not_asked_for_more_often_than_the_window() {
    let mut mesh = Mesh::new(5);
    for time in 0..5 {
        let incarnation = mesh.machine(4).incarnation();
        mesh.tell(0, 4, Message::Suspected { incarnation, round: time });
        mesh.run(100 * MS);
    }
    let refuted = mesh.count(4, |finding| matches!(finding, Finding::Refuted { .. }));
    assert_eq!(refuted, 1, "{:#?}", mesh.tail());
}

#[test]
fn a_newcomer_learns_who_was_put_out_without_complaint() {
    let mut mesh = Mesh::new(5);
    mesh.kill(3);
    mesh.run(6 * SECOND);
    mesh.log.clear();
    mesh.start(9, false);
    mesh.run(6 * SECOND);
    let refused = mesh.count_all(|finding| matches!(finding, Finding::Rejected { .. }));
    assert_eq!(refused, 0, "{:#?}", mesh.tail());
    assert!(mesh.machine(9).certificate(id(3)).is_some());
    mesh.expect_whole(5);
}
