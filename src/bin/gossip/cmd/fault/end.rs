//! The end of a link, as the user names it: a node, or all.

use std::fmt;

use crate::exit::Failure;
use crate::lab::member::{Member, Network};

/// Whom an end of a link means.
#[derive(Clone, Copy)]
pub enum End<'a> {
    All,
    One(&'a Member),
}

impl<'a> End<'a> {
    /// Whom this text means.
    ///
    /// # Errors
    /// Nothing of that name, or more than one.
    pub fn of(network: &'a Network, text: &str) -> Result<Self, Failure> {
        if text == "all" { Ok(Self::All) } else { network.member(text).map(Self::One) }
    }

    /// The nodes it means.
    pub fn members(self, network: &'a Network) -> Vec<&'a Member> {
        match self {
            Self::All => network.members.iter().collect(),
            Self::One(member) => vec![member],
        }
    }
}

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::One(member) => write!(f, "{}", member.number),
        }
    }
}
