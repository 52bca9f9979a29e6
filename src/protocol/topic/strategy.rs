//! How the member of a group is chosen that gets a message.

use std::fmt;
use std::sync::Arc;

use crate::base::id::NodeId;

/// How a publisher chooses the member of a queue group that gets a message. Each publisher
/// chooses for itself; who chooses evenly by itself does so together with others.
///
/// ```
/// use gossip_mesh::Strategy;
///
/// // To whom has the least to confirm.
/// let idle = Strategy::custom(|members| {
///     (0..members.len()).min_by_key(|at| members[*at].unconfirmed).unwrap_or(0)
/// });
/// assert_eq!(idle.to_string(), "custom");
/// assert_eq!("round-robin".parse(), Ok(Strategy::RoundRobin));
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// One after the other, by rising id.
    #[default]
    RoundRobin,
    /// Any, evenly. The order follows from the node and its life.
    Random,
    /// The one that was not chosen for the longest time; first of all who never was. Differs from
    /// round robin when members come and go, or get messages by other strategies too.
    LeastRecent,
    /// Every member, as if it were in no group. None has to confirm.
    All,
    /// By a function: see [`Strategy::custom`].
    Custom(Choose),
}

/// A member of a group that may get a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// Who.
    pub node: NodeId,
    /// How many messages of this topic and group this node sent it before.
    pub chosen: u64,
    /// How many messages of this node, of all topics, it has still to confirm.
    pub unconfirmed: usize,
}

/// A function that chooses: the place of the chosen one in the list.
#[derive(Clone)]
pub struct Choose(Arc<Function>);

type Function = dyn Fn(&[Candidate]) -> usize + Send + Sync;

impl Strategy {
    /// A strategy of your own. The list has the members by rising id, and is never empty; a place
    /// beyond its end is counted from the beginning again. The function is called while the node
    /// does nothing else, so it must be quick. Where it panics the first member is chosen.
    ///
    /// ```
    /// # use gossip_mesh::Strategy;
    /// // Whoever has least to do.
    /// let idlest = Strategy::custom(|members| {
    ///     let places = members.iter().enumerate();
    ///     places.min_by_key(|(_, member)| member.unconfirmed).map_or(0, |(place, _)| place)
    /// });
    /// ```
    pub fn custom(choose: impl Fn(&[Candidate]) -> usize + Send + Sync + 'static) -> Self {
        Self::Custom(Choose(Arc::new(choose)))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::Random => "random",
            Self::LeastRecent => "least-recent",
            Self::All => "all",
            Self::Custom(_) => "custom",
        }
    }
}

impl Choose {
    /// The place of the chosen one; within the list, whatever the function does.
    pub(crate) fn place(&self, members: &[Candidate]) -> usize {
        // What the function left half done is its own; it shares nothing with us.
        let call = std::panic::AssertUnwindSafe(|| (self.0)(members));
        let place = std::panic::catch_unwind(call).unwrap_or(0);
        place.checked_rem(members.len()).unwrap_or(0)
    }
}

/// A text that names no strategy.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no strategy: choose `round-robin`, `random`, `least-recent` or `all`")]
pub struct NotAStrategy(String);

impl std::str::FromStr for Strategy {
    type Err = NotAStrategy;

    fn from_str(text: &str) -> Result<Self, NotAStrategy> {
        let known = [Self::RoundRobin, Self::Random, Self::LeastRecent, Self::All];
        let found = known.into_iter().find(|strategy| strategy.name() == text);
        found.ok_or_else(|| NotAStrategy(text.to_owned()))
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Choose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function")
    }
}

/// Functions are equal when they are the same one.
impl PartialEq for Strategy {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Custom(Choose(a)), Self::Custom(Choose(b))) => Arc::ptr_eq(a, b),
            _ => self.name() == other.name(),
        }
    }
}
