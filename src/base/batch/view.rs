//! Looking at a batch.

use std::borrow::Cow;

use bytes::Bytes;

use super::contents::Contents;
use super::{Batch, Body, Head, Item, pack};
use crate::base::id::NodeId;

/// A body that its author compressed does not become what the author said.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("does not expand to what its author said")]
pub(crate) struct Unexpandable;

/// The messages of a batch, expanded where they travelled compressed.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    head: &'a Head,
    contents: Cow<'a, Contents>,
}

impl Batch {
    /// What it says of itself.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Who signed it.
    pub fn author(&self) -> NodeId {
        self.head.author
    }

    /// The bytes that travel.
    pub fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// The number of the first message.
    pub fn first(&self) -> u64 {
        self.head.first
    }

    /// The number behind that of the last message.
    pub fn end(&self) -> u64 {
        self.head.first.saturating_add(u64::from(self.head.count))
    }

    /// How many messages it has; at least one.
    pub fn count(&self) -> usize {
        usize::try_from(self.head.count).unwrap_or(usize::MAX)
    }

    /// How many messages begin in it: of one that travels in pieces only the first has any.
    pub fn begins(&self) -> usize {
        if self.head.piece.is_some_and(|piece| piece.index > 0) { 0 } else { self.count() }
    }

    /// The messages. A body that was compressed is expanded with every call, to the length that
    /// its author said and that was checked when it was read; its payload may have `max_payload`
    /// bytes.
    ///
    /// # Errors
    /// [`Unexpandable`]. One that was not compressed always opens.
    pub fn open(&self, max_payload: usize) -> Result<Opened<'_>, Unexpandable> {
        let contents = match &self.body {
            Body::Plain(contents) => Cow::Borrowed(contents),
            Body::Packed { bytes, expanded } => {
                let body = pack::unpack(bytes, *expanded).ok_or(Unexpandable)?;
                let contents = Contents::read(&body, self.count(), max_payload);
                Cow::Owned(contents.ok_or(Unexpandable)?)
            }
        };
        Ok(Opened { head: &self.head, contents })
    }
}

impl Opened<'_> {
    /// The messages from this number on, in order.
    pub fn items_from(&self, number: u64) -> impl Iterator<Item = Item> + '_ {
        self.contents.items(self.head, number)
    }
}
