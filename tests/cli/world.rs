//! A place of its own for each test, and what it may ask there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A state folder and a block of ports. Dropped, whatever still runs with this folder is killed.
pub struct World {
    folder: TempDir,
    /// The first of 40 ports that were free.
    pub port: u16,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), port: free_block() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command in this place, not yet run. `words` are split at blanks.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gossip"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GOSSIP_") {
                command.env_remove(name);
            }
        }
        command
            .args(words.split_whitespace())
            .env("XDG_STATE_HOME", self.folder())
            .env("XDG_RUNTIME_DIR", self.folder())
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &str) -> Said {
        Said::from(self.command(words).output().unwrap())
    }

    /// Runs a command that must succeed; gives what it wrote to stdout.
    #[track_caller]
    pub fn ok(&self, words: &str) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "gossip {words}: {said:?}");
        said.out
    }

    /// Runs a command with `input` on its stdin.
    pub fn feed(&self, words: &str, input: &[u8]) -> Said {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that refuses early does not read it all.
        let _ = stdin.write_all(input);
        drop(stdin);
        Said::from(child.wait_with_output().unwrap())
    }

    /// Starts a network in the background.
    #[track_caller]
    pub fn start(&self, words: &str) -> String {
        self.ok(&format!("start-network {words} --detach --base-port {}", self.port))
    }

    /// `status --json`.
    #[track_caller]
    pub fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.ok("status --json")).unwrap()
    }

    /// Ids of the processes that run with this folder in their command line.
    pub fn processes(&self) -> Vec<i32> {
        let folder = self.folder().to_str().unwrap();
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let found = entries.filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&line).contains(folder).then_some(pid)
        });
        found.collect()
    }

    /// Waits until nothing runs with this folder any more.
    #[track_caller]
    pub fn wait_for_silence(&self) {
        eventually("all nodes have ended", || self.processes().is_empty());
    }

    /// The folder of the network `lab`.
    pub fn lab(&self) -> PathBuf {
        self.folder().join("gossip-mesh/labs/lab")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for pid in self.processes() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command that runs until it is told to end.
pub struct Running {
    child: Child,
    lines: Option<BufReader<ChildStdout>>,
}

impl Running {
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = child.stdout.take().map(BufReader::new);
        Self { child, lines }
    }

    /// Its next line; empty when it has closed its stdout.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let lines = self.lines.as_mut().unwrap();
        if lines.buffer().is_empty() {
            let mut file = [PollFd::new(lines.get_ref().as_fd(), PollFlags::POLLIN)];
            let patience = PollTimeout::try_from(PATIENCE).unwrap();
            assert!(poll(&mut file, patience).unwrap() > 0, "no line within {PATIENCE:?}");
        }
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line
    }

    /// Does something again and again, until a line comes of it.
    #[track_caller]
    pub fn first_line(&mut self, again: impl Fn() + Sync) -> String {
        let came = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !came.load(Ordering::Relaxed) {
                    again();
                }
            });
            let line = std::panic::catch_unwind(AssertUnwindSafe(|| self.line()));
            came.store(true, Ordering::Relaxed);
            line.unwrap()
        })
    }

    /// Reads nothing any more, as `head` does when it has enough.
    pub fn close(&mut self) {
        self.lines = None;
    }

    /// Reads lines up to the first that contains this; gives that one.
    #[track_caller]
    pub fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "it ended without a line with {part:?}");
            if line.contains(part) {
                return line;
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for its end; gives its exit code.
    pub fn end(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again, until it holds.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let glance = Duration::from_millis(20);
    let mut left = PATIENCE;
    while !holds() {
        assert!(!left.is_zero(), "not in {PATIENCE:?}: {what}");
        std::thread::sleep(glance);
        left = left.saturating_sub(glance);
    }
}

/// Waits until nobody is left; shows who is, in the end.
pub fn eventually_none(what: &str, mut left: impl FnMut() -> Vec<String>) {
    let glance = Duration::from_millis(20);
    let mut patience = PATIENCE;
    loop {
        let last = left();
        if last.is_empty() {
            return;
        }
        assert!(!patience.is_zero(), "{what}, after {PATIENCE:?}:\n{}", last.join("\n"));
        std::thread::sleep(glance);
        patience = patience.saturating_sub(glance);
    }
}

/// 40 ports in a row that are free, below those the system hands out by itself.
fn free_block() -> u16 {
    const BLOCK: u16 = 40;
    const FIRST: u16 = 10_000;
    const BLOCKS: u16 = (32_000 - FIRST) / BLOCK;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Other test programs run at the same time: each begins somewhere else.
    let own = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap() * 7;
    let used = used_ports();
    loop {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(own) % BLOCKS;
        let base = FIRST + turn * BLOCK;
        if (base..base + BLOCK).all(|port| !used.contains(&port)) {
            return base;
        }
    }
}

/// Ports in use, by the system's own table: to try them by listening would hold them for as long
/// as a process lives that another test begins in the same moment.
fn used_ports() -> BTreeSet<u16> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let port = |line: &str| {
        let (_, port) = line.split_whitespace().nth(1)?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    table.lines().filter_map(port).collect()
}
