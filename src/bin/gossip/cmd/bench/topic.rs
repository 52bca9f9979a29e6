//! `gossip bench topic`: one author or several, many readers.

mod systems;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};

use super::bar::Bar;
use super::outcomes::{judge, take};
use crate::bench::mesh::Transport;
use crate::bench::outcome::{Ratio, Setting};
use crate::bench::plan::{Pace, Plan};
use crate::cmd::fault::wrong::time;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::graph::{Drawn, Shape};
use crate::render::bench::{heading, table};
use crate::render::screen::Screen;

/// Publish on one node or several, read on all others: rates, latency, cost and losses
///
/// All nodes live in this process and are linked over loopback, encrypted, with the settings of a
/// lab. First come messages that only warm up, then single ones at rest, whose latency is measured,
/// then as many as a window takes. Each is numbered, and looked at where it comes. The exit code is
/// 1 when a delivery is missing, doubled or not as it was sent. Ctrl-C stops, and shows what was
/// measured so far.
///
/// With --rate and --for it is a soak: the load is held to a pace, and the resident memory is
/// looked at twenty times. With --beside gossipsub the same work is done again by gossipsub used
/// directly, with its defaults over TCP; what it loses is shown and is no failure of ours.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip bench topic                                 16 nodes, 3 random neighbours each, 1 KiB
  gossip bench topic --size 100,1024,65536           a column for each size
  gossip bench topic --nodes 2 --size 100 --messages 1000000
  gossip bench topic --topology line --transport quic --codec json
  gossip bench topic --payload text --compress
  gossip bench topic --publishers 8 --nodes 8
  gossip bench topic --rate 5000 --for 10m           whether memory stays what it is
  gossip bench topic --beside gossipsub              a column for gossipsub, and the ratio
  gossip bench topic --lab --messages 1000           the lab that runs, through its local API
  gossip bench topic --json | jq .cpu_us_per_delivery")]
pub struct TopicBench {
    /// How many nodes
    #[arg(short, long, value_name = "N", default_value_t = 16,
          value_parser = value_parser!(u32).range(2..=1_000))]
    nodes: u32,
    /// Who is whose neighbour: a shape of start-network, and its number
    #[arg(long, value_names = ["SHAPE", "NUMBER"], num_args = 1..=2, default_value = "random")]
    topology: Vec<String>,
    /// Draws the same graph again
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Bytes of each value before it is encoded; several with commas between
    #[arg(long, value_name = "B", default_value = "1024", value_delimiter = ',',
          value_parser = value_parser!(u32).range(8..=256 << 20))]
    size: Vec<u32>,
    /// How many messages [default: 20000, and at most 256 MiB of them]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=MAX_LOAD))]
    messages: Option<u64>,
    /// How many nodes publish, in turn; where they are several, they read too
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "lab",
          value_parser = value_parser!(u32).range(1..=1_000))]
    publishers: u32,
    /// Messages per second, all publishers together [default: as many as the window allows]
    #[arg(long, value_name = "R", value_parser = value_parser!(u64).range(1..=10_000_000))]
    rate: Option<u64>,
    /// How long to publish at that rate, like 10m
    #[arg(long = "for", value_name = "TIME", requires = "rate", conflicts_with = "messages",
          value_parser = some_time)]
    span: Option<Duration>,
    /// Measure this as well, with the same work
    #[arg(long, value_enum, value_name = "SYSTEM",
          conflicts_with_all = ["lab", "network", "node", "subscribers", "codec",
                                "payload", "compress", "transport"])]
    beside: Option<Beside>,
    /// Most messages of each publisher that are not everywhere yet
    #[arg(long, value_name = "N", default_value_t = 256,
          value_parser = value_parser!(u64).range(1..=1_000_000))]
    window: u64,
    /// How many single messages at rest; 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = 200,
          value_parser = value_parser!(u64).range(..=1_000_000))]
    probes: u64,
    /// Milliseconds from one single message to the next
    #[arg(long, value_name = "MS", default_value_t = 5,
          value_parser = value_parser!(u64).range(..=60_000))]
    pause: u64,
    /// How values become bytes
    #[arg(long, value_enum, default_value_t = Format::Bytes)]
    codec: Format,
    /// What values are made of
    #[arg(long, value_enum, default_value_t = Filler::Random)]
    payload: Filler,
    /// Compress the topic
    #[arg(long)]
    compress: bool,
    /// What connections are made of: tcp, quic, websocket or memory
    #[arg(long, value_name = "T", default_value_t = Transport::Tcp)]
    transport: Transport,
    /// Subscriptions of each node that reads
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = value_parser!(u32).range(1..=1_000))]
    subscribers: u32,
    /// Seconds that the messages may take; what is missing then is lost
    #[arg(long, value_name = "S", default_value_t = 40,
          value_parser = value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Measure the lab that runs, through its local API, which is in the way
    #[arg(long, conflicts_with_all = ["nodes", "topology", "seed", "codec", "transport"])]
    lab: bool,
    /// The same with the network of this name
    #[arg(long, value_name = "NAME",
          conflicts_with_all = ["nodes", "publishers", "topology", "seed", "codec", "transport"])]
    network: Option<String>,
    /// The node of that network that publishes: number, name or beginning of the PeerId
    #[arg(long, value_name = "NODE",
          conflicts_with_all = ["nodes", "publishers", "topology", "seed", "codec", "transport"])]
    node: Option<String>,
    /// Folder with the state of networks [default: gossip-mesh in the user's state folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A time above zero.
fn some_time(text: &str) -> Result<Duration, String> {
    let span = time(text)?;
    if span.is_zero() { Err("give more than no time".to_owned()) } else { Ok(span) }
}

/// How values become bytes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// They are bytes
    Bytes,
    Cbor,
    Json,
    #[value(name = "msgpack")]
    MsgPack,
}

/// What values are made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Filler {
    /// Random bytes, or letters, which compression makes no smaller
    Random,
    /// Words
    Text,
}

/// What else can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Beside {
    /// gossipsub used directly
    Gossipsub,
}

impl TopicBench {
    /// Measures all sizes, one after another.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let mut outcomes = Vec::new();
        let is_lab = self.lab || self.network.is_some() || self.node.is_some();
        if self.data.is_some() && !is_lab {
            return Err(Failure::usage(
                "--data is where running networks are found: name one by --lab or --network",
            ));
        }
        self.check_load()?;
        if is_lab {
            screen
                .remark("the local API is in the way: one request and one line of JSON a message");
        }
        let drawn = if is_lab { None } else { Some(self.draw()?) };
        if let Some(note) = drawn.as_ref().and_then(|drawn| drawn.note.as_ref()) {
            screen.remark(note);
        }
        for &size in &self.size {
            let bar = Bar::new("gossip-mesh", size, screen);
            let measured = match &drawn {
                Some(drawn) => self.in_this_process(size, drawn, &mut interrupt, &bar).await,
                None => self.in_a_lab(size, &mut interrupt, &bar).await,
            };
            bar.ends();
            let mut is_over = take(measured?, &mut outcomes, screen)?;
            if let (false, Some(drawn), Some(Beside::Gossipsub)) = (is_over, &drawn, self.beside) {
                let bar = Bar::new("gossipsub", size, screen);
                let mut measured = self.plainly(size, drawn, &mut interrupt, &bar).await?;
                bar.ends();
                if let (Some((theirs, _)), Some(ours)) = (&mut measured, outcomes.last()) {
                    theirs.ratio = Some(Ratio::of(ours, theirs));
                }
                is_over = take(measured, &mut outcomes, screen)?;
            }
            if is_over {
                break;
            }
        }
        if !screen.json
            && let Some(first) = outcomes.first()
        {
            screen.show(heading(&first.setting) + &table(&outcomes, screen.colour))?;
        }
        judge(&outcomes)
    }

    fn draw(&self) -> Result<Drawn, Failure> {
        let (name, number) = match self.topology.as_slice() {
            [name, number] => {
                let number = number.parse().map_err(|_| {
                    Failure::usage(format!(
                        "{number:?} is not a number: give --topology a shape and its number, like \
                         random 3"
                    ))
                })?;
                (name.as_str(), Some(number))
            }
            [name] => (name.as_str(), None),
            _ => ("random", None),
        };
        if self.publishers > self.nodes {
            return Err(Failure::usage(format!(
                "{} of {} nodes cannot publish: raise --nodes",
                self.publishers, self.nodes
            )));
        }
        let shape = Shape::named(name, number).map_err(Failure::usage)?;
        shape.draw(wide(self.nodes), self.seed).map_err(Failure::usage)
    }

    /// What no machine could keep account of is refused before anything begins.
    fn check_load(&self) -> Result<(), Failure> {
        if let Some(messages) = self.paced().filter(|messages| *messages > MAX_LOAD) {
            return Err(Failure::usage(format!(
                "at that rate and for that time {messages} messages are to be sent, and at most \
                 {MAX_LOAD} can be: lower --rate or --for"
            )));
        }
        let bytes = self.plan(8, wide(self.nodes)).board_bytes();
        if bytes > MAX_BOARD {
            return Err(Failure::usage(format!(
                "to note what comes to whom would take {} GiB of memory: lower --messages, --nodes \
                 or --subscribers",
                bytes >> 30
            )));
        }
        Ok(())
    }

    /// Messages at that rate for that time, rounded up, so that there is one.
    fn paced(&self) -> Option<u64> {
        let (rate, span) = self.rate.zip(self.span)?;
        Some((span.as_secs_f64() * rate as f64).ceil() as u64)
    }

    fn plan(&self, size: u32, nodes: usize) -> Plan {
        let messages = self
            .messages
            .or_else(|| self.paced())
            .unwrap_or_else(|| DEFAULT_LOAD.min(DEFAULT_BYTES / u64::from(size)));
        let readers = if self.publishers == 1 { nodes - 1 } else { nodes };
        let look = |rate| Duration::from_secs_f64(messages as f64 / rate as f64 / LOOKS);
        let window = self.window * u64::from(self.publishers);
        Plan {
            authors: u64::from(self.publishers),
            subscriptions: readers * wide(self.subscribers),
            receivers: (nodes - 1) * wide(self.subscribers),
            size: wide(size),
            warm_up: window.min(messages),
            probes: self.probes,
            pause: Duration::from_millis(self.pause),
            load: messages,
            window,
            pace: self.rate.map(|rate| Pace { rate, look: look(rate) }),
            deadline: Duration::from_secs(self.timeout),
            patience: PATIENCE,
        }
    }

    fn setting(&self, nodes: usize, topology: &str) -> Setting {
        Setting {
            system: "gossip-mesh".to_owned(),
            nodes,
            subscribers: wide(self.subscribers),
            topology: topology.to_owned(),
            seed: Some(self.seed),
            transport: self.transport.to_string(),
            codec: name_of(&self.codec),
            payload: name_of(&self.payload),
            compressed: self.compress,
            publishers: u64::from(self.publishers),
            window: self.window,
            rate: self.rate,
            probes: self.probes,
        }
    }
}

/// How a choice is written.
fn name_of(choice: &impl ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned())
}

/// A small number as a count of things in memory.
fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Most messages.
const MAX_LOAD: u64 = 100_000_000;
/// Most memory for the account of a run.
const MAX_BOARD: u64 = 4 << 30;
/// Messages, when their number was not given.
const DEFAULT_LOAD: u64 = 20_000;
/// Bytes of them at most, when their number was not given.
const DEFAULT_BYTES: u64 = 256 << 20;
/// How often the resident memory is looked at in the course of a paced load.
const LOOKS: f64 = 20.0;
/// A run in which nothing arrives for so long has lost something: repair gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(12);
