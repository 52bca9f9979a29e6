//! Packets as they lie in a stream.

use bytes::Bytes;

use crate::base::batch::{self, Batch};
use crate::base::codec::{from_cbor, to_cbor};
use crate::base::limits::MAX_TREE_MESSAGE;
use crate::base::signer::Verifier;
use crate::engine::frame::Packet;

/// Length and kind.
pub(super) const HEAD: usize = 5;

/// What is wrong with what came by a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Flaw {
    /// A packet that promises more bytes than its kind may have.
    #[error("a packet above its limit")]
    Oversized,
    /// A kind of packet that does not exist.
    #[error("a packet of unknown kind")]
    UnknownKind,
    /// Bytes that are not what their kind says.
    #[error("a packet that cannot be read")]
    Malformed,
    /// A batch that its author did not sign.
    #[error("a batch that its author did not sign")]
    Forged,
}

/// What a packet is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Batch = 1,
    Message = 2,
}

/// How large packets may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest payload of a batch, in bytes.
    pub max_payload: usize,
}

impl Limits {
    const fn of(self, kind: Kind) -> usize {
        match kind {
            Kind::Batch => Batch::max_wire(self.max_payload),
            Kind::Message => MAX_TREE_MESSAGE,
        }
    }
}

/// A packet in bytes, without its head.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Frame {
    pub kind: Kind,
    pub body: Bytes,
}

impl Frame {
    /// Writes a packet. A batch is not copied.
    pub fn of(packet: &Packet) -> Self {
        match packet {
            Packet::Batch(batch) => Self { kind: Kind::Batch, body: batch.wire().clone() },
            Packet::Message(message) => {
                let body = to_cbor(message);
                debug_assert!(body.len() <= MAX_TREE_MESSAGE, "the room keeps to its limit");
                Self { kind: Kind::Message, body: body.into() }
            }
        }
    }

    /// What goes before the body.
    pub fn head(&self) -> [u8; HEAD] {
        let [a, b, c, d] = u32::try_from(self.body.len()).unwrap_or(u32::MAX).to_be_bytes();
        [a, b, c, d, self.kind as u8]
    }

    /// All of it, in bytes.
    pub const fn len(&self) -> usize {
        HEAD + self.body.len()
    }

    /// Reads the packet, and checks who signed it.
    pub fn open(&self, limits: Limits, verifier: &Verifier) -> Result<Packet, Flaw> {
        match self.kind {
            Kind::Batch => {
                let batch = Batch::read(&self.body, limits.max_payload);
                let proved = batch.and_then(|batch| batch.prove(verifier));
                proved.map(|batch| Packet::Batch(batch.into())).map_err(Flaw::from)
            }
            Kind::Message => from_cbor(&self.body, MAX_TREE_MESSAGE)
                .map(Packet::Message)
                .map_err(|_| Flaw::Malformed),
        }
    }
}

impl From<batch::Flaw> for Flaw {
    fn from(flaw: batch::Flaw) -> Self {
        match flaw {
            batch::Flaw::Malformed => Self::Malformed,
            batch::Flaw::Forged => Self::Forged,
        }
    }
}

/// Finds the packets in the bytes of a stream, however they are cut.
///
/// Every packet gets memory of its own and exactly what it needs: one that is kept for long would
/// otherwise hold the whole buffer it was read into, which may be thousands of times its size.
#[derive(Debug)]
pub(super) struct Frames {
    limits: Limits,
    head: [u8; HEAD],
    /// Bytes of the head that came.
    begun: usize,
    /// What came of a body that is cut.
    body: Vec<u8>,
}

impl Frames {
    pub const fn new(limits: Limits) -> Self {
        Self { limits, head: [0; HEAD], begun: 0, body: Vec::new() }
    }

    /// Takes bytes from the front until a packet is whole; `None` when they are used up.
    pub fn next(&mut self, from: &mut &[u8]) -> Result<Option<Frame>, Flaw> {
        let Some(missing) = self.head.get_mut(self.begun..) else { return Ok(None) };
        let near = missing.len().min(from.len());
        for (place, byte) in missing.iter_mut().zip(take(from, near)) {
            *place = *byte;
        }
        self.begun += near;
        if self.begun < HEAD {
            return Ok(None);
        }
        let (kind, length) = self.promised()?;
        let body = if self.body.is_empty() && length <= from.len() {
            Bytes::copy_from_slice(take(from, length))
        } else {
            self.gather(length, from);
            if self.body.len() < length {
                return Ok(None);
            }
            std::mem::take(&mut self.body).into()
        };
        self.begun = 0;
        Ok(Some(Frame { kind, body }))
    }

    #[cfg(test)]
    pub const fn reserved(&self) -> usize {
        self.body.capacity()
    }

    /// What the head says, if it may.
    fn promised(&self) -> Result<(Kind, usize), Flaw> {
        let [a, b, c, d, kind] = self.head;
        let kind = match kind {
            1 => Kind::Batch,
            2 => Kind::Message,
            _ => return Err(Flaw::UnknownKind),
        };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > self.limits.of(kind) { Err(Flaw::Oversized) } else { Ok((kind, length)) }
    }

    /// Adds what came to a body of this length. Memory at most doubles with what came, and ends
    /// at what the packet needs.
    fn gather(&mut self, length: usize, from: &mut &[u8]) {
        let missing = length - self.body.len();
        let near = take(from, missing.min(from.len()));
        if self.body.capacity() - self.body.len() < near.len() {
            self.body.reserve_exact(missing.min(near.len().max(self.body.len())));
        }
        self.body.extend_from_slice(near);
    }
}

/// The first bytes, at most all there are, taken off the front.
fn take<'a>(from: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (near, far) = from.split_at(count.min(from.len()));
    *from = far;
    near
}
