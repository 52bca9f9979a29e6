//! A lab on disk: its folder, the record of its nodes, and the lock of whoever changes it.
//!
//! ```text
//! STATE/labs/NAME/lab.json      who runs; there while the lab runs
//! STATE/labs/NAME/lock          held while the lab is started, stopped or changed
//! STATE/labs/NAME/network.key   shared by the nodes
//! STATE/labs/NAME/nodes/N/      data folder of node N, with its settings in node.toml
//! STATE/labs/NAME/logs/N.log    what node N wrote to stderr; kept until the next start
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gossip_mesh::NodeId;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::exit::Failure;
use crate::places;

/// A lab as it was started and changed since.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Record {
    /// The network's name.
    pub network: String,
    /// What it is, for titles: `random, degree 3`.
    pub shape: String,
    /// What the graph was drawn with.
    pub seed: u64,
    /// The topic all nodes read.
    pub topic: String,
    /// What its nodes write to their logs, as a filter; their warnings when nothing is said.
    #[serde(default)]
    pub log: Option<String>,
    /// The process that started it, and holds it unless it is detached.
    pub starter: Option<Process>,
    /// Whether it goes on without its starter.
    pub detached: bool,
    /// The nodes in the order of their numbers.
    pub nodes: Vec<Entry>,
}

/// A node of a lab.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// The number people know it by, from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Its id.
    pub peer_id: NodeId,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The socket of its local API.
    pub socket: PathBuf,
    /// The numbers of the neighbours it was given.
    pub neighbours: Vec<usize>,
    /// Its process; not there until it was started.
    pub process: Option<Process>,
    /// How it was taken out of the lab on purpose, when it was.
    pub removed: Option<Removal>,
}

/// How a node was taken out of the lab.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// It said good-bye.
    Left,
    /// It was ended without a word; the others find out.
    Killed,
    /// It was dead already; the others were told to forget it.
    Forgotten,
}

/// The folder of a lab.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    network: String,
    /// What a command needs after its own words to mean this network.
    words: String,
}

/// The right to change a lab. It ends when this is dropped, or its process ends.
#[derive(Debug)]
pub struct Lock {
    _held: Flock<File>,
}

/// How long one waits for another command that changes the same lab.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(10);

impl Record {
    /// Whether any process of it still runs.
    pub fn is_running(&self) -> bool {
        self.nodes.iter().any(Entry::is_running)
            || (!self.detached && self.starter.as_ref().is_some_and(Process::is_running))
    }

    /// All processes that nodes of it were started as.
    pub fn processes(&self) -> Vec<Process> {
        self.nodes.iter().filter_map(|node| node.process.clone()).collect()
    }
}

impl Entry {
    /// Whether its process still runs.
    pub fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_running)
    }
}

impl Folder {
    /// The folder of the lab of this name; it need not be there.
    pub fn of(root: &Path, network: &str) -> Self {
        let path = root.join("labs").join(places::file_name(network));
        Self { path, network: network.to_owned(), words: places::words_for(root, network) }
    }

    /// What a command needs after its own words to mean this network, with a blank before it.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The data folder of a node.
    pub fn node(&self, number: usize) -> PathBuf {
        self.path.join("nodes").join(number.to_string())
    }

    /// Where a node's log goes.
    pub fn log(&self, number: usize) -> PathBuf {
        self.path.join("logs").join(format!("{number}.log"))
    }

    /// Waits for the right to change the lab; makes the folder when it is missing.
    ///
    /// # Errors
    /// A folder that cannot be written, or somebody who holds the right for too long.
    pub fn lock(&self) -> Result<Lock, Failure> {
        places::make_private(&self.path)?;
        let path = self.path.join("lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let mut file = options.open(&path).map_err(|error| unwritable(&path, &error))?;
        let mut left = PATIENCE;
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(held) => return Ok(Lock { _held: held }),
                Err((file, nix::errno::Errno::EWOULDBLOCK)) => file,
                Err((_, errno)) => return Err(unwritable(&path, &errno)),
            };
            if left.is_zero() {
                return Err(Failure::failed(format!(
                    "another command has been starting or stopping network {:?} for {PATIENCE:?}: \
                     wait for it or end it",
                    self.network
                )));
            }
            std::thread::sleep(GLANCE);
            left = left.saturating_sub(GLANCE);
        }
    }

    /// The record, when there is one, running or not.
    ///
    /// # Errors
    /// A record that cannot be read, or is none.
    pub fn read(&self) -> Result<Option<Record>, Failure> {
        let path = self.path.join("lab.json");
        let broken = |error: serde_json::Error| {
            Failure::failed(format!(
                "{} is not the record of a lab ({error}): end what `ps` shows of `gossip node`, \
                 and remove it",
                path.display()
            ))
        };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(broken),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Failure::failed(format!(
                "{} cannot be read ({error}): give another folder by --data",
                path.display()
            ))),
        }
    }

    /// The record of the lab while it runs.
    ///
    /// # Errors
    /// A sentence when it does not; what a crash left behind is cleaned away.
    pub fn running(&self) -> Result<Record, Failure> {
        match self.read()? {
            Some(record) if record.is_running() => return Ok(record),
            Some(_) => {
                let _lock = self.lock()?;
                // Somebody may have started it anew before the lock was ours.
                match self.read()? {
                    Some(record) if record.is_running() => return Ok(record),
                    Some(record) => self.clear(&record),
                    None => {}
                }
            }
            None => {}
        }
        Err(self.not_running())
    }

    /// That no such network runs, in words.
    pub fn not_running(&self) -> Failure {
        Failure::failed(format!(
            "no network {:?} is running: start one with `gossip start-network{}`",
            self.network, self.words
        ))
    }

    /// Puts the record in place of the one before: whole or not at all.
    ///
    /// # Errors
    /// A folder that cannot be written, a full disk. The one before is still there then.
    pub fn write(&self, record: &Record) -> Result<(), Failure> {
        let (path, draft) = (self.path.join("lab.json"), self.path.join("lab.json.new"));
        let bytes = serde_json::to_vec_pretty(record)?;
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, &path));
        written.map_err(|error| {
            // What is half written must not be taken for a whole one.
            let _ = fs::remove_file(&draft);
            unwritable(&path, &error)
        })
    }

    /// Removes everything of the lab that only matters while it runs. Logs and pictures stay.
    pub fn clear(&self, record: &Record) {
        // What is missing already needs no removal; what cannot be removed is replaced by the
        // next start, or complained about there.
        for node in &record.nodes {
            let _ = fs::remove_file(&node.socket);
        }
        let _ = fs::remove_dir_all(self.path.join("nodes"));
        let _ = fs::remove_file(self.path.join("network.key"));
        let _ = fs::remove_file(self.path.join("lab.json"));
    }
}

/// Whether the file, or a folder on the way to it, is not there.
fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!(
        "{} cannot be written ({error}): give another folder by --data",
        path.display()
    ))
}
