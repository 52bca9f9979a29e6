//! What fits into a question or an answer.

use bytes::Bytes;
use serde_bytes::ByteBuf;

use crate::base::batch::{Batch, Head};
use crate::base::codec::to_cbor;
use crate::base::id::Life;
use crate::base::key::SecretKey;
use crate::base::signer::Signer;
use crate::base::time::WallTime;
use crate::engine::frame::{Lane, Message, Response};
use crate::protocol::topic;

#[test]
fn the_largest_message_can_be_repaired() {
    let max = 3 << 20;
    let mut signer = Signer::new(SecretKey::from_seed([1; 32]));
    let head = Head::new(signer.me(), Life(u64::MAX), &"t".repeat(256), u64::MAX - 1);
    let batch = Batch::seal(head, &[(WallTime(0), Bytes::from(vec![0; max]))], &mut signer);
    let batches = topic::Message::Batches(vec![ByteBuf::from(batch.wire().to_vec())]);
    let answer = to_cbor(&Response(Some(Message::Topic(batches))));
    assert!((max..=Lane::Control.max_bytes(max)).contains(&answer.len()));
    assert!(answer.len() > Lane::Control.max_bytes(0), "the setting counts");
}
