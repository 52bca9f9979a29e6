//! Packets in the bytes of a stream.

use proptest::prelude::*;

use crate::base::limits::MAX_TREE_MESSAGE;
use crate::net::stream::frame::{Flaw, Frame, Frames, HEAD, Kind, Limits};

const LIMITS: Limits = Limits { max_payload: 1024 * 1024 };

fn bytes_of(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| [&frame.head()[..], &frame.body].concat()).collect()
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let body = prop::collection::vec(any::<u8>(), 0..300);
    let frame = (any::<bool>(), body).prop_map(|(batch, body)| Frame {
        kind: if batch { Kind::Batch } else { Kind::Message },
        body: body.into(),
    });
    prop::collection::vec(frame, 0..20)
}

proptest! {
    #[test]
    fn packets_are_found_however_the_bytes_are_cut(sent in frames(), cut in 1..400_usize) {
        let mut reading = Frames::new(LIMITS);
        let mut found = Vec::new();
        for mut piece in bytes_of(&sent).chunks(cut) {
            while let Some(frame) = reading.next(&mut piece).unwrap() {
                found.push(frame);
            }
            prop_assert!(piece.is_empty());
        }
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut rest = &noise[..];
        let mut reading = Frames::new(LIMITS);
        while let Ok(Some(_)) = reading.next(&mut rest) {}
    }
}

fn head(length: usize, kind: u8) -> Vec<u8> {
    [&u32::try_from(length).unwrap().to_be_bytes()[..], &[kind]].concat()
}

#[test]
fn what_promises_too_much_is_refused_at_its_head() {
    let largest = crate::base::batch::Batch::max_wire(LIMITS.max_payload);
    for (length, kind, flaw) in [
        (largest + 1, 1, Flaw::Oversized),
        (u32::MAX as usize, 1, Flaw::Oversized),
        (MAX_TREE_MESSAGE + 1, 2, Flaw::Oversized),
        (1, 0, Flaw::UnknownKind),
        (1, 3, Flaw::UnknownKind),
    ] {
        let refused = Frames::new(LIMITS).next(&mut &head(length, kind)[..]);
        assert_eq!(refused, Err(flaw), "{length} {kind}");
    }
    for (length, kind) in [(largest, 1), (MAX_TREE_MESSAGE, 2)] {
        assert_eq!(Frames::new(LIMITS).next(&mut &head(length, kind)[..]), Ok(None));
    }
}

#[test]
fn memory_grows_as_bytes_arrive_and_not_as_they_are_promised() {
    let mut reading = Frames::new(LIMITS);
    let promised = 1024 * 1024;
    assert_eq!(reading.next(&mut &head(promised, 1)[..]), Ok(None));
    assert_eq!(reading.reserved(), 0);
    let mut came = 0;
    while came + 1000 < promised {
        assert_eq!(reading.next(&mut &[0; 1000][..]), Ok(None));
        came += 1000;
        assert!(reading.reserved() <= 2 * came, "{} of {came}", reading.reserved());
    }
    let frame = reading.next(&mut &vec![0; promised - came + HEAD][..]);
    assert_eq!(frame.map(|frame| frame.map(|frame| frame.body.len())), Ok(Some(promised)));
    assert_eq!(reading.reserved(), 0);
}
