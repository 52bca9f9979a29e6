//! `gossip get-messages`: the messages a node keeps.

use clap::{Args, ValueEnum};
use gossip_mesh::api::MessageView;
use gossip_mesh::{Query, Way as LibraryWay};
use jiff::tz::TimeZone;

use crate::args::Which as WhichNetwork;
use crate::exit::Failure;
use crate::lab::member::Network;
use crate::render::messages::{Asked, Line, Page, Paths, Times, Way};
use crate::render::screen::Screen;

/// Show the messages a node has received
///
/// Exactly what is shown is marked as read; `read` marks nothing.
#[derive(Args, Debug)]
pub struct GetMessages {
    /// Number, name or beginning of the PeerId of the node
    node: String,
    /// Which of them
    #[arg(value_enum, value_name = "all|unread|read", default_value_t = Kind::Unread)]
    kind: Kind,
    /// -p the shortest path of each, -pp the longest, -p -pp or -ppp both
    #[arg(short, long = "path", action = clap::ArgAction::Count)]
    path: u8,
    /// All paths; so without -p
    #[arg(short = 'A', long)]
    all_paths: bool,
    /// Times of sending and receiving: -t the clock, -tt with date, -ttt with zone, before the text
    #[arg(short, long, action = clap::ArgAction::Count)]
    time: u8,
    /// Only of this topic
    #[arg(long, value_name = "T")]
    topic: Option<String>,
    #[command(flatten)]
    which: WhichNetwork,
}

/// Messages by their mark.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    All,
    Unread,
    Read,
}

impl GetMessages {
    /// Shows them.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        let member = network.running(Some(&self.node))?;
        let which = match self.kind {
            Kind::All => gossip_mesh::Which::All,
            Kind::Unread => gossip_mesh::Which::Unread,
            Kind::Read => gossip_mesh::Which::Read,
        };
        let (topic, paths) = (self.topic.clone(), gossip_mesh::Paths::All);
        let query = Query { topic, which, paths, ..Query::default() };
        let messages = network.api(member).await?.messages(&query).await?;
        if screen.json {
            return screen.document(&messages);
        }
        let page = Page {
            asked: match self.kind {
                Kind::All => Asked::All,
                Kind::Unread => Asked::Unread,
                Kind::Read => Asked::Read,
            },
            node: member.number.to_string(),
            topic: self.topic,
            lines: messages.iter().map(|message| line(&network, message)).collect(),
            paths: Paths::of_flags(self.path, self.all_paths),
            times: Times::of_count(self.time),
        };
        screen.show(page.render(&TimeZone::system()))
    }
}

fn line(network: &Network, message: &MessageView) -> Line {
    let way = |way: &LibraryWay| Way {
        hops: way.hops.iter().map(|hop| network.label(hop.node)).collect(),
        complete: way.complete,
    };
    Line {
        payload: message.payload(),
        sent_us: message.sent_us,
        received_us: message.received_us,
        ways: message.ways.iter().map(way).collect(),
    }
}
