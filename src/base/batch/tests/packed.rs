//! Bodies that are compressed.

use bytes::Bytes;
use proptest::prelude::*;

use super::{again, head, items_from, signer};
use crate::base::batch::{Batch, Body, Flaw, Head, MAX_ENTRY, Unexpandable, pack};
use crate::base::signer::Verifier;
use crate::base::time::WallTime;

/// So many bytes of every batch are allowed.
const MAX: usize = 100_000;

fn messages(payloads: &[Vec<u8>]) -> Vec<(WallTime, Bytes)> {
    let timed = (1_000..).step_by(30).map(WallTime);
    timed.zip(payloads.iter().map(|payload| Bytes::copy_from_slice(payload))).collect()
}

fn packed(payloads: &[Vec<u8>]) -> Batch {
    let mut signer = signer(1);
    Batch::seal_compressed(head(&signer, 5), &messages(payloads), &mut signer)
}

/// Text of so many bytes.
fn text(bytes: usize) -> Vec<u8> {
    let words = b"what is said again and again costs a link next to nothing ".iter();
    words.cycle().take(bytes).copied().collect()
}

/// A batch of so many messages with any body, which says that it becomes so many bytes.
fn signed_as(body: &[u8], expanded: u32, count: u32) -> Bytes {
    let mut signer = signer(1);
    let head = Head { expanded: Some(expanded), count, ..head(&signer, 5) };
    Batch::signed_as(&head, body, &mut signer)
}

/// Reads, proves and opens a batch as a reader does: the payload it has.
fn opens(wire: &Bytes) -> Result<usize, Option<Flaw>> {
    let batch = Batch::read(wire, MAX).and_then(|batch| batch.prove(&Verifier::default()));
    let batch = batch.map_err(Some)?;
    let opened = batch.open(MAX).map_err(|Unexpandable| None)?;
    Ok(opened.items_from(0).map(|item| item.payload.len()).sum())
}

/// Some payloads, of which some can be compressed.
fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (0..3_000_usize).prop_map(text),
        (any::<u8>(), 0..3_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    prop::collection::vec(payload, 1..30)
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(payloads in payloads()) {
        let (batch, plain) = (packed(&payloads), super::sealed(&payloads));
        prop_assert!(batch.wire().len() <= plain.wire().len());
        let read = again(batch.wire()).unwrap();
        prop_assert_eq!(read.head(), batch.head());
        prop_assert_eq!((read.count(), read.end()), (plain.count(), plain.end()));
        prop_assert_eq!(items_from(&read, 0), items_from(&plain, 0));
        prop_assert_eq!(items_from(&batch, 7), items_from(&plain, 7));
    }

    #[test]
    fn no_byte_of_a_compressed_batch_can_be_changed_added_or_lost(
        place in any::<prop::sample::Index>(), bits in 1..=255_u8,
    ) {
        let wire = packed(&[text(900), text(500)]).wire().to_vec();
        let place = place.index(wire.len());
        let mut bent = wire.clone();
        bent[place] ^= bits;
        prop_assert!(again(&bent.into()).is_err());
        prop_assert!(again(&wire[..place].to_vec().into()).is_err());
        let longer = [&wire[..], &[bits]].concat();
        prop_assert!(again(&longer.into()).is_err());
    }

    #[test]
    fn signed_noise_is_refused_or_within_the_limits(
        noise in prop::collection::vec(any::<u8>(), 0..400),
        expanded in 0..40_000_u32,
        count in 1..5_u32,
    ) {
        prop_assert!(opens(&signed_as(&noise, expanded, count)).unwrap_or(0) <= MAX);
    }
}

#[test]
fn every_bit_and_every_end_of_a_signed_block_may_be_wrong() {
    let body = packed(&[text(900), vec![7; 70], text(300)]);
    let Body::Packed { bytes, expanded } = &body.body else { panic!("it shrinks") };
    let length = u32::try_from(*expanded).unwrap();
    assert_eq!(opens(&signed_as(bytes, length, 3)), Ok(1_270));
    for place in 0..bytes.len() {
        let cut = signed_as(&bytes[..place], length, 3);
        assert!(opens(&cut).is_err(), "cut at {place}");
        for bit in 0..8 {
            let mut bent = bytes.to_vec();
            bent[place] ^= 1 << bit;
            // What is changed in a literal is another text, which its author may well sign.
            let read = opens(&signed_as(&bent, length, 3));
            assert!(read.is_err() || read == Ok(1_270), "{read:?} at {place}, {bit}");
        }
    }
    let longer = [&bytes[..], &[0x10, b'x']].concat();
    assert_eq!(opens(&signed_as(&longer, length, 3)), Err(None), "trailing bytes");
}

#[test]
fn a_bomb_is_refused_before_it_is_given_memory() {
    let body = pack::pack(&vec![0; MAX]).expect("it shrinks");
    assert!(body.len() < 500, "{} bytes become {MAX}", body.len());
    let limit = u32::try_from(MAX).unwrap();
    assert_eq!(opens(&signed_as(&body, limit, 1)), Ok(MAX));
    // What it is said to become is not allowed: not even read.
    for expanded in [limit + 1, u32::MAX, 0, 10] {
        let wire = signed_as(&body, expanded, 1);
        assert_eq!(opens(&wire), Err(Some(Flaw::Malformed)), "{expanded}");
    }
    // No block of this length becomes so much.
    assert_eq!(opens(&signed_as(&body[..100], limit, 1)), Err(Some(Flaw::Malformed)));
    // It becomes more, or less, than it is said to.
    assert_eq!(opens(&signed_as(&body, limit - 1, 1)), Err(None));
    let shorter = pack::pack(&vec![0; MAX - 1]).expect("it shrinks");
    assert_eq!(opens(&signed_as(&shorter, limit, 1)), Err(None));
}

#[test]
fn the_limit_holds_for_payloads_and_not_for_the_table() {
    let of = |each: usize| packed(&vec![text(each); 100]).wire().clone();
    assert_eq!(opens(&of(MAX / 100)), Ok(MAX));
    // Within what the table might have needed, so that only opening shows it.
    assert_eq!(opens(&of(MAX / 100 + 1)), Err(None));
    assert_eq!(opens(&of(MAX / 100 + MAX_ENTRY)), Err(Some(Flaw::Malformed)));
}

#[test]
fn what_hardly_shrinks_travels_as_it_is() {
    let noise: Vec<u8> = (0..2_000_u32)
        .flat_map(|n| blake3::hash(&n.to_be_bytes()).as_bytes()[..1].to_vec())
        .collect();
    for payloads in [vec![noise], vec![Vec::new()], vec![text(20)], vec![b"ab".to_vec(); 5]] {
        let (batch, plain) = (packed(&payloads), super::sealed(&payloads));
        assert_eq!(batch.wire(), plain.wire(), "byte by byte");
        assert_eq!(batch.head().expanded, None);
    }
}
