//! Reading a batch that came from outside.

use bytes::Bytes;

use super::contents::Contents;
use super::{Batch, Body, Head, MAX_COUNT, MAX_HEAD, PREFIX, SIGNATURE, VERSION, pack, seal};
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
    /// Takes bytes apart. The payload of the whole batch may have `max_payload` bytes. A body that
    /// is compressed stays so: that its length is allowed is seen here, what it is when the batch
    /// is opened, by whoever reads it.
    ///
    /// # Errors
    /// [`Flaw::Malformed`] for whatever breaks a rule of the format.
    pub fn read(wire: &Bytes, max_payload: usize) -> Result<Unproved, Flaw> {
        take_apart(wire, max_payload).ok_or(Flaw::Malformed)
    }

    #[cfg(feature = "net")]
    /// Largest batch on the wire whose payload is at most this large. (One that is compressed is
    /// smaller than it would be otherwise.)
    pub const fn max_wire(max_payload: usize) -> usize {
        PREFIX + MAX_HEAD + super::MAX_ENTRY * MAX_COUNT + max_payload
    }
}

impl Unproved {
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
    // The body is the end of the bytes.
    let body = wire.slice(wire.len() - rest.len()..);
    let body = match head.expanded {
        None => Body::Plain(Contents::read(&body, count, max_payload)?),
        Some(expanded) => {
            let expanded = usize::try_from(expanded).ok()?;
            pack::may_become(body.len(), expanded, count, max_payload)
                .then_some(Body::Packed { bytes: body, expanded })?
        }
    };
    Some(Unproved(Batch { head, wire: wire.clone(), body }))
}
