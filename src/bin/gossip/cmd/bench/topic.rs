//! `gossip bench topic`: one author, many readers.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum, value_parser};
use gossip_mesh::{Cbor, Codec, Json, MsgPack, Raw};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{DEFAULT_NETWORK, Which};
use crate::bench::board::Board;
use crate::bench::lab::Lab;
use crate::bench::letter::{Letter, Note};
use crate::bench::measure::{End, Onlooker, measure};
use crate::bench::mesh::{Mesh, Transport};
use crate::bench::outcome::{Outcome, Setting};
use crate::bench::plan::Plan;
use crate::bench::run::Phase;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::graph::{Drawn, Shape};
use crate::render::bench::{heading, table};
use crate::render::screen::Screen;

/// Publish on one node, read on all others: rates, latency, cost and losses
///
/// All nodes live in this process and are linked over loopback, encrypted, with the settings of a
/// lab. First come messages that only warm up, then single ones at rest, whose latency is measured,
/// then as many as a window takes. Each is numbered, and looked at where it comes. The exit code is
/// 1 when a delivery is missing, doubled or not as it was sent. Ctrl-C stops, and shows what was
/// measured so far.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip bench topic                                 16 nodes, 3 random neighbours each, 1 KiB
  gossip bench topic --size 100,1024,65536           a column for each size
  gossip bench topic --nodes 2 --size 100 --messages 1000000
  gossip bench topic --topology line --transport quic --codec json
  gossip bench topic --payload text --compress
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
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=100_000_000))]
    messages: Option<u64>,
    /// Most messages that are not everywhere yet
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
          conflicts_with_all = ["nodes", "topology", "seed", "codec", "transport"])]
    network: Option<String>,
    /// The node of that network that publishes: number, name or beginning of the PeerId
    #[arg(long, value_name = "NODE",
          conflicts_with_all = ["nodes", "topology", "seed", "codec", "transport"])]
    node: Option<String>,
    /// Folder with the state of networks [default: gossip-mesh in the user's state folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
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

impl TopicBench {
    /// Measures all sizes, one after another.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let mut outcomes = Vec::new();
        let is_lab = self.lab || self.network.is_some() || self.node.is_some();
        if is_lab {
            screen
                .remark("the local API is in the way: one request and one line of JSON a message");
        }
        let drawn = if is_lab { None } else { Some(self.draw()?) };
        if let Some(note) = drawn.as_ref().and_then(|drawn| drawn.note.as_ref()) {
            screen.remark(note);
        }
        for &size in &self.size {
            let bar = Bar::new(size, screen);
            let measured = match &drawn {
                Some(drawn) => self.in_this_process(size, drawn, &mut interrupt, &bar).await,
                None => self.in_a_lab(size, &mut interrupt, &bar).await,
            };
            bar.0.finish_and_clear();
            let Some((outcome, end)) = measured? else {
                screen.remark("stopped before anything was measured");
                break;
            };
            if screen.json {
                screen.document(&outcome)?;
            }
            outcomes.push(outcome);
            if end == End::Stopped {
                screen.remark("stopped; this is what was measured so far");
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
        let shape = Shape::named(name, number).map_err(Failure::usage)?;
        shape.draw(wide(self.nodes), self.seed).map_err(Failure::usage)
    }

    async fn in_this_process(
        &self,
        size: u32,
        drawn: &Drawn,
        interrupt: &mut Interrupt,
        bar: &Bar,
    ) -> Result<Option<(Outcome, End)>, Failure> {
        bar.0.set_message("nodes start");
        let mesh = tokio::select! {
            mesh = Mesh::start(&drawn.graph, self.transport, self.compress) => mesh?,
            () = interrupt.came() => return Ok(None),
        };
        let job = Job { bench: self, mesh: &mesh, drawn, size, bar };
        let measured = match (self.codec, self.payload) {
            (Format::Bytes, Filler::Random) => job.run::<Bytes, Raw>(interrupt).await,
            (Format::Bytes, Filler::Text) => job.run::<Vec<u8>, Raw>(interrupt).await,
            (Format::Cbor, Filler::Random) => job.run::<Note<false>, Cbor>(interrupt).await,
            (Format::Cbor, Filler::Text) => job.run::<Note<true>, Cbor>(interrupt).await,
            (Format::Json, Filler::Random) => job.run::<Note<false>, Json>(interrupt).await,
            (Format::Json, Filler::Text) => job.run::<Note<true>, Json>(interrupt).await,
            (Format::MsgPack, Filler::Random) => job.run::<Note<false>, MsgPack>(interrupt).await,
            (Format::MsgPack, Filler::Text) => job.run::<Note<true>, MsgPack>(interrupt).await,
        };
        mesh.end().await;
        measured
    }

    async fn in_a_lab(
        &self,
        size: u32,
        interrupt: &mut Interrupt,
        bar: &Bar,
    ) -> Result<Option<(Outcome, End)>, Failure> {
        let network = self.network.clone().unwrap_or_else(|| DEFAULT_NETWORK.to_owned());
        let which = Which { network, data: self.data.clone() };
        let lab = Lab::of(
            which.find()?,
            self.node.as_deref(),
            self.payload == Filler::Text,
            self.compress,
        )?;
        let plan = self.plan(size, lab.nodes());
        let board = Arc::new(Board::new(&plan));
        let connect = lab.connect(wide(self.subscribers), plan.size, &board);
        let mut author = tokio::select! {
            author = connect => author?,
            () = interrupt.came() => return Ok(None),
        };
        let setting = Setting {
            system: "gossip-mesh, through its local API".to_owned(),
            seed: None,
            ..self.setting(lab.nodes(), lab.title())
        };
        bar.is_for(&plan);
        let measured =
            measure(&lab, &mut author, (&plan, &board, setting), interrupt.came(), bar).await?;
        Ok(Some(measured))
    }

    fn plan(&self, size: u32, nodes: usize) -> Plan {
        let messages =
            self.messages.unwrap_or_else(|| DEFAULT_LOAD.min(DEFAULT_BYTES / u64::from(size)));
        Plan {
            receivers: (nodes - 1) * wide(self.subscribers),
            size: wide(size),
            warm_up: self.window.min(messages),
            probes: self.probes,
            pause: Duration::from_millis(self.pause),
            load: messages,
            window: self.window,
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
            window: self.window,
            probes: self.probes,
        }
    }
}

/// One size, measured with nodes of this process.
struct Job<'a> {
    bench: &'a TopicBench,
    mesh: &'a Mesh,
    drawn: &'a Drawn,
    size: u32,
    bar: &'a Bar,
}

impl Job<'_> {
    /// Measures values of this type in this codec; `None` when it was stopped before it began.
    async fn run<T, C>(&self, interrupt: &mut Interrupt) -> Result<Option<(Outcome, End)>, Failure>
    where
        T: Letter + Sync,
        C: Codec<T> + 'static,
    {
        let Self { bench, mesh, drawn, size, bar } = self;
        let plan = bench.plan(*size, drawn.graph.node_count());
        let board = Arc::new(Board::new(&plan));
        let connect = mesh.connect::<T, C>(wide(bench.subscribers), plan.size, &board);
        let mut author = tokio::select! {
            author = connect => author?,
            () = interrupt.came() => return Ok(None),
        };
        let setting = bench.setting(drawn.graph.node_count(), &drawn.label);
        bar.is_for(&plan);
        let stop = interrupt.came();
        let measured = measure(*mesh, &mut author, (&plan, &board, setting), stop, *bar).await?;
        Ok(Some(measured))
    }
}

/// Loss is a failure, after it was shown.
fn judge(outcomes: &[Outcome]) -> Result<(), Failure> {
    let broken: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_whole())
        .map(|it| {
            format!(
                "of {} bytes {} deliveries are missing, {} came twice, {} not as sent",
                it.size, it.lost, it.duplicates, it.corrupt
            )
        })
        .collect();
    if broken.is_empty() { Ok(()) } else { Err(Failure::failed(broken.join("; "))) }
}

/// How far a run is, for a person at a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(size: u32, screen: Screen) -> Self {
        if screen.json || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0).with_prefix(format!("{size} bytes"));
        let style = "{prefix}: {bar:32} {pos} of {len} messages everywhere, {msg}";
        Self(match ProgressStyle::with_template(style) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    fn is_for(&self, plan: &Plan) {
        self.0.set_length(plan.total());
    }
}

impl Onlooker for Bar {
    fn begins(&self, phase: Phase) {
        self.0.set_message(match phase {
            Phase::WarmUp => "warming up",
            Phase::Latency => "single messages",
            Phase::Throughput => "a full window",
        });
    }

    fn everywhere(&self, messages: u64) {
        self.0.set_position(messages);
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

/// Messages, when their number was not given.
const DEFAULT_LOAD: u64 = 20_000;
/// Bytes of them at most, when their number was not given.
const DEFAULT_BYTES: u64 = 256 << 20;
/// A run in which nothing arrives for so long has lost something: repair gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(12);
