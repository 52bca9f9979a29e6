//! Counters of the room.

use serde::{Deserialize, Serialize};

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TopicStats {
    /// Messages published here.
    pub published: u64,
    /// Messages received, each once.
    pub received: u64,
    /// Copies dropped because the message had been received.
    pub duplicates: u64,
    /// Messages of topics nobody here reads.
    pub unread: u64,
    /// Frames that are not an envelope.
    pub malformed: u64,
    /// Messages handed to subscriptions.
    pub delivered: u64,
    /// Receipts that could not be passed on to the author: nobody to tell, too many at once, or of
    /// a message that was never here.
    pub receipts_lost: u64,
    /// Messages sent to another member of a queue group, because the one before did not confirm or
    /// was not known.
    pub sent_again: u64,
    /// Messages that wait for a member of a queue group to confirm them now, each counted once for
    /// every group.
    pub unconfirmed: u64,
    /// Messages waiting for a first reader now.
    pub waiting: u64,
    /// Messages kept now.
    pub kept: u64,
    /// Bytes of kept payloads now.
    pub kept_bytes: u64,
}
