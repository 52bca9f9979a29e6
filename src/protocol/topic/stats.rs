//! Counters of the room.

use serde::{Deserialize, Serialize};

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TopicStats {
    /// Messages published here.
    pub published: u64,
    /// Messages of users who waited for no reply, refused because there was no room.
    pub refused: u64,
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
    /// Batches whose author had not signed them.
    pub forged: u64,
    /// Batches that their authors had compressed, and that did not expand to what these said. Their
    /// messages are counted as lost.
    pub unexpandable: u64,
    /// Batches sent, on either carrier. A batch has one message or more.
    pub batches: u64,
    /// Messages that went out by the tree carrier.
    pub by_tree: u64,
    /// Questions asked for messages that were missing.
    pub repairs_asked: u64,
    /// Messages that came in answer to them.
    pub repaired: u64,
    /// Batches given to others that lacked them.
    pub repairs_given: u64,
    /// Batches given to late joiners.
    pub history_given: u64,
    /// Messages delivered that were published before their subscription began.
    pub caught_up: u64,
    /// Bytes of batches kept for late joiners now.
    pub history_bytes: u64,
    /// Messages given up: missing, and not repaired in time.
    pub lost: u64,
    /// Feeds that lack something now.
    pub lacking: u64,
    /// Bytes that wait for what is missing before them now.
    pub early_bytes: u64,
    /// Bytes of batches kept now to repair others.
    pub recent_bytes: u64,
    /// Messages waiting for a first reader now.
    pub waiting: u64,
    /// Messages kept now.
    pub kept: u64,
    /// Bytes of kept payloads now.
    pub kept_bytes: u64,
}
