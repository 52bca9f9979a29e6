//! Where a command shows its result: stdout for results, stderr for everything else.

use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;

use crate::exit::Failure;

/// The way results are shown.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Results as JSON, for programs.
    pub json: bool,
    /// Results may have colours.
    pub colour: bool,
    /// A person looks at stdout.
    pub person: bool,
}

impl Screen {
    /// Colours only for people who did not refuse them by `NO_COLOR`.
    pub fn new(json: bool) -> Self {
        let person = std::io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, colour: person && !refused, person }
    }

    /// Shows text as it is.
    ///
    /// # Errors
    /// [`Failure::ReaderGone`] when nobody reads any more.
    pub fn show(self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_ref()).and_then(|()| out.flush());
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::failed(format!("the result cannot be written: {error}")),
        })
    }

    /// Shows a value as one JSON document on one line.
    ///
    /// # Errors
    /// As [`Screen::show`].
    pub fn document(self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.show(line)
    }

    /// Tells something beside the result. That nobody reads it is no failure.
    pub fn remark(self, sentence: &str) {
        let _ = writeln!(std::io::stderr(), "{sentence}");
    }

    /// Tells why there is no result.
    pub fn complain(self, reason: &str) {
        self.remark(&format!("gossip: {}", reason.trim_end()));
    }
}

/// Notices when whoever reads stdout through a pipe goes away, also while there is nothing to
/// write.
pub struct ReaderGone(tokio::sync::oneshot::Receiver<()>);

impl ReaderGone {
    /// Watches from now on, in a thread that ends with the process.
    pub fn watch() -> Self {
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let out = std::io::stdout();
            // Asked for nothing, it still tells of errors: of a pipe nobody reads.
            let mut file = [PollFd::new(out.as_fd(), PollFlags::empty())];
            let polled = poll(&mut file, PollTimeout::NONE);
            let gone = |file: &PollFd<'_>| file.revents().is_some_and(|seen| !seen.is_empty());
            if polled.is_ok() && file.iter().any(gone) {
                let _ = tell.send(());
            } else {
                // Nobody can be told; the next write will notice.
                std::mem::forget(tell);
            }
        });
        Self(told)
    }

    /// Waits for it. Dropping this is safe; calling it again after it came is not meant.
    pub async fn came(&mut self) {
        let _ = (&mut self.0).await;
    }
}
