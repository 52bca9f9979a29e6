//! The answer as a whole.

use jiff::tz::TimeZone;

use super::times::Times;
use super::ways::{Paths, Way};
use crate::render::plain::one_line;

/// Which messages were asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Asked {
    /// Read and unread ones.
    All,
    /// Those shown before.
    Read,
    /// Those not shown before.
    #[default]
    Unread,
}

/// One message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// What it says; any bytes.
    pub payload: Vec<u8>,
    /// When its author sent it: microseconds since 1970 (UTC), by the author's clock.
    pub sent_us: u64,
    /// When its first copy came here: microseconds since 1970 (UTC), by this node's clock.
    pub received_us: u64,
    /// The ways its copies took, in the order in which they came; the first is the first copy's.
    pub ways: Vec<Way>,
}

/// The messages of one node, and how much of them to show.
#[derive(Clone, Debug)]
pub struct Page {
    /// Which messages were asked for.
    pub asked: Asked,
    /// The number or name of the node, as the user knows it.
    pub node: String,
    /// The topic, where one was asked for.
    pub topic: Option<String>,
    /// In the order to be shown.
    pub lines: Vec<Line>,
    /// Which ways to show.
    pub paths: Paths,
    /// How much of the time to show.
    pub times: Times,
}

impl Page {
    /// The text, each line with a line break. `zone` is where the reader is: usually
    /// [`TimeZone::system`].
    pub fn render(&self, zone: &TimeZone) -> String {
        let mut out = self.header();
        for line in &self.lines {
            out.push_str("  • ");
            out.push_str(&self.bullet(line, zone));
            out.push('\n');
            for way in self.paths.select(&line.ways) {
                out.push_str("      ");
                out.push_str(&way);
                out.push('\n');
            }
        }
        out
    }

    fn header(&self) -> String {
        let kind = match (self.asked, self.lines.is_empty()) {
            (Asked::All, true) => "",
            (Asked::All, false) => "all ",
            (Asked::Read, _) => "read ",
            (Asked::Unread, _) => "unread ",
        };
        let node = one_line(self.node.as_bytes());
        let topic = match &self.topic {
            Some(topic) => format!(" on topic {}", one_line(topic.as_bytes())),
            None => String::new(),
        };
        match self.lines.len() {
            0 => format!("no {kind}messages of node {node}{topic}\n"),
            count => format!("{kind}messages of node {node}{topic} ({count})\n"),
        }
    }

    fn bullet(&self, line: &Line, zone: &TimeZone) -> String {
        let text = match line.payload.as_slice() {
            [] => "(empty)".to_owned(),
            payload => one_line(payload),
        };
        match self.times.show(line.sent_us, line.received_us, zone) {
            None => text,
            Some(times) if self.times == Times::Zone => format!("{times}  {text}"),
            Some(times) => format!("{text}  {times}"),
        }
    }
}
