//! `gossip start-network`: many nodes on this machine, a process each.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use gossip_mesh::Config;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::plot::draw_and_write;
use crate::args::Which;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::graph::{Drawn, Shape};
use crate::lab::launch::{GOODBYE, Held};
use crate::lab::member::{DEFAULT_TOPIC, Network};
use crate::lab::plot::Format;
use crate::lab::prepare::prepare;
use crate::lab::process::{Process, end_all};
use crate::lab::room;
use crate::lab::state::{Entry, Folder, Lock, Record};
use crate::render::screen::Screen;

/// Start a network of nodes on this machine, a process each
///
/// Ctrl-C stops it, unless it is detached. The graph says who is whose neighbour; messages travel
/// along it. Nodes of a random, powerlaw or small-world network that lose neighbours find others;
/// the other shapes stay as they are drawn, until `gossip rewire`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  gossip start-network                        16 nodes with 3 random neighbours each
  gossip start-network random 5 --plot        5 neighbours each, and a picture
  gossip start-network circular --num-nodes=32
  gossip start-network powerlaw -n 64 --detach --network big --base-port 8001")]
pub struct StartNetwork {
    /// random, circular, powerlaw, turan, complete, star, line or small-world
    #[arg(value_name = "SHAPE", default_value = "random")]
    shape: String,
    /// random: neighbours of each node [3]; powerlaw: links each node brings [3]; turan: parts [4]
    #[arg(value_name = "NUMBER")]
    number: Option<usize>,
    /// How many nodes
    #[arg(short, long, visible_alias = "num-nodes", value_name = "N", default_value_t = 16)]
    nodes: usize,
    /// Draw the network, and write the picture: without FILE an SVG in the lab's folder
    #[arg(short = 'P', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "not given, given without a file, given with one")]
    plot: Option<Option<PathBuf>>,
    /// Return when every node is ready, and leave the network running
    #[arg(long)]
    detach: bool,
    /// Port of the first node; the others follow
    #[arg(long, value_name = "PORT", default_value_t = 7001)]
    base_port: u32,
    /// What the nodes write to their logs: error, warn, info, debug or trace, or a filter as in
    /// GOSSIP_LOG. With debug every message is followed, by the id that `gossip trace` shows
    #[arg(long, value_name = "LEVEL", value_parser = crate::args::log_filter)]
    log: Option<String>,
    /// Draws the same graph again
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    which: Which,
}

impl StartNetwork {
    /// Starts it, and unless detached holds it until it ends.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        Config { network: self.which.network.clone(), ..Config::lab() }
            .check()
            .map_err(Failure::usage)?;
        let seed = self.seed.unwrap_or_else(fresh_seed);
        let drawn = self.draw(seed)?;
        let ports = room::ports(self.base_port, self.nodes)?;
        room::check(self.nodes)?;
        if let Some(Some(file)) = &self.plot {
            Format::of(file).map_err(Failure::usage)?;
            check_writable(file)?;
        }
        let folder = Folder::of(&self.which.root()?, &self.which.network);
        let lock = folder.lock()?;
        let mut interrupt = Interrupt::new()?;
        self.make_place(&folder)?;
        room::check_free(&ports)?;

        let mut record = self.record(&drawn, seed);
        let result = tokio::select! {
            held = self.start(&folder, &mut record, &drawn, &ports, screen) => held,
            () = interrupt.came() => Err(Failure::failed("the start was interrupted")),
        };
        let mut held = match result {
            Ok(held) => held,
            Err(failure) => {
                end_all(&record.processes(), GOODBYE);
                folder.clear(&record);
                return Err(failure);
            }
        };
        if self.detach {
            let let_go = held.let_go().await;
            drop(lock);
            let_go.inspect_err(|_| folder.clear(&record))?;
            return self.tell(&folder, &record, &drawn, screen).await;
        }
        drop(lock);
        let told = self.tell(&folder, &record, &drawn, screen).await;
        if told.is_ok() {
            wait_for_the_end(&mut held, interrupt, screen).await;
        }
        finish(held, &folder, &record, screen)?;
        told
    }

    fn draw(&self, seed: u64) -> Result<Drawn, Failure> {
        let shape = Shape::named(&self.shape, self.number).map_err(Failure::usage)?;
        // So many nodes are refused in any case; drawing a graph of them would take long.
        if self.nodes > 1 << 16 {
            room::check(self.nodes)?;
        }
        shape.draw(self.nodes, seed).map_err(Failure::usage)
    }

    /// Refuses when the network runs; clears what an earlier one left behind.
    fn make_place(&self, folder: &Folder) -> Result<(), Failure> {
        let Some(record) = folder.read()? else { return Ok(()) };
        if record.is_running() {
            return Err(Failure::failed(format!(
                "network {:?} is running already: stop it with `gossip stop-network{}`, or start \
                 this one under another --network",
                self.which.network,
                folder.words()
            )));
        }
        folder.clear(&record);
        Ok(())
    }

    fn record(&self, drawn: &Drawn, seed: u64) -> Record {
        Record {
            network: self.which.network.clone(),
            shape: drawn.label.clone(),
            seed,
            topic: DEFAULT_TOPIC.to_owned(),
            log: self.log.clone(),
            starter: Process::own(),
            detached: self.detach,
            nodes: Vec::new(),
        }
    }

    /// Starts the nodes and waits until all are ready.
    async fn start(
        &self,
        folder: &Folder,
        record: &mut Record,
        drawn: &Drawn,
        ports: &[u16],
        screen: Screen,
    ) -> Result<Held, Failure> {
        record.nodes = prepare(folder, &self.which.network, drawn, ports)?;
        // Noted before anything runs, so that a crash in between is found.
        folder.write(record)?;
        let (mut held, ready) = Held::start(folder, record)?;
        folder.write(record)?;
        let bar = progress(self.nodes, screen);
        let result = ready.wait(&mut held, || bar.inc(1)).await;
        bar.finish_and_clear();
        result.map(|()| held)
    }

    /// A line per node with its neighbours, and the picture when asked for.
    async fn tell(
        &self,
        folder: &Folder,
        record: &Record,
        drawn: &Drawn,
        screen: Screen,
    ) -> Result<(), Failure> {
        if let Some(note) = &drawn.note {
            screen.remark(note);
        }
        let shown = if screen.json {
            screen.document(&json!({
                "network": record.network,
                "shape": record.shape,
                "seed": record.seed,
                "topic": record.topic,
                "folder": folder.path(),
                "nodes": record.nodes,
            }))
        } else {
            screen.show(lines(record, self.detach, folder.words()))
        };
        // The network is up, whether or not somebody reads about it.
        if let Err(failure) = shown
            && !matches!(failure, Failure::ReaderGone)
        {
            return Err(failure);
        }
        let Some(file) = &self.plot else { return Ok(()) };
        let file = file.clone().unwrap_or_else(|| folder.path().join("plot.svg"));
        let network = Network::find(&self.which.root()?, &self.which.network)?;
        draw_and_write(&network, &file, screen).await
    }
}

/// A line per node with its neighbours.
pub(super) fn node_lines(nodes: &[Entry]) -> String {
    let width = nodes.len().to_string().len();
    let line = |node: &Entry| {
        let neighbours: Vec<String> = node.neighbours.iter().map(usize::to_string).collect();
        let neighbours =
            if neighbours.is_empty() { "alone".to_owned() } else { neighbours.join(" ") };
        format!("node {:>width$}  127.0.0.1:{}  {neighbours}\n", node.number, node.port)
    };
    nodes.iter().map(line).collect()
}

fn lines(record: &Record, detached: bool, words: &str) -> String {
    let mut out = node_lines(&record.nodes);
    let end = match detached {
        false => "Ctrl-C stops it".to_owned(),
        true => format!("`gossip stop-network{words}` stops it"),
    };
    let count = record.nodes.len();
    let nodes = if count == 1 { "node is" } else { "nodes are" };
    out.push_str(&format!(
        "network {:?} ({}, seed {}): {count} {nodes} ready; {end}\n",
        record.network, record.shape, record.seed
    ));
    out
}

/// Waits until the user has enough of the network, or all its nodes have ended.
async fn wait_for_the_end(held: &mut Held, mut interrupt: Interrupt, screen: Screen) {
    loop {
        let end = tokio::select! {
            () = interrupt.came() => return,
            end = held.next_end() => end,
        };
        match end {
            None => return,
            // One that was asked to end is no news.
            Some((number, Some(status))) if !status.success() => {
                screen.remark(&format!("node {number} has ended ({status})"));
            }
            Some(_) => {}
        }
    }
}

/// Ends the nodes and clears what they leave behind.
fn finish(held: Held, folder: &Folder, record: &Record, screen: Screen) -> Result<(), Failure> {
    drop(held);
    let _lock: Lock = folder.lock()?;
    // `stop-network`, and after it another start, may have been faster.
    if let Some(now) = folder.read()?.filter(|now| now.starter == record.starter) {
        // Those that were restarted meanwhile are not among the held.
        end_all(&now.processes(), GOODBYE);
        folder.clear(record);
    }
    screen.remark(&format!("network {:?} has stopped", record.network));
    Ok(())
}

/// Refuses, before anything is started, what the picture could not be written to in the end. A file
/// that is there is not touched, one that is not is not left behind.
fn check_writable(file: &Path) -> Result<(), Failure> {
    let is_new = !file.exists();
    let opened = OpenOptions::new().append(true).create(true).open(file);
    opened.map_err(|error| {
        Failure::failed(format!("{} cannot be written: {error}", file.display()))
    })?;
    if is_new {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

fn progress(nodes: usize, screen: Screen) -> ProgressBar {
    if screen.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(nodes).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("starting {bar:32} {pos} of {len} nodes ready");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

/// Different with every start, because keys come from the system's entropy. Short, because people
/// may want to type it again.
pub(super) fn fresh_seed() -> u64 {
    let hash = blake3::hash(&gossip_mesh::SecretKey::generate().to_protobuf());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes).into())
}
