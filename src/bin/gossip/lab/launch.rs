//! The processes of a lab: from their start until all are ready, and while they are held.
//!
//! A node runs as `gossip node --config … --lab-of N`. It says `ready` on its stdout when it is
//! linked with its neighbours and knows all others; with an N of 0 it waits for nobody. It ends
//! when its stdin does, unless it was told `stay`: so whatever becomes of the process that starts a
//! lab, nothing of it is left behind. One that is started again later is told `stay with {…}`: it
//! ends with the process that holds the others.

use std::fs::File;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::process::{Process, end_all, resume_all};
use super::state::{Folder, Record};
use crate::exit::Failure;

/// How long the nodes have to be ready, and what each adds to it.
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_PER_NODE: Duration = Duration::from_millis(500);

/// How long a node that is to end has for its good-byes.
pub const GOODBYE: Duration = Duration::from_secs(3);

/// Nodes that were started and end with this process. Dropped, they are ended at once.
pub struct Held {
    lines: Vec<ChildStdin>,
    waiting: JoinSet<(usize, Option<ExitStatus>)>,
    processes: Vec<Process>,
    /// Whether the nodes stay when this is dropped.
    stay: bool,
}

/// A node that was started and is not ready yet.
struct Starting {
    number: usize,
    child: Child,
    out: ChildStdout,
}

impl Held {
    /// Starts a process for each node and notes it there. They are not ready yet.
    ///
    /// # Errors
    /// When the system gives no more processes; those started are ended.
    pub fn start(folder: &Folder, record: &mut Record) -> Result<(Self, Ready), Failure> {
        let mut held =
            Self { lines: Vec::new(), waiting: JoinSet::new(), processes: Vec::new(), stay: false };
        let mut starting = Vec::new();
        let total = record.nodes.len();
        let Record { nodes, topic, log: filter, .. } = record;
        for node in nodes {
            let log = File::create(folder.log(node.number))?;
            let mut child = spawn(folder, node.number, total, topic, filter.as_deref(), log)?;
            node.process = child.id().and_then(Process::of);
            held.processes.extend(node.process.clone());
            held.lines.extend(child.stdin.take());
            // It was asked for with a pipe, so it has one.
            let Some(out) = child.stdout.take() else { continue };
            starting.push(Starting { number: node.number, child, out });
        }
        Ok((held, Ready { starting, folder: folder.clone() }))
    }

    /// Has the nodes go on without this process.
    ///
    /// # Errors
    /// When a node ended meanwhile; then all are ended.
    pub async fn let_go(mut self) -> Result<(), Failure> {
        for line in &mut self.lines {
            line.write_all(b"stay\n").await?;
            line.flush().await?;
        }
        self.stay = true;
        Ok(())
    }

    /// The next node that ends, with what is known of its end; `None` when all have ended.
    pub async fn next_end(&mut self) -> Option<(usize, Option<ExitStatus>)> {
        self.waiting.join_next().await?.ok()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lines.clear();
        if !self.stay {
            resume_all(&self.processes);
            end_all(&self.processes, GOODBYE);
        }
    }
}

/// Waits for nodes to be ready.
pub struct Ready {
    starting: Vec<Starting>,
    folder: Folder,
}

impl Ready {
    /// Waits until all are ready; `each` is called once per node. The processes then are `held`.
    ///
    /// # Errors
    /// A node that ended, with what it complained of; nodes that take too long.
    pub async fn wait(self, held: &mut Held, mut each: impl FnMut()) -> Result<(), Failure> {
        let total = u32::try_from(self.starting.len()).unwrap_or(u32::MAX);
        let patience = PATIENCE + PATIENCE_PER_NODE.saturating_mul(total);
        let mut lines = JoinSet::new();
        for Starting { number, mut child, out } in self.starting {
            lines.spawn(async move {
                let mut line = String::new();
                let read = BufReader::new(out).read_line(&mut line).await;
                (number, read.is_ok() && line.trim_end() == "ready")
            });
            held.waiting.spawn(async move { (number, child.wait().await.ok()) });
        }
        let all = async {
            while let Some(line) = lines.join_next().await {
                match line {
                    Ok((_, true)) => each(),
                    Ok((number, false)) => return Err(why_ended(&self.folder, number)),
                    Err(error) => return Err(Failure::failed(error)),
                }
            }
            Ok(())
        };
        timeout(patience, all).await.unwrap_or_else(|_| {
            Err(Failure::failed(format!(
                "the nodes were not ready within {} s: see {}, or start fewer nodes",
                patience.as_secs(),
                self.folder.path().join("logs").display()
            )))
        })
    }
}

/// Starts a node again that has ended, and lets it go on: until `holder` ends, where there is one.
/// It is up when this returns, but need not have found the others.
///
/// # Errors
/// When it cannot be started, ends, or takes too long; then it does not run.
pub async fn restart(
    folder: &Folder,
    number: usize,
    record: &Record,
    holder: Option<&Process>,
) -> Result<Process, Failure> {
    let log = File::options().append(true).create(true).open(folder.log(number))?;
    let mut child = spawn(folder, number, 0, &record.topic, record.log.as_deref(), log)?;
    let process = child.id().and_then(Process::of);
    let (Some(out), Some(line)) = (child.stdout.take(), &mut child.stdin) else {
        return Err(why_ended(folder, number));
    };
    let mut said = String::new();
    // Dropped, its stdin ends, and the node with it.
    let read = timeout(PATIENCE, BufReader::new(out).read_line(&mut said)).await;
    let ready = matches!(read, Ok(Ok(_))) && said.trim_end() == "ready";
    let Some(process) = process.filter(|_| ready) else {
        return Err(why_ended(folder, number));
    };
    let stay = match holder {
        None => "stay\n".to_owned(),
        Some(holder) => format!("stay with {}\n", serde_json::to_string(holder)?),
    };
    line.write_all(stay.as_bytes()).await?;
    line.flush().await?;
    Ok(process)
}

fn spawn(
    folder: &Folder,
    number: usize,
    total: usize,
    topic: &str,
    filter: Option<&str>,
    log: File,
) -> Result<Child, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("node")
        .arg("--config")
        .arg(folder.node(number).join("node.toml"))
        .arg("--topic")
        .arg(topic)
        .arg("--lab-of")
        .arg(total.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log);
    // What the user's own node is told by the environment is not meant for these.
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with("GOSSIP_"));
        if ours && name != "GOSSIP_LOG" {
            command.env_remove(name);
        }
    }
    if let Some(filter) = filter {
        command.env("GOSSIP_LOG", filter);
    }
    command.spawn().map_err(|error| {
        Failure::failed(format!("node {number} cannot be started ({error}): start fewer nodes"))
    })
}

fn why_ended(folder: &Folder, number: usize) -> Failure {
    let log = folder.log(number);
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let complaint = text.lines().rev().find_map(|line| line.strip_prefix("gossip: "));
    let reason = complaint.map_or_else(|| format!("see {}", log.display()), str::to_owned);
    Failure::failed(format!("node {number} ended before it was ready: {reason}"))
}
