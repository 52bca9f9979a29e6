//! Counters of the room.

use serde::{Deserialize, Serialize};

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TreeStats {
    /// Frames of others, each once.
    pub frames: u64,
    /// Further copies of frames that were here.
    pub copies: u64,
    /// Frames given to links, copies for several links counted by themselves.
    pub sent: u64,
    /// Runs of frames announced, to each link by itself.
    pub announced: u64,
    /// Requests for frames that were missing.
    pub grafts_for_missing: u64,
    /// Requests to be given a source's frames by a neighbour whose way is shorter.
    pub grafts_for_latency: u64,
    /// Requests of neighbours for frames.
    pub grafted: u64,
    /// Neighbours asked to only announce a source's frames.
    pub prunes: u64,
    /// Links demoted because others waited for them for much more than half of the time.
    pub demoted_slow: u64,
    /// Links demoted because they did not move.
    pub demoted_stuck: u64,
    /// Links demoted because frames that waited for them were elsewhere already.
    pub demoted_yielding: u64,
    /// Links that stalled while nobody else took the frames, so that these were not sent.
    pub stalled: u64,
    /// Frames that were missed and that no neighbour gave.
    pub unrepaired: u64,
    /// Missing frames not asked for because too many were missing.
    pub unasked: u64,
    /// Frames and messages that no correct neighbour sends.
    pub malformed: u64,
    /// Sources forgotten because there were too many.
    pub forgotten: u64,
    /// Sources known now.
    pub sources: u64,
    /// Bytes kept now to be given to who asks.
    pub kept_bytes: u64,
}
