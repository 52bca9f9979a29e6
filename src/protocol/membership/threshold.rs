//! How many must agree: thresholds, majorities, quorums. Arithmetic only.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many voters it takes, as the user sets it with `consensus_threshold`.
///
/// | written | means |
/// | --- | --- |
/// | `0.5` | half of the reachable voters; any number above 0 and up to 1 |
/// | `1` | all reachable voters |
/// | `3` | three voters; any whole number from 2 |
/// | `{ count = 1 }` | one voter; any whole number from 1 |
///
/// With `partition_safe`, more than half of the agreed members are needed besides.
///
/// ```
/// use gossip_mesh::Threshold;
/// let threshold: Threshold = toml::from_str::<std::collections::BTreeMap<String, Threshold>>(
///     "consensus_threshold = 0.5",
/// ).unwrap()["consensus_threshold"];
/// assert_eq!(threshold, Threshold::share(0.5).unwrap());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Above 0, at most 1.
    Share(f64),
    Count(NonZeroU32),
}

/// The number is no threshold.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "`consensus_threshold` is {0}: write a share of the voters above 0 and up to 1 (0.5, 1), a \
     number of voters from 2 (3), or {{ count = N }}"
)]
pub struct BadThreshold(f64);

impl Threshold {
    /// This share of the reachable voters, above 0 and at most 1.
    ///
    /// # Errors
    /// [`BadThreshold`] for any other number.
    pub fn share(share: f64) -> Result<Self, BadThreshold> {
        if share > 0.0 && share <= 1.0 {
            Ok(Self(Kind::Share(share)))
        } else {
            Err(BadThreshold(share))
        }
    }

    /// This many voters.
    pub const fn count(count: NonZeroU32) -> Self {
        Self(Kind::Count(count))
    }

    /// A bare number: a share up to 1, a count from 2.
    fn number(number: f64) -> Result<Self, BadThreshold> {
        if number <= 1.0 {
            return Self::share(number);
        }
        let whole = number.trunc() == number && number <= f64::from(u32::MAX);
        // Checked just above: a whole number that fits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let count = if whole { NonZeroU32::new(number as u32) } else { None };
        count.map(Self::count).ok_or(BadThreshold(number))
    }

    /// Votes needed against a node when `reachable` voters answer.
    pub fn down_votes(self, reachable: u32) -> u32 {
        match self.0 {
            Kind::Share(share) => ceil(share * f64::from(reachable)),
            Kind::Count(count) => count.get(),
        }
    }

    /// The count, when it is one.
    pub const fn fixed_count(self) -> Option<u32> {
        match self.0 {
            Kind::Share(_) => None,
            Kind::Count(count) => Some(count.get()),
        }
    }

    /// True when `up` votes of `reachable` voters settle that the node is up: more than the
    /// threshold, where as many would settle that it is down.
    pub fn is_up(self, up: u32, reachable: u32) -> bool {
        match self.0 {
            // As in `down_votes`: 0.58 * 50 lies a hair below 29, and means 29.
            Kind::Share(share) => f64::from(up) > share * f64::from(reachable) + HAIR,
            Kind::Count(count) => up > count.get(),
        }
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self(Kind::Share(0.5))
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Share(share) => write!(f, "{share}"),
            Kind::Count(count) => write!(f, "{{ count = {count} }}"),
        }
    }
}

/// The smallest whole number that is not below `value`, which is finite and not negative. A
/// product like 0.1 * 30 that lies a hair above its whole number counts as that number.
fn ceil(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let ceiled = (value - HAIR).ceil() as u32;
    ceiled
}

/// Products of a share and a count are off by less than this from what the user wrote.
const HAIR: f64 = 1e-9;

/// More than half of `members`.
pub const fn majority(members: u32) -> u32 {
    members / 2 + 1
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Count { count: NonZeroU32 },
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self.0 {
            Kind::Share(share) => Written::Number(share),
            Kind::Count(count) if count.get() == 1 => Written::Count { count },
            Kind::Count(count) => Written::Number(f64::from(count.get())),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer).map_err(|_| {
            serde::de::Error::custom(
                "`consensus_threshold` is a number (0.5, 1, 3) or { count = N } with N from 1",
            )
        })?;
        match written {
            Written::Number(number) => Self::number(number).map_err(serde::de::Error::custom),
            Written::Count { count } => Ok(Self::count(count)),
        }
    }
}
