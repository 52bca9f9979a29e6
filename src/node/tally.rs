//! What the driver counts of what passes through it.

use serde::{Deserialize, Serialize};

use super::pace::TurnStats;
use crate::engine::frame::Packet;
use crate::engine::{Event, Input, Output};
use crate::protocol::topic::TopicError;

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often the deadline came.
    pub ticks: u64,
    pub turns: TurnStats,
    pub tree: TreeTraffic,
    pub undelivered: Undelivered,
    pub refused: Refusals,
}

/// What the tree carrier moved since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TreeTraffic {
    /// Bytes of batches sent to neighbours, each copy counted.
    pub sent_bytes: u64,
    /// Bytes of batches that came from neighbours, each copy counted.
    pub received_bytes: u64,
}

impl TreeTraffic {
    /// Counts what came in.
    pub(super) fn came(&mut self, input: &Input) {
        if let Input::TreePacket { packet: Packet::Batch(batch), .. } = input {
            self.received_bytes += batch.wire().len() as u64;
        }
    }

    /// Counts what is to be done.
    pub(super) fn goes(&mut self, output: &Output) {
        if let Output::TreeSend { packet: Packet::Batch(batch), .. } = output {
            self.sent_bytes += batch.wire().len() as u64;
        }
    }
}

/// The subscriptions of a node, together.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReaderStats {
    /// Subscriptions now.
    pub subscriptions: u64,
    /// Messages that were handed to them and not taken yet, of all of them.
    pub undelivered: u64,
    /// The same of the one that has the most.
    pub lag: u64,
    /// Bytes of payloads handed to them since the start.
    pub delivered_bytes: u64,
}

/// Messages that somebody did not get, since the start, by reason.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Undelivered {
    /// Published here, and no reader came in time.
    pub no_reader: u64,
    /// Published here, and the queues to all peers were full, or the carrier refused it.
    pub not_sent: u64,
    /// Not taken by a subscription that was too slow, counted for each subscription.
    pub missed: u64,
    /// Payloads that were nothing the subscriber's type can be, counted for each subscription.
    pub undecodable: u64,
    /// Messages upon which a subscriber's callback panicked.
    pub panicked: u64,
}

/// Messages of this node's user that were refused, since the start, by reason.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Refusals {
    /// Above the largest size.
    pub too_large: u64,
    /// As many waited as may.
    pub waiting_full: u64,
    /// The topic's name cannot be one.
    pub bad_name: u64,
    /// Only for readers, and there was none.
    pub nobody_reads: u64,
    /// As many waited for members of queue groups to confirm as may.
    pub groups_busy: u64,
}

impl Undelivered {
    /// Counts what an event tells of it. (What a slow subscription missed is told in sums, and
    /// counted where it happens.)
    pub(super) fn count(&mut self, event: &Event) {
        match event {
            Event::Unread { .. } => self.no_reader += 1,
            Event::NotSent { .. } => self.not_sent += 1,
            Event::Undecodable { .. } => self.undecodable += 1,
            Event::HandlerPanicked { .. } => self.panicked += 1,
            _ => {}
        }
    }
}

impl Refusals {
    /// Counts why a publish was refused.
    pub(super) fn count(&mut self, error: &TopicError) {
        match error {
            TopicError::TooLarge { .. } => self.too_large += 1,
            TopicError::WaitingFull { .. } => self.waiting_full += 1,
            TopicError::BadName { .. } => self.bad_name += 1,
            TopicError::NobodyReads { .. } => self.nobody_reads += 1,
            TopicError::GroupsBusy { .. } => self.groups_busy += 1,
            // These are no publisher's.
            TopicError::BadGroup { .. }
            | TopicError::NoHost
            | TopicError::EarlierInGroup
            | TopicError::TooManySubscriptions(_) => {}
        }
    }
}
