//! `gossip recorder`: what came into a node's membership, saved and looked at again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gossip_mesh::{Finding, NodeId, Recording, ReplayStep};
use jiff::tz::TimeZone;
use serde_json::json;

use crate::api::Api;
use crate::args::Which;
use crate::exit::Failure;
use crate::places::file_name;
use crate::render::plain::one_line;
use crate::render::screen::Screen;
use crate::render::story::clock;

/// Largest recording that is read.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Save what came into a node's membership, and look at its decisions again, step by step
#[derive(Args, Debug)]
pub struct Recorder {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Save the flight recorder of a running node to a file; it holds no secrets
    Dump(Dump),
    /// Turn the same machine over a recording: exit code 0 when every decision is the same
    Replay(Again),
}

#[derive(Args, Debug)]
struct Dump {
    /// Number, name or beginning of the PeerId of the node
    #[arg(required_unless_present = "api")]
    node: Option<String>,
    /// A running node by its local API: the path of its socket, or HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with = "node")]
    api: Option<String>,
    /// Where to [default: NAME.recording here]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

#[derive(Args, Debug)]
struct Again {
    /// The recording
    file: PathBuf,
    /// Show only what concerns this node: its name, PeerId or the beginning of it
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
}

impl Recorder {
    /// Saves or replays.
    pub async fn run(self, screen: Screen) -> Result<(), Failure> {
        match self.verb {
            Verb::Dump(dump) => dump.run(screen).await,
            Verb::Replay(again) => again.run(screen),
        }
    }
}

impl Dump {
    async fn run(self, screen: Screen) -> Result<(), Failure> {
        let (mut api, name) = match &self.api {
            Some(place) => (Api::at(place).await?, None),
            None => {
                let network = self.which.find()?;
                let member = network.running(self.node.as_deref())?;
                (network.api(member).await?, Some(file_name(&member.name)))
            }
        };
        let recording = api.recording().await?;
        let (node, bytes) = (recording.header().node, recording.to_bytes());
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| node.short());
        let file = self.output.unwrap_or_else(|| PathBuf::from(format!("{name}.recording")));
        save(&file, &bytes).map_err(|error| {
            Failure::failed(format!(
                "{} cannot be written ({error}): give another one by --output",
                file.display()
            ))
        })?;
        if screen.json {
            return screen.document(&json!({
                "file": file, "bytes": bytes.len(), "node": node,
            }));
        }
        screen.show(format!("{}, {} KiB\n", file.display(), bytes.len().div_ceil(1024)))
    }
}

/// Only its owner can read it: it says who speaks with whom.
fn save(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(bytes)
}

impl Again {
    fn run(self, screen: Screen) -> Result<(), Failure> {
        let recording = read(&self.file)?;
        let header = recording.header().clone();
        let name = |id: NodeId| match header.names.get(&id).filter(|name| !name.is_empty()) {
            Some(name) => one_line(name.as_bytes()),
            None => id.to_string(),
        };
        let wanted = match &self.node {
            Some(text) => Some(about(text, &header.names)?),
            None => None,
        };
        let concerns = |step: &ReplayStep| {
            wanted.as_ref().is_none_or(|id| {
                step.input.to_string().contains(id)
                    || step.outputs.iter().any(|output| output.to_string().contains(id))
            })
        };
        if !screen.json {
            screen.show(format!(
                "recording of {}, life {}, made by version {}\n",
                name(header.node),
                header.life,
                one_line(header.program.as_bytes())
            ))?;
        }
        let zone = TimeZone::system();
        let (mut steps, mut findings) = (0_u64, 0_usize);
        for step in recording.replay() {
            let step = step.map_err(|error| {
                let error = one_line(error.to_string().as_bytes());
                Failure::failed(format!("the recording is damaged after step {steps}: {error}"))
            })?;
            steps = step.step;
            if concerns(&step) || !step.same {
                findings += step.findings.len();
                match screen.json {
                    true => screen.document(&step)?,
                    false => screen.show(told(&step, &name, &zone))?,
                }
            }
            if !step.same {
                return Err(Failure::failed(format!(
                    "step {steps} differs: on {} the node wanted something else then than version \
                     {} wants now; all steps before are the same",
                    one_line(step.input.to_string().as_bytes()),
                    env!("CARGO_PKG_VERSION")
                )));
            }
        }
        if screen.json {
            return screen.document(&json!({ "steps": steps, "same": true }));
        }
        screen.show(format!("{steps} steps, {findings} findings: all decisions are the same\n"))
    }
}

/// A line for each thing found out.
fn told(step: &ReplayStep, name: &dyn Fn(NodeId) -> String, zone: &TimeZone) -> String {
    let line = |finding: &Finding| {
        let sentence = one_line(finding.tell(name).as_bytes());
        format!("  {}  step {}  {sentence}\n", clock(step.at.0, zone), step.step)
    };
    step.findings.iter().map(line).collect()
}

/// The PeerId, or the beginning of one, of the node that is meant.
fn about(text: &str, names: &BTreeMap<NodeId, String>) -> Result<String, Failure> {
    let named: Vec<NodeId> =
        names.iter().filter(|(_, name)| *name == text).map(|(id, _)| *id).collect();
    match named.as_slice() {
        [id] => Ok(id.to_string()),
        // Every PeerId of a member begins like this.
        [] if text.starts_with("12D3KooW") => Ok(text.to_owned()),
        [] => Err(Failure::failed(format!(
            "the recording speaks of no {:?}: give a name or a PeerId",
            one_line(text.as_bytes())
        ))),
        _ => Err(Failure::failed(format!("several are called {text:?}: give the PeerId"))),
    }
}

fn read(file: &Path) -> Result<Recording, Failure> {
    let failed = |error| Failure::failed(format!("{} cannot be read ({error})", file.display()));
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    Recording::from_bytes(&bytes).map_err(|error| {
        let error = one_line(error.to_string().as_bytes());
        Failure::failed(format!("{} is not a recording: {error}", file.display()))
    })
}
