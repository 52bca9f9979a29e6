//! Processes, named so that none is mistaken for another: ids are used again, an id with its start
//! time and the boot of the machine is not.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process of this machine, for ever.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it started: clock ticks since the boot.
    pub started: u64,
    /// Which boot of the machine.
    pub boot: String,
}

/// How often a wait looks again.
const GLANCE: Duration = Duration::from_millis(5);

impl Process {
    /// The process with this id, while it runs.
    pub fn of(pid: u32) -> Option<Self> {
        let started = start_of_running(pid)?;
        Some(Self { pid, started, boot: boot().to_owned() })
    }

    /// This very process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it still runs. One that ended and waits to be collected does not.
    pub fn is_running(&self) -> bool {
        self.boot == boot() && start_of_running(self.pid) == Some(self.started)
    }

    /// Whether it runs, but was stopped for a while (SIGSTOP).
    pub fn is_paused(&self) -> bool {
        self.is_running() && state(self.pid).is_some_and(|state| state == 'T')
    }

    /// Sends a signal, when it still runs. Says whether it did.
    pub fn signal(&self, signal: Signal) -> bool {
        let Ok(pid) = i32::try_from(self.pid) else { return false };
        self.is_running() && kill(Pid::from_raw(pid), signal).is_ok()
    }
}

/// Has those that are paused go on.
pub fn resume_all(processes: &[Process]) {
    processes.iter().filter(|process| process.is_paused()).for_each(|process| {
        process.signal(Signal::SIGCONT);
    });
}

/// Asks all of them to end, and ends those that do not within `patience`. Returns when none runs
/// any more; says how many had to be ended by force.
pub fn end_all(processes: &[Process], patience: Duration) -> usize {
    let mut running: Vec<&Process> =
        processes.iter().filter(|process| process.signal(Signal::SIGTERM)).collect();
    wait(&mut running, patience);
    let forced = running.iter().filter(|process| process.signal(Signal::SIGKILL)).count();
    // Nothing survives this signal; what the kernel cannot end within seconds waits for a disk.
    wait(&mut running, Duration::from_secs(5));
    forced
}

/// Waits until none of them runs, or time is up.
pub fn wait(running: &mut Vec<&Process>, patience: Duration) {
    let mut left = patience;
    loop {
        running.retain(|process| process.is_running());
        if running.is_empty() || left.is_zero() {
            return;
        }
        std::thread::sleep(GLANCE);
        left = left.saturating_sub(GLANCE);
    }
}

/// The start time of a process that runs: field 22 of its `stat`.
fn start_of_running(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = fields(&stat)?;
    // Zombies and the dead still have an entry.
    if matches!(fields.next()?, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

/// What a process is doing: field 3 of its `stat`.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    fields(&stat)?.next()?.chars().next()
}

/// The fields from the third on, counted behind the name, which may contain anything.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(") ")?.1.split(' '))
}

fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    })
}
