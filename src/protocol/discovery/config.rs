//! Settings of the discovery room.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;

/// Whom to dial, how often, and how many links to hold.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscoveryConfig {
    /// Links the node wants in an open network; it dials known nodes until it has them. Default
    /// 24: a full mesh up to 25 nodes, and far above what gossip needs beyond.
    pub target_links: usize,
    /// Wait before the first repeated dial of one peer. Doubles with each failure. Default 200 ms.
    #[serde(with = "duration")]
    pub backoff_first: Duration,
    /// Longest wait between two dials of one peer. Dialing never stops altogether. Default 30 s.
    #[serde(with = "duration")]
    pub backoff_max: Duration,
    /// Dials under way at once. Default 16; all but 4 of them, and at least one, may be of nodes
    /// known from cards and sightings.
    pub max_dials: usize,
    /// How often two linked nodes compare the cards they hold. Default 5 s; changes are pushed at
    /// once, this is for what got lost.
    #[serde(with = "duration")]
    pub exchange_interval: Duration,
    /// Most cards held. Above it new nodes are not remembered, and that is told; only a linked one
    /// takes the place of one that is not linked. Default 16,384.
    pub max_cards: usize,
    /// Most memory for cards, in bytes: each counts its signed form and 100 for every address,
    /// topic, label and neighbour. A card above it is turned away, and that is told; that of a
    /// linked node takes the place of others here, too. Default 64 MiB: 4 KiB for each of
    /// `max_cards`.
    pub max_card_bytes: usize,
    /// Most addresses remembered that have no card yet. Default 1,024; the oldest leaves first.
    pub max_sightings: usize,
    /// How long a peer that refused us (other network, wrong key) is left alone. Default 10 min.
    #[serde(with = "duration")]
    pub refused_for: Duration,
    /// How long a card outlives the last link or news of its node. Default 1 h (guess).
    #[serde(with = "duration")]
    pub forget_after: Duration,
    /// How long a neighbour of a mending topology may be without a link before another takes its
    /// place. Default 3 s: a link that broke by mischance is back in a fraction of it.
    #[serde(with = "duration")]
    pub mend_after: Duration,
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            target_links: 24,
            backoff_first: Duration::from_millis(200),
            backoff_max: Duration::from_secs(30),
            max_dials: 16,
            exchange_interval: Duration::from_secs(5),
            max_cards: 16_384,
            max_card_bytes: 64 * 1024 * 1024,
            max_sightings: 1_024,
            refused_for: Duration::from_secs(600),
            forget_after: Duration::from_secs(3_600),
            mend_after: Duration::from_secs(3),
        }
    }
}
