//! What neighbours say to each other beside the frames.

use serde::{Deserialize, Serialize};

use super::frame::Source;

/// Most runs that one announcement may list: some 90 bytes each, so that the message stays below
/// the 16 KiB which a link takes.
pub(crate) const MAX_RUNS: usize = 128;

/// Most frames of a source, counted back from the newest, that are asked for, given or announced at
/// once. Older ones are repaired by number, above this room.
pub(crate) const WINDOW: u64 = 256;

/// Frames of one source, numbered one after the other.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Run {
    /// Whose frames.
    #[serde(rename = "s")]
    pub source: Source,
    /// The first of them.
    #[serde(rename = "f")]
    pub from: u64,
    /// The last of them.
    #[serde(rename = "t")]
    pub to: u64,
}

/// What neighbours say to each other about frames. At most 16 KiB as CBOR.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Message {
    /// "I have these; ask me when they do not come to you." At most `MAX_RUNS`; of each run the
    /// newest `WINDOW` count.
    #[serde(rename = "a")]
    Announce(Vec<Run>),
    /// "Give me these, and from now on everything of this source." Without frames (`from` above
    /// `to`) it only asks for what comes.
    #[serde(rename = "g")]
    Graft(Run),
    /// "I have this source's frames from elsewhere: only announce them to me."
    #[serde(rename = "p")]
    Prune(Source),
    /// "Your frames wait here for a link that is so many links away, 1 for one of mine." 0: they do
    /// not wait any more.
    #[serde(rename = "w")]
    Waiting(u8),
    /// "I lack frames, and have much behind them: let those wait who feed this link, but give me
    /// what I ask for." Or: "go on".
    #[serde(rename = "b")]
    Behind(bool),
}
