mod contexts;
mod packed;

use bytes::Bytes;
use proptest::prelude::*;

use super::head::{MAX_HEAD, MAX_ORIGIN};
use super::{Batch, Flaw, Head, Item, Origin, Place, varint};
use crate::base::group::{Chosen, Group, MAX_CHOSEN, MAX_GROUP_NAME};
use crate::base::id::Life;
use crate::base::key::SecretKey;
use crate::base::signer::{Signer, Verifier};
use crate::base::time::WallTime;
use crate::base::trace_context::TraceContext;

fn signer(seed: u8) -> Signer {
    Signer::new(SecretKey::from_seed([seed; 32]))
}

fn head(signer: &Signer, first: u64) -> Head {
    let place = Some(Place { bucket: 3, sequence: 9 });
    Head { place, ..Head::new(signer.me(), Life(7), "chat/lines", first) }
}

fn sealed(payloads: &[Vec<u8>]) -> Batch {
    let mut signer = signer(1);
    let head = head(&signer, 5);
    let messages: Vec<_> = (1_000..)
        .step_by(30)
        .zip(payloads)
        .map(|(at, payload)| (WallTime(at), Bytes::copy_from_slice(payload)))
        .collect();
    Batch::seal(head, &messages, &mut signer)
}

fn items_from(batch: &Batch, number: u64) -> Vec<Item> {
    batch.open(1 << 20).expect("an honest batch").items_from(number).collect()
}

fn again(wire: &Bytes) -> Result<Batch, Flaw> {
    Batch::read(wire, 1 << 20)?.prove(&Verifier::default())
}

proptest! {
    #[test]
    fn what_is_sealed_can_be_read(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..40),
    ) {
        let batch = sealed(&payloads);
        let read = again(batch.wire()).unwrap();
        prop_assert_eq!(read.head(), batch.head());
        let items = items_from(&read, 0);
        prop_assert_eq!(&items, &items_from(&batch, 0));
        prop_assert_eq!(items.len(), payloads.len());
        prop_assert_eq!(read.end(), 5 + payloads.len() as u64);
        for ((item, payload), place) in items.iter().zip(&payloads).zip(0..) {
            prop_assert_eq!(&item.payload[..], &payload[..]);
            prop_assert_eq!((item.number, item.sent), (5 + place, WallTime(1_000 + 30 * place)));
        }
        let last = items_from(&read, read.end() - 1);
        prop_assert_eq!(&last[..], &items[items.len() - 1..]);
        prop_assert_eq!(items_from(&read, read.end()).len(), 0);
    }

    #[test]
    fn no_byte_can_be_changed_added_or_lost(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..5),
        place in any::<prop::sample::Index>(),
        bits in 1..=255_u8,
    ) {
        let wire = sealed(&payloads).wire().to_vec();
        let mut bent = wire.clone();
        let place = place.index(wire.len());
        bent[place] ^= bits;
        prop_assert!(again(&bent.into()).is_err());
        prop_assert!(again(&wire[..place].to_vec().into()).is_err());
        let mut longer = wire;
        longer.push(bits);
        prop_assert!(again(&longer.into()).is_err());
    }

    #[test]
    fn noise_is_refused_and_never_panics(
        noise in prop::collection::vec(any::<u8>(), 0..400), length in 0..80_u8,
    ) {
        let mut wire = vec![2; 65];
        wire.extend([0, length]);
        wire.extend(noise);
        prop_assert!(again(&wire.into()).is_err());
    }

    #[test]
    fn numbers_of_any_size_come_back(number in any::<u32>()) {
        let mut bytes = Vec::new();
        varint::write(number, &mut bytes);
        prop_assert!(bytes.len() <= 5);
        let mut rest = &bytes[..];
        prop_assert_eq!((varint::read(&mut rest), rest.len()), (Some(number), 0));
    }
}

#[test]
fn another_cannot_sign_in_the_authors_name() {
    let head = head(&signer(1), 1);
    let forged = Batch::seal(head, &[(WallTime(1), Bytes::from("x"))], &mut signer(2));
    assert_eq!(again(forged.wire()).unwrap_err(), Flaw::Forged);
}

#[test]
fn limits_hold_before_anything_is_believed() {
    let batch = sealed(&[vec![0; 100], vec![0; 100]]);
    assert!(Batch::read(batch.wire(), 200).is_ok());
    assert_eq!(Batch::read(batch.wire(), 199).unwrap_err(), Flaw::Malformed);
    // A number that would run over, and none at all.
    let mut signer = signer(1);
    for first in [0, u64::MAX] {
        let head = head(&signer, first);
        let batch = Batch::seal(head, &[(WallTime(1), Bytes::new())], &mut signer);
        assert_eq!(Batch::read(batch.wire(), 200).unwrap_err(), Flaw::Malformed);
    }
}

#[test]
fn the_largest_head_fits() {
    let mut signer = signer(1);
    let name = "n".repeat(256);
    let long = "g".repeat(MAX_GROUP_NAME);
    let group = Group { name: long.clone(), host: Some(long) };
    let head = Head {
        life: Life(u64::MAX),
        topic: name.clone(),
        place: Some(Place { bucket: u16::MAX, sequence: u64::MAX }),
        receipts: true,
        foreign: true,
        origin: Some(Origin { author: name, name: vec![255; MAX_ORIGIN] }),
        chosen: Some(Chosen {
            all: false,
            members: vec![(group, signer.me()); MAX_CHOSEN],
            again: Some(u64::MAX - 2),
        }),
        contexts: vec![(0, TraceContext::new([255; 16], [255; 8], 255).unwrap())],
        ..head(&signer, u64::MAX - 1)
    };
    let batch = Batch::seal(head, &[(WallTime(u64::MAX), Bytes::new())], &mut signer);
    assert!(batch.wire().len() <= MAX_HEAD, "{} bytes", batch.wire().len());
    assert_eq!(again(batch.wire()).expect("a batch").head(), batch.head());
}

#[test]
fn only_a_message_alone_names_members() {
    let mut signer = signer(1);
    let named = Chosen {
        members: vec![(Group { name: "g".into(), host: None }, signer.me())],
        ..Chosen::default()
    };
    let again_of = |first| Chosen { again: Some(first), ..Chosen::default() };
    let all = Chosen { all: true, ..Chosen::default() };
    let mut reads = |chosen: Chosen, count| {
        let head = Head { chosen: Some(chosen), ..head(&signer, 5) };
        let messages = vec![(WallTime(1), Bytes::new()); count];
        again(Batch::seal(head, &messages, &mut signer).wire()).is_ok()
    };
    assert!(reads(named.clone(), 1) && !reads(named, 2));
    assert!(reads(again_of(4), 1) && !reads(again_of(4), 2) && !reads(again_of(5), 1));
    assert!(reads(all, 2));
}
