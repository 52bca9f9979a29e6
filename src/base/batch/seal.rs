//! Making a batch.

use bytes::{BufMut, Bytes, BytesMut};

use super::contents::{Contents, Span};
use super::{Batch, Body, CONTEXT, Head, MAX_HEAD, PREFIX, SIGNATURE, VERSION, pack, varint};
use crate::base::codec::to_cbor;
use crate::base::signer::Signer;
use crate::base::time::WallTime;

impl Batch {
    /// Encodes and signs messages. `head` says where the first one belongs; its count and time are
    /// set here. There must be at least one message, and at most `MAX_COUNT`.
    pub fn seal(mut head: Head, messages: &[(WallTime, Bytes)], signer: &mut Signer) -> Self {
        let (table, spans) = prepare(&mut head, messages);
        let (wire, begins) = sign(&head, parts(&table, messages), signer);
        let payloads = wire.slice(begins + table.len()..);
        Self { head, wire, body: Body::Plain(Contents { payloads, spans }) }
    }

    /// The same, with a body that is compressed where that makes it smaller.
    pub fn seal_compressed(
        mut head: Head,
        messages: &[(WallTime, Bytes)],
        signer: &mut Signer,
    ) -> Self {
        let (table, _) = prepare(&mut head, messages);
        let body = parts(&table, messages).collect::<Vec<_>>().concat();
        let packed = u32::try_from(body.len()).ok().zip(pack::pack(&body));
        let Some((expanded, packed)) = packed else { return Self::seal(head, messages, signer) };
        head.expanded = Some(expanded);
        let (wire, begins) = sign(&head, std::iter::once(&packed[..]), signer);
        let body = Body::Packed { bytes: wire.slice(begins..), expanded: body.len() };
        Self { head, wire, body }
    }

    /// The bytes of a batch whose author signed any body, and said of it what it liked.
    #[cfg(test)]
    pub fn signed_as(head: &Head, body: &[u8], signer: &mut Signer) -> Bytes {
        sign(head, std::iter::once(body), signer).0
    }
}

/// Sets what the head says of the messages: the table, and where each payload lies behind it.
fn prepare(head: &mut Head, messages: &[(WallTime, Bytes)]) -> (Vec<u8>, Vec<Span>) {
    debug_assert!(!messages.is_empty() && messages.len() <= super::MAX_COUNT);
    head.count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    head.sent = messages.first().map_or(head.sent, |(sent, _)| *sent);
    table(head.sent, messages)
}

/// A body in parts.
fn parts<'a>(
    table: &'a [u8],
    messages: &'a [(WallTime, Bytes)],
) -> impl Iterator<Item = &'a [u8]> + Clone {
    std::iter::once(table).chain(messages.iter().map(|(_, payload)| &payload[..]))
}

/// The bytes of a batch with this body, and where in them the body begins.
fn sign<'a>(
    head: &Head,
    body: impl Iterator<Item = &'a [u8]> + Clone,
    signer: &mut Signer,
) -> (Bytes, usize) {
    let written = to_cbor(head);
    debug_assert!(written.len() <= MAX_HEAD, "names and origins are checked before");
    let begins = PREFIX + written.len();
    let mut wire = BytesMut::with_capacity(begins + body.clone().map(<[u8]>::len).sum::<usize>());
    wire.put_u8(VERSION);
    wire.put_bytes(0, SIGNATURE);
    wire.put_u16(u16::try_from(written.len()).unwrap_or(u16::MAX));
    wire.put_slice(&written);
    for part in body {
        wire.put_slice(part);
    }
    if let Some((signature, signed)) = signed(&mut wire) {
        let made = signer.sign(&said(signed));
        if made.len() == signature.len() {
            signature.copy_from_slice(&made);
        }
    }
    (wire.freeze(), begins)
}

/// The place of the signature, and what it is made over.
fn signed(wire: &mut [u8]) -> Option<(&mut [u8], &[u8])> {
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
