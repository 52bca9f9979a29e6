//! How a command ends: 0 it did what was asked, 1 it could not, 2 it was asked wrongly.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::render::screen::Screen;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It could not; the sentence says what happened and what to do. Exit code 1.
    Failed(String),
    /// It was asked for something that cannot be. Exit code 2.
    Usage(String),
    /// It could not, and has shown that already. Exit code 1.
    Shown,
    /// Whoever read its output went away, as `head` does. Exit code 0.
    ReaderGone,
}

impl Failure {
    /// The command could not do it, for this reason.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }

    /// The command was asked wrongly.
    pub fn usage(reason: impl fmt::Display) -> Self {
        Self::Usage(reason.to_string())
    }
}

/// Whatever a library says in words is a sentence for the user.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}

/// The exit code of a command, after its failure was told on stderr.
pub fn code(result: Result<(), Failure>, screen: Screen) -> ExitCode {
    match result {
        Ok(()) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Err(Failure::Shown) => ExitCode::FAILURE,
        Err(Failure::Failed(reason)) => {
            screen.complain(&reason);
            ExitCode::FAILURE
        }
        Err(Failure::Usage(reason)) => {
            screen.complain(&reason);
            ExitCode::from(2)
        }
    }
}
