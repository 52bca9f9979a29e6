//! Who sent each copy of a message.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use libp2p::PeerId;
use libp2p::gossipsub::{DataTransform, Message, RawMessage, TopicHash};

/// Copies that may wait to be told. More come only while the swarm waits for room to tell a
/// connection something, and then the oldest are forgotten: a path less.
const MAX_COPIES: usize = 65_536;

/// One copy of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Copy {
    /// Who sent it to us.
    pub from: PeerId,
    /// Who signed it.
    pub author: PeerId,
    /// The author's gossipsub number.
    pub sequence: u64,
}

/// Writes down who sent each copy. Public only as part of gossipsub's type.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    /// Whose bytes are being handled now.
    speaker: Option<PeerId>,
    copies: VecDeque<Copy>,
    /// Of all copies so far.
    bytes: u64,
}

impl Ear {
    /// Whose bytes are handled from now on.
    pub fn listen_to(&self, speaker: Option<PeerId>) {
        self.with(|heard| heard.speaker = speaker);
    }

    /// The oldest copy not yet told.
    pub fn next_copy(&self) -> Option<Copy> {
        self.with(|heard| heard.copies.pop_front())
    }

    /// Bytes of all copies that came so far.
    pub fn bytes(&self) -> u64 {
        self.with(|heard| heard.bytes)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Heard) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DataTransform for Ear {
    fn inbound_transform(&self, raw: RawMessage) -> io::Result<Message> {
        self.with(|heard| {
            heard.bytes = heard.bytes.saturating_add(raw.data.len() as u64);
            if let (Some(from), Some(author), Some(sequence)) =
                (heard.speaker, raw.source, raw.sequence_number)
            {
                if heard.copies.len() == MAX_COPIES {
                    heard.copies.pop_front();
                }
                heard.copies.push_back(Copy { from, author, sequence });
            }
        });
        let RawMessage { source, data, sequence_number, topic, .. } = raw;
        Ok(Message { source, data, sequence_number, topic })
    }

    fn outbound_transform(&self, _: &TopicHash, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(bytes)
    }
}
