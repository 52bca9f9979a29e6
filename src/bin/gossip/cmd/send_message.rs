//! `gossip send-message`: a node publishes a message.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use gossip_mesh::api::{PublishReply, PublishRequest, ReportView};
use gossip_mesh::{NodeId, TopicError};
use serde_json::json;

use crate::args::Which;
use crate::exit::Failure;
use crate::lab::member::{Member, Network};
use crate::render::screen::Screen;

/// Most that is read from stdin: the largest message any setting allows.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Above this size a node is asked what it takes before it is sent something: it reads no request
/// to its end that is far too large, and then cannot say so.
const WORTH_A_QUESTION: usize = 64 * 1024;

/// Send a message from a node to all that read the topic
#[derive(Args, Debug)]
pub struct SendMessage {
    /// Number, name or beginning of the PeerId of the sender
    node: String,
    /// The message; `-` takes stdin, any bytes
    text: OsString,
    /// Every neighbour passes it on N times
    #[arg(short, long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..))]
    relays: u8,
    /// Report how many nodes hold it, who does not, and how long that took
    #[arg(short, long)]
    wait: bool,
    /// Seconds to wait for the last of them
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    timeout: Duration,
    /// The topic [default: the one all nodes of a lab read]
    #[arg(long, value_name = "T")]
    topic: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// A number of seconds above zero, fractions too.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if !span.is_zero() && span < Duration::from_secs(86_400) => Ok(span),
        _ => Err("give more than 0 and less than a day".to_owned()),
    }
}

impl SendMessage {
    /// Sends it, and says how far it came when that was asked for.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let network = self.which.find()?;
        let member = network.running(Some(&self.node))?;
        let topic = self.topic.clone().unwrap_or_else(|| network.topic.clone());
        let payload = self.payload()?;
        let confirm = self.wait.then(|| u64::try_from(self.timeout.as_millis()).unwrap_or(1));
        let request = PublishRequest {
            relays: Some(self.relays),
            confirm_ms: confirm.map(|millis| millis.max(1)),
            ..request(&topic, &payload)
        };
        let mut api = network.api(member).await?;
        if payload.len() > WORTH_A_QUESTION {
            check_size(payload.len(), api.node().await?.max_message_bytes)?;
        }
        let reply = api.publish(&request).await?;
        self.report(&network, member, &topic, &reply, screen)
    }

    fn payload(&self) -> Result<Vec<u8>, Failure> {
        if self.text != "-" {
            return Ok(self.text.clone().into_vec());
        }
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
            return Err(Failure::failed(
                "the message on stdin has more than 256 MiB, which no setting allows: split it",
            ));
        }
        Ok(bytes)
    }

    fn report(
        &self,
        network: &Network,
        member: &Member,
        topic: &str,
        reply: &PublishReply,
        screen: Screen,
    ) -> Result<(), Failure> {
        let report = reply.report.as_ref();
        let missing = report.map_or(&[][..], |report| &report.missing);
        if screen.json {
            screen.document(&json!({
                "id": reply.id,
                "node": member.number,
                "report": report.map(|report| report_json(network, report)),
            }))?;
        } else {
            let sent = format!("node {} sent message {}", member.number, reply.id.number);
            match report {
                None => screen.show(format!("{sent} on topic {topic}\n"))?,
                Some(report) => screen.show(far(network, &sent, topic, report))?,
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Failure::Shown) }
    }
}

/// A message to publish. Its payload is in base64 also where it is text: the escapes of a JSON text
/// can make it six times as large, which is more than a node takes.
pub fn request(topic: &str, payload: &[u8]) -> PublishRequest {
    let payload_base64 = Some(STANDARD.encode(payload));
    PublishRequest { topic: topic.to_owned(), payload_base64, ..PublishRequest::default() }
}

/// Refuses what the node would refuse.
///
/// # Errors
/// As the library has it.
pub fn check_size(bytes: usize, max: usize) -> Result<(), Failure> {
    if bytes > max { Err(TopicError::TooLarge { bytes, max }.into()) } else { Ok(()) }
}

/// How far a message came, in a sentence.
fn far(network: &Network, sent: &str, topic: &str, report: &ReportView) -> String {
    let (holders, missing) = (report.holders.len(), report.missing.len());
    let took = format!("{:.1} ms", Duration::from_micros(report.elapsed_us).as_secs_f64() * 1e3);
    match (holders, missing) {
        (0, 0) => format!(
            "{sent}; no node reads topic {topic} yet: it waits in the node's outbox until one \
             does\n"
        ),
        (all, 0) => format!("{sent}; {all} of {all} nodes hold it after {took}\n"),
        (some, missing) => format!(
            "{sent}; {some} of {} nodes hold it after {took}; missing: {}\n",
            some + missing,
            labels(network, &report.missing).join(" ")
        ),
    }
}

fn report_json(network: &Network, report: &ReportView) -> serde_json::Value {
    json!({
        "nodes": report.holders.len() + report.missing.len(),
        "holders": labels(network, &report.holders),
        "missing": labels(network, &report.missing),
        "elapsed_us": report.elapsed_us,
    })
}

/// The nodes as the user knows them, by rising number.
fn labels(network: &Network, nodes: &[NodeId]) -> Vec<String> {
    let mut nodes = nodes.to_vec();
    nodes.sort_by_key(|id| (network.numbered(*id).unwrap_or(usize::MAX), *id));
    nodes.into_iter().map(|id| network.label(id)).collect()
}
