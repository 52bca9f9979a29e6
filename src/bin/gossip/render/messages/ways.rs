//! The ways the copies of a message took, and which of them to show.

use std::cmp::Reverse;

use crate::render::plain::one_line;

/// The way of one copy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Way {
    /// The nodes it passed, as the user knows them, the author first and this node last.
    pub hops: Vec<String>,
    /// Whether the first of them is the author. When not, the beginning is not known.
    pub complete: bool,
}

/// Which ways are shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Paths {
    /// `-p`: the shortest.
    Shortest,
    /// `-pp`: the longest.
    Longest,
    /// `-p -pp` or `-ppp`: the shortest and the longest, or the one that is both.
    Both,
    /// `-A`, or nothing asked for: each, in the order of arrival.
    #[default]
    All,
}

impl Paths {
    /// What so many `-p`, and `-A` or not, ask for; `-A` prevails.
    pub fn of_flags(count: u8, all: bool) -> Self {
        match (all, count) {
            (true, _) | (false, 0) => Self::All,
            (false, 1) => Self::Shortest,
            (false, 2) => Self::Longest,
            (false, _) => Self::Both,
        }
    }

    /// The arrow lines of a message. Among ways of one length the copy that came first is shown.
    /// A way whose beginning is not known has no length, so it is shown for the shortest or longest
    /// only where no complete one is there.
    pub(super) fn select(self, ways: &[Way]) -> Vec<String> {
        let shown: Vec<usize> = match self {
            Self::Shortest => shortest(ways).into_iter().collect(),
            Self::Longest => longest(ways).into_iter().collect(),
            Self::Both => {
                let (shortest, longest) = (shortest(ways), longest(ways));
                shortest.into_iter().chain(longest.filter(|_| longest != shortest)).collect()
            }
            Self::All => (0..ways.len()).collect(),
        };
        let marked = |index: usize| if index == 0 { "  (first)" } else { "" };
        shown
            .into_iter()
            .filter_map(|index| Some(format!("{}{}", arrows(ways.get(index)?), marked(index))))
            .collect()
    }
}

fn shortest(ways: &[Way]) -> Option<usize> {
    measured(ways).min_by_key(|&(index, hops)| (hops, index)).map(|(index, _)| index)
}

fn longest(ways: &[Way]) -> Option<usize> {
    measured(ways).max_by_key(|&(index, hops)| (hops, Reverse(index))).map(|(index, _)| index)
}

/// The ways with a known length, or all of them where none has.
fn measured(ways: &[Way]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let any_complete = ways.iter().any(|way| way.complete);
    ways.iter()
        .enumerate()
        .filter(move |(_, way)| way.complete || !any_complete)
        .map(|(index, way)| (index, way.hops.len()))
}

fn arrows(way: &Way) -> String {
    let hops = way.hops.iter().map(|hop| one_line(hop.as_bytes()));
    let unknown = (!way.complete).then(|| "…".to_owned());
    unknown.into_iter().chain(hops).collect::<Vec<_>>().join(" → ")
}
