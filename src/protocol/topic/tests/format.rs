use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::id;
use crate::base::group::{Chosen, Group, MAX_CHOSEN, MAX_GROUP_NAME};
use crate::base::id::Life;
use crate::base::time::WallTime;
use crate::protocol::topic::frame::{Header, MAX_HEADER, Origin, decode, encode};

fn header() -> Header {
    Header {
        topic: "chat".into(),
        life: Life(3),
        number: 7,
        sent: WallTime(11),
        receipts: true,
        foreign: false,
        origin: None,
        chosen: None,
    }
}

#[test]
fn a_frame_gives_back_what_was_put_in_and_shares_its_memory() {
    let origin = Some(Origin { author: "12D3".into(), name: vec![1, 2, 3] });
    for header in [header(), Header { origin, receipts: false, ..header() }] {
        let (frame, begins) = encode(&header, b"apple");
        let (read, payload) = decode(&frame, 5).expect("a frame");
        assert_eq!((read, &payload[..]), (header, &b"apple"[..]));
        assert_eq!(payload.as_ptr(), frame[begins..].as_ptr(), "no copy");
    }
}

#[test]
fn the_format_of_frames_does_not_change_by_accident() {
    let (frame, _) = encode(&Header { receipts: false, ..header() }, b"x");
    let pinned = [
        1, 0, 17, 0xa4, 0x61, b't', 0x64, b'c', b'h', b'a', b't', 0x61, b'l', 3, 0x61, b'n', 7,
        0x61, b's', 11, b'x',
    ];
    assert_eq!(frame[..], pinned);
}

#[test]
fn a_frame_that_breaks_a_rule_is_none() {
    let (good, _) = encode(&header(), b"apple");
    let with = |index: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[index] = byte;
        Bytes::from(bytes)
    };
    assert!(decode(&good, 5).is_some());
    assert!(decode(&good, 4).is_none(), "payload above the limit");
    assert!(decode(&with(0, 2), 5).is_none(), "unknown version");
    assert!(decode(&with(1, 255), 5).is_none(), "header longer than the frame");
    assert!(decode(&with(2, good[2] - 1), 6).is_none(), "header cut");
    assert!(decode(&Bytes::from_static(&[1, 0]), 5).is_none(), "too short");
    let bad = |header: Header| decode(&encode(&header, b"").0, 5).is_none();
    assert!(bad(Header { number: 0, ..header() }));
    assert!(bad(Header { topic: String::new(), ..header() }));
    assert!(bad(Header { topic: "a\nb".into(), ..header() }));
    let origin =
        |author: &str, length| Some(Origin { author: author.into(), name: vec![0; length] });
    assert!(bad(Header { origin: origin("x", 257), ..header() }));
    assert!(bad(Header { origin: origin("x", 0), ..header() }));
    assert!(bad(Header { origin: origin("", 1), ..header() }));
}

#[test]
fn the_largest_header_fits() {
    let name = "n".repeat(256);
    let origin = Some(Origin { author: name.clone(), name: vec![255; 256] });
    let long = "g".repeat(MAX_GROUP_NAME);
    let group = Group { name: long.clone(), host: Some(long) };
    let members = vec![(group, id(1)); MAX_CHOSEN];
    let chosen = Some(Chosen { all: false, members, again: Some(u64::MAX - 1) });
    let header = Header {
        topic: name,
        life: Life(u64::MAX),
        number: u64::MAX,
        sent: WallTime(u64::MAX),
        receipts: true,
        foreign: true,
        origin,
        chosen,
    };
    let (frame, begins) = encode(&header, b"");
    assert!(begins <= MAX_HEADER);
    assert_eq!(decode(&frame, 0).expect("a frame").0, header);
}

#[test]
fn no_bytes_make_the_decoder_fail() {
    let mut random = ChaCha8Rng::seed_from_u64(42);
    let (good, _) = encode(&header(), b"apple");
    let mut decoded = 0;
    for round in 0..20_000_u32 {
        let mut bytes = if round % 2 == 0 {
            good.to_vec()
        } else {
            let mut noise = vec![0; (random.next_u32() % 300) as usize];
            random.fill_bytes(&mut noise);
            noise
        };
        for _ in 0..random.next_u32() % 4 {
            if let Some(index) = (random.next_u32() as usize).checked_rem(bytes.len()) {
                bytes[index] = random.next_u32() as u8;
            }
        }
        if random.next_u32() % 4 == 0 {
            bytes.truncate((random.next_u32() as usize) % (bytes.len() + 1));
        }
        if let Some((header, payload)) = decode(&Bytes::from(bytes), 64) {
            decoded += 1;
            assert!(header.topic.len() <= 256 && payload.len() <= 64);
        }
    }
    assert!(decoded > 1_000, "the fuzz reaches beyond the decoder: {decoded}");
}
