//! Settings of the topic room.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;

/// Settings of topics. Every field is a limit or a habit; the defaults fit a LAN.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicConfig {
    /// Largest payload of one message, in bytes. The publisher is refused above it. Must be the
    /// same on every node of a network. Default 1 MiB (promise: 1 MB passes).
    pub max_message_bytes: usize,
    /// How many gossipsub topics ours are spread over. The same on every node. Default 32
    /// (design 2.2).
    pub buckets: u16,
    /// Longest time a published message is remembered to drop its copies. Default 120 s
    /// (gossipsub's own cache is the first sieve). While ways may be asked for, which is as long as
    /// `keep_for`, who brought a message is remembered too, within `max_seen`.
    #[serde(with = "duration")]
    pub seen_for: Duration,
    /// Most messages remembered to drop their copies; the oldest is forgotten first. Default
    /// 65,536 (about 20 MB when full).
    pub max_seen: usize,
    /// Most received messages kept to be read again; the oldest leaves first. Default 1,000.
    pub max_kept: usize,
    /// Most bytes of kept messages; the oldest leaves first. Default 16 MiB.
    pub max_kept_bytes: usize,
    /// Longest time a message is kept. Default 1 h.
    #[serde(with = "duration")]
    pub keep_for: Duration,
    /// Messages of each topic kept for those who join later (`Subscribe::last`): the newest, and
    /// what else came with the oldest of them. None with 0, and then a subscription of this node
    /// gets none of others either. Default 1,000; `keep_for` bounds their age.
    pub max_history: usize,
    /// Most bytes of them over all topics, 512 for each batch counted in; the topic with the most
    /// loses its oldest first. Default 16 MiB: the same memory as that of `max_kept_bytes`, where
    /// both keep a message.
    pub max_history_bytes: usize,
    /// How long a missing message is asked for before it is given up and told as a gap. Batches are
    /// kept twice as long to give them to others. Default 10 s.
    #[serde(with = "duration")]
    pub repair_for: Duration,
    /// Most bytes of batches of others kept to repair a third; the oldest leaves first, and more
    /// than 320 messages take only a quarter of it. Of its own a node keeps at least as much as may
    /// wait to go out. Default 20 MiB.
    pub max_recent_bytes: usize,
    /// Most bytes of messages that came too early and wait for those before them. Above it the gap
    /// is given up. Default 32 MiB.
    pub max_early_bytes: usize,
    /// Most copies remembered of one message, each of which is a path. Default 64.
    pub max_copies: usize,
    /// Most messages that wait for a first reader, or for room in the queues to the peers; a
    /// publish above it is refused. Default 16,384: a burst of a program, within the bytes below.
    pub max_waiting: usize,
    /// Most bytes of messages that wait for a first reader, and of those gathered for the tree
    /// carrier. Default 16 MiB.
    pub max_waiting_bytes: usize,
    /// How long a message waits for a first reader before it is dropped and told. Default 10 min
    /// (guess).
    #[serde(with = "duration")]
    pub wait_for: Duration,
    /// How long the chosen member of a queue group has to confirm a message before the next one
    /// gets it. One that is known to be gone is not waited for. Default 3 s (guess: above the time
    /// in which a quorum finds out that a node is down).
    #[serde(with = "duration")]
    pub confirm_within: Duration,
    /// Most messages that wait for members of queue groups to confirm them, each counted once for
    /// every group; a publish above it is refused. Default 16,384.
    pub max_unconfirmed: usize,
    /// Most bytes of them. Default 64 MiB.
    pub max_unconfirmed_bytes: usize,
    /// How long the neighbours have to answer a trace request before the path stays incomplete.
    /// Default 2 s (guess: far above 32 hops on a LAN).
    #[serde(with = "duration")]
    pub trace_timeout: Duration,
    /// Deliveries a subscription holds before new ones are dropped and told as `Lagged`.
    /// Default 16,384: some 50 ms of a busy author.
    pub max_undelivered: usize,
    /// Most bytes of them. Default 16 MiB.
    pub max_undelivered_bytes: usize,
    /// Most subscriptions of one node. Default 10,000.
    pub max_subscriptions: usize,
    /// `foreign` topics this node carries through its door. Empty without a door.
    pub door: Vec<String>,
    /// Every message is relayed for others, whether it is read here or not: all buckets are joined
    /// at start. Set by the driver in a fixed graph, where nobody else would relay.
    pub relay_all: bool,
}

impl Default for TopicConfig {
    fn default() -> Self {
        Self {
            max_message_bytes: 1024 * 1024,
            buckets: 32,
            seen_for: Duration::from_secs(120),
            max_seen: 65_536,
            max_kept: 1_000,
            max_kept_bytes: 16 * 1024 * 1024,
            keep_for: Duration::from_secs(3_600),
            max_history: 1_000,
            max_history_bytes: 16 * 1024 * 1024,
            repair_for: Duration::from_secs(10),
            max_recent_bytes: 20 * 1024 * 1024,
            max_early_bytes: 32 * 1024 * 1024,
            max_copies: 64,
            max_waiting: 16_384,
            max_waiting_bytes: 16 * 1024 * 1024,
            wait_for: Duration::from_secs(600),
            confirm_within: Duration::from_secs(3),
            max_unconfirmed: 16_384,
            max_unconfirmed_bytes: 64 * 1024 * 1024,
            trace_timeout: Duration::from_secs(2),
            max_undelivered: 16_384,
            max_undelivered_bytes: 16 * 1024 * 1024,
            max_subscriptions: 10_000,
            door: Vec::new(),
            relay_all: false,
        }
    }
}
