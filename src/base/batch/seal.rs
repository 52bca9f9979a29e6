//! Making a batch.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Batch, CONTEXT, Head, MAX_HEAD, PREFIX, SIGNATURE, Span, VERSION, varint};
use crate::base::codec::to_cbor;
use crate::base::signer::Signer;
use crate::base::time::WallTime;

impl Batch {
    /// Encodes and signs messages. `head` says where the first one belongs; its count and time are
    /// set here. There must be at least one message, and at most `MAX_COUNT`.
    pub fn seal(mut head: Head, messages: &[(WallTime, Bytes)], signer: &mut Signer) -> Self {
        debug_assert!(!messages.is_empty() && messages.len() <= super::MAX_COUNT);
        head.count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        head.sent = messages.first().map_or(head.sent, |(sent, _)| *sent);
        let (table, spans) = table(head.sent, messages);
        let payload: usize = messages.iter().map(|(_, payload)| payload.len()).sum();
        let written = to_cbor(&head);
        debug_assert!(written.len() <= MAX_HEAD, "names and origins are checked before");

        let begins = PREFIX + written.len() + table.len();
        let mut wire = BytesMut::with_capacity(begins + payload);
        wire.put_u8(VERSION);
        wire.put_bytes(0, SIGNATURE);
        wire.put_u16(u16::try_from(written.len()).unwrap_or(u16::MAX));
        wire.put_slice(&written);
        wire.put_slice(&table);
        for (_, payload) in messages {
            wire.put_slice(payload);
        }
        if let Some((signature, signed)) = parts(&mut wire) {
            let made = signer.sign(&said(signed));
            if made.len() == signature.len() {
                signature.copy_from_slice(&made);
            }
        }
        let wire = wire.freeze();
        let body = wire.slice(begins..);
        Self { head, wire, body, spans }
    }
}

/// The place of the signature, and what it is made over.
fn parts(wire: &mut [u8]) -> Option<(&mut [u8], &[u8])> {
    let (_, rest) = wire.split_first_mut()?;
    let (signature, signed) = rest.split_at_mut_checked(SIGNATURE)?;
    Some((signature, signed))
}

/// The bytes that are signed in the name of these.
pub(super) fn said(signed: &[u8]) -> Vec<u8> {
    [CONTEXT, blake3::hash(signed).as_bytes()].concat()
}

/// The table before the payloads, empty for a single message, and where each payload lies behind
/// it.
fn table(first: WallTime, messages: &[(WallTime, Bytes)]) -> (Vec<u8>, Vec<Span>) {
    let mut table = Vec::new();
    let mut spans = Vec::with_capacity(messages.len());
    let mut start = 0_u32;
    for (sent, payload) in messages {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let later = u32::try_from(sent.0.saturating_sub(first.0)).unwrap_or(u32::MAX);
        if messages.len() > 1 {
            varint::write(length, &mut table);
            varint::write(later, &mut table);
        }
        let end = start.saturating_add(length);
        spans.push(Span { start, end, later });
        start = end;
    }
    (table, spans)
}
