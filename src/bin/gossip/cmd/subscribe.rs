//! `gossip sub`: what is published becomes lines.

use std::time::Duration;

use clap::Args;
use futures::StreamExt;
use gossip_mesh::api::MessageView;
use gossip_mesh::{Node, Topic};

use super::fault::wrong::time;
use super::node::Incoming;
use super::source::{Mouth, Source};
use crate::api::Wanted;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::render::plain::one_line;
use crate::render::screen::{ReaderGone, Screen};

/// Print what is published on topics, a line each, until Ctrl-C
///
/// Through a running node where there is one; else as a node that runs meanwhile.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip sub logs | grep error
  gossip sub 'rooms/*'
  gossip sub jobs --group workers
  gossip sub logs --last 20
  gossip sub logs --since 10m")]
pub struct Sub {
    /// The topics, or patterns: in a/* the star is any one level, in a/> the end one or more
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Share the messages with the other members of this group: each goes to one of them
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// With the members on this host only, as the nodes' label `host` says
    #[arg(long, requires = "group")]
    by_host: bool,
    /// First the newest N messages of each TOPIC from before; with --since within both
    #[arg(long, value_name = "N", conflicts_with = "group")]
    last: Option<u64>,
    /// First what was published so long ago at most, like 10m or 1h
    #[arg(long, value_name = "TIME", conflicts_with = "group", value_parser = time)]
    since: Option<Duration>,
    #[command(flatten)]
    source: Source,
}

impl Sub {
    /// Prints it.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let mut gone = ReaderGone::watch();
        let mouth = self.source.open(screen).await?;
        let own = match &mouth {
            Mouth::Own(node) => Some(node.clone()),
            Mouth::Running(_) => None,
        };
        let result = tokio::select! {
            result = self.print(mouth, screen) => result,
            () = interrupt.came() => Ok(()),
            () = gone.came() => Ok(()),
        };
        if let Some(node) = own {
            node.leave().await?;
        }
        result
    }

    /// What this node itself reads.
    async fn begin(&self, node: &Node) -> Result<Incoming, Failure> {
        let mut all = Incoming::new();
        for topic in &self.topics {
            let subscribe = node.subscribe(Topic::named(topic)).own_messages();
            let subscribe = match &self.group {
                None => subscribe,
                Some(group) if self.by_host => subscribe.group_by_host(group),
                Some(group) => subscribe.group(group),
            };
            let subscribe = match self.last {
                None => subscribe,
                Some(last) => subscribe.last(last),
            };
            let subscribe = match self.since {
                None => subscribe,
                Some(since) => subscribe.since(since),
            };
            all.push(subscribe.await?);
        }
        Ok(all)
    }

    async fn print(&self, mouth: Mouth, screen: Screen) -> Result<(), Failure> {
        match mouth {
            Mouth::Running(mut api) => {
                let (group, by_host) = (self.group.as_deref(), self.by_host);
                let wanted = Wanted { group, by_host, last: self.last, since: self.since };
                let mut messages = api.subscribe(&self.topics, wanted).await?;
                while let Some(message) = messages.next().await {
                    print(&serde_json::from_slice(&message)?, screen)?;
                }
                Err(Failure::failed("the node has stopped: no more can come through it"))
            }
            Mouth::Own(node) => {
                let mut messages = self.begin(&node).await?;
                while let Some(message) = messages.next().await {
                    print(&MessageView::from(message), screen)?;
                }
                Ok(())
            }
        }
    }
}

/// A message as a line: its bytes, or JSON. For a person nothing a terminal acts on. What is
/// missing before it is told beside it.
fn print(message: &MessageView, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(message);
    }
    tell_missing(message, screen);
    let payload = message.payload();
    let mut line = if screen.person { one_line(&payload).into_bytes() } else { payload };
    line.push(b'\n');
    screen.show(line)
}

fn tell_missing(message: &MessageView, screen: Screen) {
    let MessageView { id, missed, lagged, .. } = message;
    if *missed > 0 {
        let topic = one_line(id.topic.as_bytes());
        let author = id.author.short();
        screen.remark(&format!("{missed} messages of {author} on {topic} are lost before this"));
    }
    if *lagged > 0 {
        screen.remark(&format!("{lagged} messages were dropped: they were not read in time"));
    }
}
