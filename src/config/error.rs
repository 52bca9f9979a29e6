//! What is wrong with settings.

use std::fmt;

/// Everything that is wrong with the settings, each in one sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(pub Vec<String>);

impl ConfigError {
    #[cfg(feature = "net")]
    pub(crate) fn one(sentence: String) -> Self {
        Self(vec![sentence])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => f.write_str(one),
            many => {
                write!(f, "{} settings are wrong:", many.len())?;
                many.iter().try_for_each(|sentence| write!(f, "\n  - {sentence}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}
