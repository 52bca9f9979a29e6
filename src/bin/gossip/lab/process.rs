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

    /// Sends a signal, when it still runs. Says whether it did.
    pub fn signal(&self, signal: Signal) -> bool {
        let Ok(pid) = i32::try_from(self.pid) else { return false };
        self.is_running() && kill(Pid::from_raw(pid), signal).is_ok()
    }
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

/// The start time of a process that runs: field 22 of its `stat`, counted behind the name, which
/// may contain anything.
fn start_of_running(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    // Zombies and the dead still have an entry.
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Process, end_all};

    #[test]
    fn a_process_with_a_reused_id_is_another_one() {
        let own = Process::own().unwrap();
        assert!(own.is_running());
        assert!(!Process { started: own.started + 1, ..own.clone() }.is_running());
        assert!(!Process { boot: "another".into(), ..own }.is_running());
    }

    #[test]
    fn what_does_not_end_when_asked_is_ended() {
        let script = "trap '' TERM; echo; while true; do read -t 1 -u 2; done";
        let mut stubborn = Command::new("bash")
            .args(["-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process::of(stubborn.id()).unwrap();
        // It has said something, so its trap is set.
        std::io::Read::read(stubborn.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        assert_eq!(end_all(std::slice::from_ref(&process), Duration::from_millis(50)), 1);
        assert!(!process.is_running());
        stubborn.wait().unwrap();
    }
}
