//! A network that runs, through the local API of its nodes. The API is in the way: every message
//! is a request of its own, and comes out as a line of JSON.

use std::sync::{Arc, Weak};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gossip_mesh::api::{MessageView, PublishRequest};
use gossip_mesh::{SecretKey, TopicError};

use super::board::{Board, now};
use super::letter::{Letter, NO_PART};
use super::measure::Subject;
use super::outcome::Counters;
use super::run::{Accepted, Author};
use super::usage::Watched;
use crate::api::{Api, Stream, Wanted};
use crate::exit::Failure;
use crate::lab::member::{Member, Network};

/// The running nodes of a network. The first is the author.
#[derive(Debug)]
pub struct Lab {
    network: Network,
    topic: String,
    watched: Watched,
    /// Letters of words instead of random ones.
    wordy: bool,
    compressed: bool,
}

/// The author, as its local API has it write.
pub struct Voice {
    api: Api,
    topic: String,
    size: usize,
    wordy: bool,
    compressed: bool,
}

impl Lab {
    /// The nodes of this network that run, this one first; without a name the first that runs. A
    /// topic is measured that nobody else reads, with letters of words where `wordy`.
    ///
    /// # Errors
    /// When that node does not run, or no other does.
    pub fn of(
        mut network: Network,
        author: Option<&str>,
        wordy: bool,
        compressed: bool,
    ) -> Result<Self, Failure> {
        let number = network.running(author)?.number;
        network.members.retain(Member::is_running);
        network.members.sort_by_key(|member| (member.number != number, member.number));
        if network.members.len() < 2 {
            return Err(Failure::failed(format!(
                "only one node of network {:?} runs, and nobody would read what it writes: start \
                 more",
                network.name
            )));
        }
        let pids = network.members.iter().filter_map(|member| member.process.as_ref());
        let watched = Watched::Others(pids.map(|process| process.pid).collect());
        let topic = format!("bench-{}", SecretKey::generate().id().short());
        Ok(Self { network, topic, watched, wordy, compressed })
    }

    /// How many nodes run.
    pub fn nodes(&self) -> usize {
        self.network.members.len()
    }

    /// What the network is.
    pub fn title(&self) -> &str {
        &self.network.title
    }

    /// Subscribes with every node but the author, so many times each, and waits until a message of
    /// the author comes to all. Everything after it is written on the board.
    ///
    /// # Errors
    /// When it does not come to all in time.
    pub async fn connect(
        &self,
        subscribers: usize,
        size: usize,
        board: &Arc<Board>,
    ) -> Result<Voice, Failure> {
        let (author, others) = self.network.members.split_first().ok_or(Failure::Shown)?;
        let mut api = self.network.api(author).await?;
        let max = api.node().await?.max_message_bytes;
        if size > max {
            return Err(TopicError::TooLarge { bytes: size, max }.into());
        }
        let each = others.iter().flat_map(|member| std::iter::repeat_n(member, subscribers));
        for (receiver, member) in each.enumerate() {
            let mut api = self.network.api(member).await?;
            let topic = std::slice::from_ref(&self.topic);
            let lines = api.subscribe(topic, Wanted::default()).await?;
            let look = letter_of(self.wordy, size);
            tokio::spawn(read(lines, api, receiver, look, Arc::downgrade(board)));
        }
        let (wordy, compressed) = (self.wordy, self.compressed);
        let mut voice = Voice { api, topic: self.topic.clone(), size, wordy, compressed };
        voice.wait_for(others.len()).await?;
        Ok(voice)
    }
}

/// Writes what comes on the board, as long as there is one: the next run has its own readers.
async fn read(
    mut lines: Stream,
    _api: Api,
    receiver: usize,
    look: impl Fn(Vec<u8>) -> Option<u64>,
    board: Weak<Board>,
) {
    while let Some(line) = lines.next().await {
        let Some(board) = board.upgrade() else { return };
        let message = serde_json::from_slice::<MessageView>(&line).ok();
        board.received(receiver, message.and_then(|message| look(message.payload())));
    }
}

/// Finds the number of a letter.
fn letter_of(wordy: bool, size: usize) -> impl Fn(Vec<u8>) -> Option<u64> {
    move |letter| if wordy { letter.read(size) } else { Bytes::from(letter).read(size) }
}

impl Subject for Lab {
    async fn counters(&self) -> Result<Option<Counters>, Failure> {
        let mut sum = Counters::default();
        for member in &self.network.members {
            let stats = self.network.api(member).await?.node().await?.stats;
            sum = sum.plus(Counters::of(&stats));
        }
        Ok(Some(sum))
    }

    fn watched(&self) -> &Watched {
        &self.watched
    }
}

impl Voice {
    fn request(&self, number: u64) -> PublishRequest {
        let payload = match self.wordy {
            true => <Vec<u8> as Letter>::write(number, self.size),
            false => <Bytes as Letter>::write(number, self.size).into(),
        };
        PublishRequest {
            topic: self.topic.clone(),
            compressed: self.compressed,
            payload_base64: Some(STANDARD.encode(payload)),
            ..PublishRequest::default()
        }
    }

    /// Waits until so many readers confirm a message.
    async fn wait_for(&mut self, readers: usize) -> Result<(), Failure> {
        let request = PublishRequest { confirm_ms: Some(CONFIRM_MS), ..self.request(NO_PART) };
        let begin = now();
        loop {
            let report = self.api.publish(&request).await?.report;
            let holders = report.map_or(0, |report| report.holders.len());
            if holders >= readers {
                return Ok(());
            }
            if now().duration_since(begin) > START {
                return Err(Failure::failed(format!(
                    "only {holders} of {readers} nodes confirm a message: `gossip status` shows \
                     how they stand"
                )));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}

impl Author for Voice {
    async fn publish(&mut self, number: u64) -> Result<Accepted, Failure> {
        self.api.publish(&self.request(number)).await?;
        Ok(Accepted::AtOnce)
    }
}

/// How long readers have to be there.
const START: Duration = Duration::from_secs(30);
/// How long readers have to confirm, before they are asked again.
const CONFIRM_MS: u64 = 2_000;
/// How often a wait looks again.
const GLANCE: Duration = Duration::from_millis(50);
