//! The layout of `why` and `verdict show`.

use std::time::Duration;

use gossip_mesh::{Certificate, NodeId, Story};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::paint::Paint;
use super::plain::one_line;

/// The headline, then a line per episode with its time of day.
pub fn story(
    story: &Story,
    name: &dyn Fn(NodeId) -> String,
    zone: &TimeZone,
    colour: bool,
) -> String {
    let headline = one_line(story.headline(name).as_bytes());
    let mut text = if colour { Paint::Bold.over(&headline) } else { headline };
    text.push('\n');
    text.push_str(&format!("as seen by {}", one_line(name(story.seen_by).as_bytes())));
    if story.episodes.is_empty() {
        text.push_str(": nothing was found out about it");
    }
    text.push('\n');
    if story.dropped > 0 {
        text.push_str(&format!("  … {} older findings are not kept any more\n", story.dropped));
    }
    for episode in &story.episodes {
        let sentence = one_line(episode.finding.tell(name).as_bytes());
        text.push_str(&format!("  {}  {sentence}\n", clock(episode.at.0, zone)));
    }
    text
}

/// The proof in plain sentences.
pub fn certificate(proof: &Certificate, name: &dyn Fn(NodeId) -> String) -> String {
    let who = one_line(name(proof.subject).as_bytes());
    let (votes, quorum) = (proof.votes.len(), proof.quorum());
    let mut text = format!(
        "certificate: {who} was put out, in its life {} after {} refutations\n  {} voted that it \
         is down, {} needed, in round {:016x}, within {} of its own ticks\n",
        proof.incarnation.life,
        proof.incarnation.refutations,
        votes,
        if quorum == u32::MAX { "more are".to_owned() } else { format!("{quorum} were") },
        proof.round,
        proof.span(),
    );
    for vote in &proof.votes {
        let voter = one_line(name(vote.voter).as_bytes());
        text.push_str(&format!(
            "  {voter}, at tick {}, held {} necessary\n",
            vote.tick, vote.quorum
        ));
    }
    text
}

/// For how long, in one short word: `0s`, `12s`, `3m`, `2h`, `5d`.
pub fn short_span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7_200 => format!("{}m", seconds / 60),
        seconds @ 7_200..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The time of day, with milliseconds.
pub fn clock(micros: u64, zone: &TimeZone) -> String {
    let moment = i64::try_from(micros).ok().and_then(|it| Timestamp::from_microsecond(it).ok());
    moment.map_or_else(
        || "never".to_owned(),
        |moment| moment.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::short_span;
    use std::time::Duration;

    #[test]
    fn spans_are_short() {
        let spans = [0, 119, 120, 7_199, 7_200, 172_800];
        let shown = spans.map(|seconds| short_span(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "119s", "2m", "119m", "2h", "2d"]);
    }
}
