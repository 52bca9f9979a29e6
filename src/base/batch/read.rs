//! Reading a batch that came from outside.

use bytes::Bytes;

use super::{Batch, Head, MAX_COUNT, MAX_HEAD, PREFIX, SIGNATURE, Span, VERSION, seal, varint};
use crate::base::codec::from_cbor;
use crate::base::signer::Verifier;

/// What is wrong with bytes that should be a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Flaw {
    /// They break a rule of the format, or a limit.
    #[error("not a batch")]
    Malformed,
    /// The author did not sign them.
    #[error("not signed by its author")]
    Forged,
}

/// A batch that keeps the rules of the format, and whose author is not proved.
#[derive(Clone, Debug)]
pub(crate) struct Unproved(Batch);

impl Batch {
    /// Takes bytes apart. The payload of the whole batch may have `max_payload` bytes.
    ///
    /// # Errors
    /// [`Flaw::Malformed`] for whatever breaks a rule of the format.
    pub fn read(wire: &Bytes, max_payload: usize) -> Result<Unproved, Flaw> {
        take_apart(wire, max_payload).ok_or(Flaw::Malformed)
    }

    #[cfg(feature = "net")]
    /// Largest batch on the wire whose payload is at most this large.
    pub const fn max_wire(max_payload: usize) -> usize {
        // A message costs at most ten bytes of the table.
        PREFIX + MAX_HEAD + 10 * MAX_COUNT + max_payload
    }
}

impl Unproved {
    #[cfg(feature = "net")]
    /// What it says of itself, true or not.
    pub fn head(&self) -> &Head {
        &self.0.head
    }

    /// Checks the author's signature.
    ///
    /// # Errors
    /// [`Flaw::Forged`] when it does not hold.
    pub fn prove(self, verifier: &Verifier) -> Result<Batch, Flaw> {
        let Self(batch) = self;
        let rest = batch.wire.get(1..).ok_or(Flaw::Malformed)?;
        let (signature, signed) = rest.split_at_checked(SIGNATURE).ok_or(Flaw::Malformed)?;
        match verifier.verify(batch.head.author, &seal::said(signed), signature) {
            true => Ok(batch),
            false => Err(Flaw::Forged),
        }
    }
}

fn take_apart(wire: &Bytes, max_payload: usize) -> Option<Unproved> {
    let (&[version, .., high, low], rest) = wire.split_first_chunk::<PREFIX>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version != VERSION || length > MAX_HEAD {
        return None;
    }
    let (head, rest) = rest.split_at_checked(length)?;
    let head: Head = from_cbor(head, MAX_HEAD).ok()?;
    let count = usize::try_from(head.count).ok().filter(|count| *count <= MAX_COUNT)?;
    if !head.is_valid() {
        return None;
    }
    let mut behind = rest;
    let spans = spans(&mut behind, count)?;
    let payload = behind.len();
    if payload > max_payload || spans.last()?.end as usize != payload {
        return None;
    }
    // The payloads are the end of the bytes.
    let body = wire.slice(wire.len() - payload..);
    Some(Unproved(Batch { head, wire: wire.clone(), body, spans }))
}

/// Reads the table, and leaves what is behind it.
fn spans(from: &mut &[u8], count: usize) -> Option<Vec<Span>> {
    if count == 1 {
        return Some(vec![Span { start: 0, end: u32::try_from(from.len()).ok()?, later: 0 }]);
    }
    // A message costs two bytes of the table at least: the count cannot promise more.
    let mut spans = Vec::with_capacity(count.min(from.len() / 2));
    let mut start = 0_u32;
    for _ in 0..count {
        let (length, later) = (varint::read(from)?, varint::read(from)?);
        let end = start.checked_add(length)?;
        spans.push(Span { start, end, later });
        start = end;
    }
    Some(spans)
}
