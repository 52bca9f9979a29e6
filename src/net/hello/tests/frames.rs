//! The decoders against bytes that nobody wrote on purpose. Seeded: a failure names its round.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::executor::block_on;
use futures::io::Cursor;
use futures::{AsyncRead, AsyncWrite};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_bytes::{ByteArray, ByteBuf};

use crate::base::id::{Incarnation, Life};
use crate::base::limits::MAX_CERTIFICATE;
use crate::net::hello::bars::Bars;
use crate::net::hello::dialogue::{Credentials, converse, introduce};
use crate::net::hello::proof::{ProofKey, Role, Transcript};
use crate::net::hello::wire::{
    self, Introduction, MAX_FEATURE, MAX_FEATURES, MAX_MESSAGE, Message, Proof, Reason,
};
use crate::net::refusal::{Limits, Refusal};

use super::rogue::opening;
use super::world::key;

const LIMITS: Limits = Limits { max_message_bytes: 1, buckets: 2 };

/// Reads from what was prepared, and forgets what is written.
struct Tape(Cursor<Vec<u8>>);

fn introduction() -> Introduction {
    Introduction {
        incarnation: Incarnation { life: Life(u64::MAX), refutations: u32::MAX },
        limits: LIMITS,
        features: (0..MAX_FEATURES).map(|n| format!("{n:0width$}", width = MAX_FEATURE)).collect(),
        agent: "a".repeat(256),
    }
}

fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::NotAHello,
        Refusal::UnknownVersion { refuser: 1, refused: 2 },
        Refusal::OtherNetwork { refuser: "n".repeat(256), refused: "m".repeat(256) },
        Refusal::WrongProof,
        Refusal::IncompatibleLimits { refuser: LIMITS, refused: LIMITS },
        Refusal::Ourselves,
        Refusal::Busy,
        Refusal::Garbage,
        Refusal::Echo,
        Refusal::Down { certificate: vec![7; MAX_CERTIFICATE] },
        Refusal::Down { certificate: Vec::new() },
        Refusal::Unknown(999),
    ]
}

fn messages() -> Vec<Message> {
    let proof = Proof {
        mac: ByteArray::new([1; 32]),
        introduction: ByteBuf::from(introduce(&introduction())),
    };
    let mut messages = vec![Message::Hello(opening()), Message::Proof(proof), Message::Welcome];
    messages.extend(refusals().iter().map(|refusal| Message::Refusal(refusal.into())));
    messages
}

#[test]
fn every_message_survives_the_wire_within_its_limit() {
    for message in messages() {
        let bytes = wire::encode(&message);
        assert!(bytes.len() <= MAX_MESSAGE, "{} bytes: {message:?}", bytes.len());
        assert_eq!(wire::decode(&bytes), Ok(message));
    }
    for refusal in refusals() {
        assert_eq!(Refusal::from(Reason::from(&refusal)), refusal);
    }
    assert_eq!(Introduction::decode(&introduce(&introduction())), Ok(introduction()));
}

#[test]
fn an_introduction_beyond_its_limits_is_garbage() {
    let mut many = introduction();
    many.features.insert("one more".into());
    let loud = Introduction { agent: "a\u{7}".into(), ..introduction() };
    for beyond in [many, loud] {
        let bytes = crate::base::codec::to_cbor(&beyond);
        assert_eq!(Introduction::decode(&bytes), Err(Refusal::Garbage));
    }
}

/// Bytes that are nearly a message: some changed, cut or added, or none of it meant at all.
fn nearly(rng: &mut ChaCha8Rng, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = messages[rng.random_range(0..messages.len())].clone();
    match rng.random_range(0..4) {
        0 => bytes.truncate(rng.random_range(0..=bytes.len())),
        1 => bytes.extend((0..rng.random_range(1..9)).map(|_| 0)),
        2 => {
            bytes = vec![0; rng.random_range(0..200)];
            rng.fill_bytes(&mut bytes);
        }
        _ => {
            for _ in 0..rng.random_range(1..5) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
        }
    }
    bytes
}

#[test]
fn no_bytes_make_the_decoders_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let whole: Vec<_> = messages().iter().map(wire::encode).collect();
    for round in 0..20_000 {
        let bytes = nearly(&mut rng, &whole);
        let _ = Introduction::decode(&bytes);
        if let Ok(message) = wire::decode(&bytes) {
            let again = wire::decode(&wire::encode(&message));
            assert_eq!(again, Ok(message.clone()), "round {round}");
            if let Message::Refusal(reason) = message {
                assert!(!Refusal::from(reason).to_string().is_empty(), "round {round}");
            }
        }
    }
}

#[test]
fn no_bytes_are_taken_for_a_member() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let whole: Vec<_> = messages().iter().map(wire::encode).collect();
    let own = Credentials {
        me: key(1).id().into(),
        network: "orchard".into(),
        key: ProofKey::new("orchard", None),
        limits: LIMITS,
        introduction: introduce(&introduction()),
    };
    let peer = key(2).id().into();
    for round in 0..2_000 {
        let mut tape = Vec::new();
        for _ in 0..rng.random_range(0..4) {
            // Often a good hello first, so that the later messages are reached too.
            let message = if rng.random() { whole[0].clone() } else { nearly(&mut rng, &whole) };
            let length = if rng.random_ratio(9, 10) { message.len() as u32 } else { rng.random() };
            tape.extend_from_slice(&length.to_be_bytes());
            tape.extend_from_slice(&message);
        }
        let role = if rng.random() { Role::Dialer } else { Role::Listener };
        let end =
            block_on(converse(&mut Tape(Cursor::new(tape)), &own, &Bars::default(), &peer, role));
        assert!(end.is_err(), "round {round}: {end:?}");
    }
}

#[test]
fn a_proof_depends_on_key_ids_role_introduction_and_everything_said() {
    let (one, two) = (key(1).id().into(), key(2).id().into());
    let orchard = ProofKey::new("orchard", None);
    let said = |key: &ProofKey, dialer, listener, what: &[&[u8]]| {
        let mut transcript = Transcript::new(key, dialer, listener);
        what.iter().for_each(|said| transcript.absorb(said));
        transcript
    };
    let base = said(&orchard, &one, &two, &[b"ab", b"c"]);
    let secret = crate::base::key::NetworkKey::new([7; 32]);
    let proofs = [
        base.proof(Role::Dialer, b"me"),
        base.proof(Role::Listener, b"me"),
        base.proof(Role::Dialer, b"you"),
        said(&orchard, &two, &one, &[b"ab", b"c"]).proof(Role::Dialer, b"me"),
        said(&orchard, &one, &two, &[b"a", b"bc"]).proof(Role::Dialer, b"me"),
        said(&orchard, &one, &two, &[b"ab"]).proof(Role::Dialer, b"me"),
        said(&ProofKey::new("meadow", None), &one, &two, &[b"ab", b"c"]).proof(Role::Dialer, b"me"),
        said(&ProofKey::new("orchard", Some(&secret)), &one, &two, &[b"ab", b"c"])
            .proof(Role::Dialer, b"me"),
    ];
    for (at, proof) in proofs.iter().enumerate() {
        assert!(!proofs[..at].contains(proof), "proof {at} is like an earlier one");
    }
}

impl AsyncRead for Tape {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tape {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
