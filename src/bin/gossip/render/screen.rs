//! Where a command shows its result: stdout for results, stderr for everything else.

use std::io::{ErrorKind, IsTerminal, Write};

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
        self.remark(&format!("gossip: {reason}"));
    }
}
