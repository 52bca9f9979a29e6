//! `gossip trace`: how messages spread over a network.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use gossip_mesh::MessageId;
use jiff::tz::TimeZone;

use crate::args::Which;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::lab::spread::{Spread, Wanted, found, json, spread, svg, text};
use crate::render::plain::one_line;
use crate::render::screen::Screen;

/// Show the tree a message took: who brought whom the first copy, how long that took, how many
/// copies came, and who is missing
///
/// All running nodes are asked, and no mark is changed. Delays are differences of the nodes'
/// clocks, which on one machine is one.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip trace                   the newest message of the lab
  gossip trace 4/2               the second message of node 4
  gossip trace chat --last 3     the three newest of a topic
  gossip trace e72a823b01cf      the message with this trace id, as it is in the nodes' logs
  gossip trace 4/2 --output tree.svg")]
pub struct Trace {
    /// NODE/NUMBER, the beginning of a trace id (8 digits or more), or a topic [default: the
    /// topic all nodes of a lab read]
    #[arg(value_name = "MESSAGE|TOPIC")]
    what: Option<String>,
    /// How many of a topic, the newest
    #[arg(long, value_name = "N", default_value = "1")]
    last: NonZeroUsize,
    /// The topic of NODE/NUMBER [default: the one all nodes of a lab read]
    #[arg(long, value_name = "T")]
    topic: Option<String>,
    /// Write the tree to this file, which ends with .svg or .json
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// What the file is to hold.
#[derive(Clone, Copy, Debug)]
enum Format {
    Svg,
    Json,
}

impl Trace {
    /// Shows them.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let file = match &self.output {
            Some(file) => Some((file, Format::of(file)?)),
            None => None,
        };
        let network = self.which.find()?;
        let ids = self.find(&network).await?;
        if let (Some((file, _)), [_, _, ..]) = (file, ids.as_slice()) {
            return Err(Failure::usage(format!(
                "{} holds one tree, and {} messages are meant: name one",
                file.display(),
                ids.len()
            )));
        }
        for (place, id) in ids.iter().enumerate() {
            let spread = spread(&network, id).await?;
            if let Some((file, format)) = file {
                return write(&network, &spread, file, format);
            }
            if screen.json {
                screen.document(&json(&spread, &|id| network.numbered(id)))?;
                continue;
            }
            let name = |id| match network.numbered(id) {
                Some(number) => format!("node {number}"),
                None => network.label(id),
            };
            let between = if place == 0 { "" } else { "\n" };
            let tree = text(&spread, &name, &TimeZone::system());
            screen.show(format!("{between}{tree}"))?;
        }
        Ok(())
    }

    /// The messages that are meant: one or more.
    async fn find(&self, network: &Network) -> Result<Vec<MessageId>, Failure> {
        let topic = self.topic.as_ref().unwrap_or(&network.topic);
        let what = self.what.as_ref().unwrap_or(topic);
        let mut readings = Vec::new();
        if let Some((node, number)) = what.rsplit_once('/')
            && let (Ok(member), Ok(number)) = (network.member(node), number.parse())
        {
            let (author, topic) = (member.peer_id, topic.clone());
            readings.push(Wanted::Numbered { author, number, topic });
        }
        if (8..=32).contains(&what.len()) && what.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            readings.push(Wanted::Traced(what.to_ascii_lowercase()));
        }
        readings.push(Wanted::Newest { topic: what.clone(), count: self.last.get() });
        for wanted in readings {
            let ids = found(network, &wanted).await;
            if !ids.is_empty() {
                return Ok(ids);
            }
        }
        Err(Failure::failed(format!(
            "no running node of network {:?} keeps a message {:?}, nor any of a topic of that \
             name: give NODE/NUMBER, a trace id or a topic",
            network.name,
            one_line(what.as_bytes()),
        )))
    }
}

impl Format {
    fn of(file: &Path) -> Result<Self, Failure> {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "svg" => Ok(Self::Svg),
            "json" => Ok(Self::Json),
            _ => Err(Failure::usage(format!(
                "{} is to end with .svg or .json, so that its format is known",
                file.display()
            ))),
        }
    }
}

fn write(network: &Network, spread: &Spread, file: &Path, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Svg => svg(spread, &|id| network.label(id)),
        Format::Json => format!("{}\n", json(spread, &|id| network.numbered(id))),
    };
    std::fs::write(file, text)
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", file.display())))
}
