//! Processor time and memory of processes, as the system counts them.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::{SysconfVar, sysconf};

/// Whose usage is looked at.
#[derive(Clone, Debug)]
pub enum Watched {
    /// This process.
    Own,
    /// The processes with these ids, together.
    Others(Vec<u32>),
}

/// Resident memory, in KiB.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// At most: of this process since [`Watched::forget_peak`], of others since they began.
    pub peak: u64,
}

impl Watched {
    /// Processor time so far, in user and system mode. Of other processes to the nearest tick of
    /// the system, 10 ms; of one that has ended nothing.
    pub fn processor(&self) -> Duration {
        match self {
            Self::Own => own_processor(),
            Self::Others(pids) => pids.iter().filter_map(|pid| processor_of(*pid)).sum(),
        }
    }

    /// Memory.
    pub fn memory(&self) -> Memory {
        match self {
            Self::Own => memory_of("self").unwrap_or_default(),
            Self::Others(pids) => {
                let each = pids.iter().filter_map(|pid| memory_of(&pid.to_string()));
                each.fold(Memory::default(), |sum, one| Memory {
                    now: sum.now + one.now,
                    peak: sum.peak + one.peak,
                })
            }
        }
    }

    /// Has the peak of this process begin anew, where the system allows it.
    pub fn forget_peak(&self) {
        if let Self::Own = self {
            // Elsewhere the peak is that of all runs, which is no less true.
            let _ = fs::write("/proc/self/clear_refs", "5");
        }
    }
}

fn own_processor() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let span = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    span(usage.user_time()) + span(usage.system_time())
}

fn processor_of(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    ticks(&stat).map(|ticks| {
        let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
        let per_second = u64::try_from(per_second).unwrap_or(100).max(1);
        Duration::from_micros(ticks * 1_000_000 / per_second)
    })
}

/// Ticks in user and in system mode, out of a process's `stat`: the 12th and 13th field behind its
/// name, which may hold blanks and brackets itself.
pub(super) fn ticks(stat: &str) -> Option<u64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(fields.next()?.ok()? + fields.next()?.ok()?)
}

fn memory_of(process: &str) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(Memory { now: kib(&status, "VmRSS:")?, peak: kib(&status, "VmHWM:")? })
}

/// The number of KiB in the line that begins so.
pub(super) fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
