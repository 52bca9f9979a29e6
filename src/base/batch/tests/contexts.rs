//! Trace contexts in the head.

use bytes::Bytes;

use super::{again, head, signer};
use crate::base::batch::{Batch, Head, MAX_CONTEXTS, MAX_HEAD};
use crate::base::time::WallTime;
use crate::base::trace_context::TraceContext;

fn context(number: u32) -> TraceContext {
    TraceContext::new([255; 16], u64::from(number + 1).to_be_bytes(), 255).unwrap()
}

fn sealed(contexts: Vec<(u32, TraceContext)>, count: usize) -> Batch {
    let mut signer = signer(1);
    let head = Head { contexts, topic: "n".repeat(256), ..head(&signer, 5) };
    Batch::seal(head, &vec![(WallTime(1), Bytes::new()); count], &mut signer)
}

#[test]
fn messages_of_a_batch_have_the_contexts_that_they_were_given() {
    let batch = again(sealed(vec![(0, context(0)), (2, context(2))], 4).wire()).unwrap();
    let contexts: Vec<_> = (4..10).map(|number| batch.head().context_of(number)).collect();
    assert_eq!(contexts, [None, Some(context(0)), None, Some(context(2)), None, None]);
}

#[test]
fn contexts_are_bounded_in_order_and_of_messages_that_are_there() {
    let last = 4_095;
    let most: Vec<_> = (0..64).map(|n| (last - 63 + n, context(n))).collect();
    assert_eq!(most.len(), MAX_CONTEXTS);
    let batch = sealed(most.clone(), 4_096);
    let written = batch.wire().len() - 2 * 4_096;
    assert!(written <= MAX_HEAD, "{written} bytes");
    assert!(again(batch.wire()).is_ok());
    let more: Vec<_> = std::iter::once((7, context(99))).chain(most).collect();
    assert!(again(sealed(more, 4_096).wire()).is_err(), "one too many");
    assert!(again(sealed(vec![(1, context(1))], 1).wire()).is_err(), "of no message");
    let twice = vec![(0, context(1)), (0, context(2))];
    assert!(again(sealed(twice, 2).wire()).is_err(), "two of one message");
}

#[test]
fn what_is_absent_costs_nothing() {
    use std::collections::BTreeMap;
    let signer = signer(1);
    let written = crate::base::codec::to_cbor(&head(&signer, 5));
    let keys: BTreeMap<String, ciborium::Value> =
        crate::base::codec::from_cbor(&written, MAX_HEAD).unwrap();
    let keys: Vec<_> = keys.keys().map(String::as_str).collect();
    assert_eq!(keys, ["a", "l", "n", "p", "s", "t"]);
}
