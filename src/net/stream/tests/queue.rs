//! What waits for a peer.

use bytes::Bytes;

use crate::net::stream::frame::{Frame, Kind};
use crate::net::stream::queue::{Full, MAX_QUEUED, Queue};

fn frame(kind: Kind, bytes: usize) -> Frame {
    Frame { kind, body: Bytes::from(vec![0; bytes]) }
}

#[test]
fn a_queue_is_full_at_its_bound_and_has_room_again_when_something_was_taken() {
    let queue = Queue::default();
    let mut count = 0;
    while queue.put(frame(Kind::Batch, 1 << 20)) == Ok(()) {
        count += 1;
    }
    assert_eq!(count, 7, "the heads count as well");
    assert!(queue.bytes() <= MAX_QUEUED);
    let mut taken = Vec::new();
    queue.take(1, &mut taken);
    assert_eq!(taken.len(), 1, "one at least");
    assert_eq!(queue.put(frame(Kind::Batch, 1 << 20)), Ok(()));
    assert_eq!(queue.put(frame(Kind::Message, 1 << 20)), Err(Full));
    queue.take(usize::MAX, &mut taken);
    assert_eq!((taken.len(), queue.bytes()), (8, 0));
}

#[test]
fn messages_are_taken_first_and_each_kind_in_order() {
    let queue = Queue::default();
    for (kind, bytes) in
        [(Kind::Batch, 1), (Kind::Message, 2), (Kind::Batch, 3), (Kind::Message, 4)]
    {
        queue.put(frame(kind, bytes)).unwrap();
    }
    let mut taken = Vec::new();
    queue.take(usize::MAX, &mut taken);
    let sizes: Vec<usize> = taken.iter().map(|frame| frame.body.len()).collect();
    assert_eq!(sizes, [2, 4, 1, 3]);
}
