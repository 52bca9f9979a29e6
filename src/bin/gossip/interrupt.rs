//! The wish of the user, or of the system, that this process ends.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// Ctrl-C, the end of the terminal, or a polite kill.
pub struct Interrupt {
    keyboard: Signal,
    polite: Signal,
    /// Not listened to where somebody had it ignored, as `nohup` does.
    terminal: Option<Signal>,
}

impl Interrupt {
    /// Listens from now on; the process no longer ends by itself.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self {
            keyboard: signal(SignalKind::interrupt())?,
            polite: signal(SignalKind::terminate())?,
            terminal: match is_ignored(SignalKind::hangup()) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        })
    }

    /// Waits for it. Dropping this is safe.
    pub async fn came(&mut self) {
        let terminal = async {
            match &mut self.terminal {
                Some(terminal) => terminal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.keyboard.recv() => {}
            _ = self.polite.recv() => {}
            _ = terminal => {}
        }
    }
}

/// Whether this process was started with a signal ignored.
fn is_ignored(kind: SignalKind) -> bool {
    let table = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = table.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}
