//! The wish of the user, or of the system, that this process ends.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// Ctrl-C, the end of the terminal, or a polite kill.
pub struct Interrupt {
    keyboard: Signal,
    polite: Signal,
    terminal: Signal,
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
            terminal: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for it. Dropping this is safe.
    pub async fn came(&mut self) {
        tokio::select! {
            _ = self.keyboard.recv() => {}
            _ = self.polite.recv() => {}
            _ = self.terminal.recv() => {}
        }
    }
}
