//! Tokens: how an answer finds the question, and a reply the command.

use serde::{Deserialize, Serialize};

/// Names one question or one command until its answer came. Unique within a life of a node.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Token(pub u64);

/// Makes tokens, each once.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Tokens(u64);

impl Tokens {
    /// A token never given before by this maker.
    pub fn next(&mut self) -> Token {
        self.0 = self.0.wrapping_add(1);
        Token(self.0)
    }
}
