//! Names people give: to nodes, topics and networks.

use super::limits::MAX_NAME;

/// Why a text cannot be a name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadName {
    /// Nothing in it.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than 256 bytes.
    #[error("a name has at most {MAX_NAME} bytes, this one has {0}")]
    TooLong(usize),
    /// A control character (line break, NUL …) is in it.
    #[error("a name must not contain control characters (line breaks, NUL …)")]
    Control,
    /// The levels `*` and `>` stand for others, and one topic is to be named.
    #[error(
        "the levels `*` and `>` stand for many topics, which can only be subscribed to: name one \
         topic"
    )]
    Pattern,
    /// `>` stands for all further levels, so nothing can come behind it.
    #[error("`>` stands for all further levels: write it at the end")]
    RestInside,
}

/// Checks a name of a node, topic or network: 1 to 256 bytes of UTF-8 without control characters.
///
/// # Errors
/// Says which of the three rules is broken.
pub fn check_name(name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        Err(BadName::Empty)
    } else if name.len() > MAX_NAME {
        Err(BadName::TooLong(name.len()))
    } else if name.chars().any(char::is_control) {
        Err(BadName::Control)
    } else {
        Ok(())
    }
}
