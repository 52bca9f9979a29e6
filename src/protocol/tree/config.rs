//! Settings of the tree carrier.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration;

/// When frames are asked for, how long they are kept to be given, and what a slow link may cost.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeConfig {
    /// How long announcements are gathered. Default 10 ms: under load a link then carries a hundred
    /// of them a second, however many frames there are.
    #[serde(with = "duration")]
    pub gather: Duration,
    /// The shortest time a frame that is known to be missing may still come by the tree before it
    /// is asked for; two round trips where those are longer. Default 20 ms: twice `gather`.
    #[serde(with = "duration")]
    pub graft_after: Duration,
    /// The round trip of a link of which none was measured yet. Default 50 ms (guess: a continent).
    #[serde(with = "duration")]
    pub round_trip: Duration,
    /// How long a frame is kept to be given to who asks, and how long is asked for one. Default
    /// 10 s.
    #[serde(with = "duration")]
    pub keep_for: Duration,
    /// Most bytes of frames kept to be given; the oldest leaves first, and frames
    /// with more than 320 messages take only a quarter of it. Default 20 MiB.
    pub max_kept_bytes: usize,
    /// Most sources with a tree; of more the one quiet for longest leaves. Default 1,024 (some
    /// kilobytes each).
    pub max_sources: usize,
    /// Most frames that are missed at once; further ones are not asked for. Default 4,096 (some
    /// hundred bytes each).
    pub max_wanted: usize,
    /// A link with more bytes queued than this is full: who feeds it has to wait. Default 1 MiB.
    pub high: usize,
    /// A full link is one no more when this few bytes are queued. Default 512 KiB.
    pub low: usize,
    /// A full link that does not move at all for so long is demoted. Default 500 ms.
    #[serde(with = "duration")]
    pub stuck_after: Duration,
    /// The longest time that a full link is waited for when nobody else takes the frames. Default
    /// 2 s.
    #[serde(with = "duration")]
    pub stall: Duration,
    /// How long a demoted link has to be nearly empty until it is eager again; doubles with every
    /// demotion. Default 5 s.
    #[serde(with = "duration")]
    pub penalty: Duration,
}

impl Default for TreeConfig {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(10),
            graft_after: Duration::from_millis(20),
            round_trip: Duration::from_millis(50),
            keep_for: Duration::from_secs(10),
            max_kept_bytes: 20 * 1024 * 1024,
            max_sources: 1_024,
            max_wanted: 4_096,
            high: 1024 * 1024,
            low: 512 * 1024,
            stuck_after: Duration::from_millis(500),
            stall: Duration::from_secs(2),
            penalty: Duration::from_secs(5),
        }
    }
}
