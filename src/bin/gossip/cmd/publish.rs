//! `gossip pub`: each line of stdin becomes a message.

use std::time::Duration;

use clap::Args;
use gossip_mesh::api::PublishRequest;
use gossip_mesh::{Node, Raw, Strategy, Topic, TraceContext};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

use super::send_message::{check_size, request};
use super::source::{Mouth, Source};
use crate::api::Api;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::render::screen::Screen;

/// Most of a line that is read: the largest message any setting allows.
const MAX_LINE: u64 = 256 * 1024 * 1024;

/// How long a node that runs for these lines alone waits for the readers of the last one.
const LAST_LINE: Duration = Duration::from_secs(5);

/// Publish each line of stdin
///
/// Through a running node where there is one; else as a node that runs as long as there are lines.
#[derive(Args, Debug)]
#[command(after_help = "For example: tail -f log | gossip pub logs --compress")]
pub struct Pub {
    /// The topic
    topic: String,
    /// Doors carry the topic too, to foreign libp2p programs
    #[arg(long)]
    foreign: bool,
    /// Compress the lines on the wire
    #[arg(long)]
    compress: bool,
    /// The trace that the lines belong to: a W3C traceparent, like 00-TRACEID-PARENTID-01
    #[arg(long, value_name = "CONTEXT")]
    traceparent: Option<TraceContext>,
    /// How the member of a group is chosen: round-robin, random, least-recent or all
    #[arg(long, value_name = "HOW", default_value_t)]
    strategy: Strategy,
    #[command(flatten)]
    source: Source,
}

impl Pub {
    /// Publishes them.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        match self.source.open(screen).await? {
            Mouth::Running(mut api) => tokio::select! {
                result = self.through(&mut api, screen) => result,
                () = interrupt.came() => Ok(()),
            },
            Mouth::Own(node) => {
                let result = tokio::select! {
                    result = self.from(&node, screen) => result,
                    () = interrupt.came() => Ok(()),
                };
                node.leave().await?;
                result
            }
        }
    }

    async fn through(&self, api: &mut Api, screen: Screen) -> Result<(), Failure> {
        let mut lines = BufReader::new(tokio::io::stdin());
        let max = api.node().await?.max_message_bytes;
        let mut number = 0_u64;
        while let Some(line) = next_line(&mut lines).await? {
            number += 1;
            check_size(line.len(), max).map_err(|failure| at_line(number, failure))?;
            let request = PublishRequest {
                foreign: self.foreign,
                compressed: self.compress,
                strategy: Some(self.strategy.to_string()),
                ..request(&self.topic, &line)
            };
            let sent = api.publish_traced(&request, self.traceparent).await;
            let reply = sent.map_err(|failure| at_line(number, failure))?;
            if screen.json {
                screen.document(&reply.id)?;
            }
        }
        Ok(())
    }

    /// The last line is confirmed by its readers before the node leaves.
    async fn from(&self, node: &Node, screen: Screen) -> Result<(), Failure> {
        let topic: Topic<Vec<u8>, Raw> = Topic::named(&self.topic);
        let topic = if self.foreign { topic.foreign() } else { topic };
        let topic = if self.compress { topic.compressed() } else { topic };
        let topic = node.topic(topic).strategy(self.strategy.clone());
        let publish = |line: &Vec<u8>| match self.traceparent {
            Some(context) => topic.publish(line).trace_context(context),
            None => topic.publish(line),
        };
        // What cannot be published on is refused before a reader of it is waited for.
        drop(topic.publisher().await?);
        let mut lines = BufReader::new(tokio::io::stdin());
        let mut before = None;
        let max = node.config().topic.max_message_bytes;
        let mut number = 0_u64;
        while let Some(line) = next_line(&mut lines).await? {
            number += 1;
            // At once, not when there is a reader; but what came before it is sent.
            if let Err(failure) = check_size(line.len(), max) {
                if let Some(line) = before {
                    publish(&line).confirmed(LAST_LINE).await?;
                }
                return Err(at_line(number, failure));
            }
            if !topic.has_reader().await? {
                screen.remark("waiting for a node that reads the topic");
                topic.wait_for_reader().await?;
            }
            if let Some(line) = before.replace(line) {
                publish(&line).await?;
            }
        }
        let Some(last) = before else { return Ok(()) };
        let report = publish(&last).confirmed(LAST_LINE).await?.report;
        if report.missing.is_empty() {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "{} of {} readers did not confirm the last line within {} s",
            report.missing.len(),
            report.missing.len() + report.holders.len(),
            LAST_LINE.as_secs()
        )))
    }
}

/// The next line without its end; `None` after the last.
async fn next_line(lines: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Vec<u8>>, Failure> {
    let mut line = Vec::new();
    let read = lines.take(MAX_LINE + 1).read_until(b'\n', &mut line).await?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if u64::try_from(read).unwrap_or(u64::MAX) > MAX_LINE {
        return Err(Failure::failed("a line has more than 256 MiB, which no setting allows"));
    }
    Ok((read > 0).then_some(line))
}

fn at_line(number: u64, failure: Failure) -> Failure {
    match failure {
        Failure::Failed(reason) => {
            Failure::failed(format!("line {number} was not sent, and none after it: {reason}"))
        }
        other => other,
    }
}
