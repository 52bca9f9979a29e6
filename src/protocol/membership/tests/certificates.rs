//! What makes a certificate a proof: every way to bend one is refused.

use proptest::prelude::*;

use super::room::{id, key};
use crate::base::codec::{DecodeError, from_cbor, to_cbor};
use crate::base::id::{Incarnation, Life};
use crate::base::limits::MAX_FRAME;
use crate::base::signer::Signer;
use crate::protocol::membership::{Certificate, Flaw, MAX_VOTES, Statement, Verdict, Vote};

const SUBJECT: u8 = 99;
const ROUND: u64 = 7;

fn incarnation() -> Incarnation {
    Incarnation { life: Life(5), refutations: 1 }
}

fn vote_in(round: u64, voter: u8, verdict: Verdict, quorum: u32) -> Vote {
    let statement = Statement {
        round,
        subject: id(SUBJECT),
        incarnation: incarnation(),
        verdict,
        vote: Vote {
            voter: id(voter),
            tick: 100 + u64::from(voter),
            agreed: 42,
            quorum,
            signature: Vec::new(),
        },
    };
    statement.sign(&mut Signer::new(key(voter))).vote
}

/// A certificate by so many voters, each of whom held `quorum` votes necessary.
pub fn certificate(voters: u8, quorum: u32) -> Certificate {
    let votes = (0..voters).map(|voter| vote_in(ROUND, voter, Verdict::Down, quorum));
    Certificate {
        subject: id(SUBJECT),
        incarnation: incarnation(),
        round: ROUND,
        votes: votes.collect(),
    }
}

#[test]
fn enough_genuine_votes_are_a_proof_also_after_a_journey() {
    for (voters, quorum) in [(1, 1), (3, 2), (3, 3), (17, 17), (64, 33)] {
        let made = certificate(voters, quorum);
        assert_eq!(made.check(), Ok(()), "{voters} of {quorum}");
        assert_eq!((made.quorum(), made.span()), (quorum, u64::from(voters) - 1));
        let read: Certificate = from_cbor(&to_cbor(&made), MAX_FRAME).unwrap();
        assert_eq!(read, made);
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), made);
    }
}

/// What was saved once can be read for ever. `GOSSIP_WRITE_FIXTURES` writes it anew.
#[test]
fn a_saved_certificate_stays_readable() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let made = certificate(3, 2);
    let forms = [
        ("certificate.json", serde_json::to_vec(&made).unwrap()),
        ("certificate.cbor", to_cbor(&made)),
    ];
    for (name, bytes) in forms {
        let file = folder.join(name);
        if std::env::var_os("GOSSIP_WRITE_FIXTURES").is_some() {
            std::fs::write(&file, &bytes).unwrap();
        }
        let saved = std::fs::read(&file).unwrap();
        assert_eq!(Certificate::read(&saved), Ok(made.clone()), "{name}");
        assert_eq!(saved, bytes, "{name}: other bytes are another format");
    }
}

#[test]
fn the_largest_certificate_can_be_read_from_a_file_and_no_larger_file() {
    let made = certificate(64, 33);
    assert_eq!(Certificate::read(&serde_json::to_vec(&made).unwrap()), Ok(made));
    let large = vec![b' '; 64 * 1024 + 1];
    assert!(matches!(Certificate::read(&large), Err(DecodeError::TooLarge { .. })));
    for bytes in [&b""[..], b"{", b"{}", b"\xff", b"[1]", b"\xa0"] {
        assert!(matches!(Certificate::read(bytes), Err(DecodeError::Malformed(_))), "{bytes:?}");
    }
}

#[test]
fn too_few_and_too_many_votes_prove_nothing() {
    assert_eq!(certificate(0, 1).check(), Err(Flaw::TooFewVotes));
    assert_eq!(certificate(2, 3).check(), Err(Flaw::TooFewVotes));
    let limit = u8::try_from(MAX_VOTES).unwrap();
    assert_eq!(certificate(limit, 3).check(), Ok(()));
    assert_eq!(certificate(limit + 1, 3).check(), Err(Flaw::TooManyVotes));
}

#[test]
fn the_strictest_voter_counts() {
    let mut bent = certificate(3, 2);
    bent.votes[1] = vote_in(ROUND, 1, Verdict::Down, 4);
    assert_eq!((bent.quorum(), bent.check()), (4, Err(Flaw::TooFewVotes)));
    bent.votes[1].quorum = 2;
    assert_eq!(bent.check(), Err(Flaw::Forged), "nobody but the voter lowers it");
}

#[test]
fn nobody_votes_twice_and_nobody_on_itself() {
    let mut twice = certificate(3, 2);
    let copy = twice.votes[0].clone();
    twice.votes.push(copy);
    assert_eq!(twice.check(), Err(Flaw::DuplicateVoter));
    let mut own = certificate(3, 2);
    own.votes.push(vote_in(ROUND, SUBJECT, Verdict::Down, 2));
    assert_eq!(own.check(), Err(Flaw::OwnCause));
}

#[test]
fn votes_of_another_round_or_verdict_are_not_of_this_certificate() {
    for vote in [
        vote_in(ROUND + 1, 1, Verdict::Down, 2),
        vote_in(ROUND, 1, Verdict::Up, 2),
        Vote { voter: id(50), ..vote_in(ROUND, 1, Verdict::Down, 2) },
        Vote { tick: 0, ..vote_in(ROUND, 1, Verdict::Down, 2) },
        Vote { agreed: 0, ..vote_in(ROUND, 1, Verdict::Down, 2) },
        Vote { signature: Vec::new(), ..vote_in(ROUND, 1, Verdict::Down, 2) },
    ] {
        let mut bent = certificate(3, 2);
        bent.votes[1] = vote;
        assert_eq!(bent.check(), Err(Flaw::Forged));
    }
    let made = certificate(3, 2);
    let later = Incarnation { refutations: 2, ..incarnation() };
    let other_life = Incarnation { life: Life(6), ..incarnation() };
    for bent in [
        Certificate { round: ROUND + 1, ..made.clone() },
        Certificate { subject: id(98), ..made.clone() },
        Certificate { incarnation: later, ..made.clone() },
        Certificate { incarnation: other_life, ..made.clone() },
    ] {
        assert_eq!(bent.check(), Err(Flaw::Forged));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn one_flipped_bit_in_any_signature_is_seen(voter in 0_usize..4, bit in 0_usize..512) {
        let mut bent = certificate(4, 3);
        bent.votes[voter].signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(bent.check(), Err(Flaw::Forged));
    }

    /// Whatever byte is changed on the way: it cannot be read, it is the same, or it is refused.
    #[test]
    fn one_changed_byte_of_the_whole_is_seen(at in any::<prop::sample::Index>(), byte: u8) {
        let made = certificate(3, 2);
        let mut bytes = to_cbor(&made);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = from_cbor::<Certificate>(&bytes, MAX_FRAME) {
            prop_assert!(read == made || read.check().is_err(), "byte {} to {}", at, byte);
        }
    }

    #[test]
    fn no_vote_can_be_taken_out_below_the_quorum(
        voters in 1_u8..12, quorum in 1_u32..12, gone in any::<prop::sample::Index>(),
    ) {
        let mut bent = certificate(voters, quorum);
        bent.votes.remove(gone.index(usize::from(voters)));
        let enough = u32::from(voters) > quorum;
        prop_assert_eq!(bent.check().is_ok(), enough);
    }
}
