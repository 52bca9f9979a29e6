//! Which expectations there are.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::expectation::Expectation;
use super::{liveness, safety, sums};
use crate::sim::report::Outcome;
use crate::sim::scenario::{Scenario, Span};

/// The names in `[expect]`.
pub const NAMES: &[&str] = &[
    "active_by",
    "at_least_false_verdicts",
    "at_least_refused",
    "at_least_resets",
    "at_least_suspicions",
    "at_most_bytes",
    "at_most_connections",
    "at_most_messages",
    "at_most_suspicions",
    "d_equals_a_by",
    "delivered",
    "healed_within",
    "known_down_within",
    "linked_by",
    "may_be_put_out",
    "no_false_verdicts",
    "no_resets",
    "nobody_put_out",
    "noticed_within",
    "verdicts_only_by",
    "views_equal_by",
];

type Lines = BTreeMap<String, toml::Value>;
type Boxed = Box<dyn Expectation>;

/// What is expected of a world: the invariants of every world first, then its own lines, with
/// their names. The scenario was checked; a line that is wrong expects nothing.
pub(crate) fn all(scenario: &Scenario) -> Vec<(String, Boxed)> {
    let mut found = super::always::invariants(scenario);
    found.extend(lines(&scenario.expect).unwrap_or_default());
    found
}

/// The expectations of these lines, with their names, or what is wrong with a line.
pub(crate) fn lines(lines: &Lines) -> Result<Vec<(String, Boxed)>, String> {
    let mut found = Vec::new();
    for (name, value) in lines {
        let expectation = one(name, value, lines)?;
        found.extend(expectation.map(|expectation| (name.clone(), expectation)));
    }
    Ok(found)
}

fn one(name: &str, value: &toml::Value, lines: &Lines) -> Result<Option<Boxed>, String> {
    let by = |what| {
        let at = read::<Span>(name, value)?;
        Ok::<Option<Boxed>, String>(Some(Box::new(liveness::By { at, what, done: false })))
    };
    let expectation: Boxed = match name {
        "views_equal_by" => return by(liveness::views_equal),
        "active_by" => return by(liveness::active),
        "d_equals_a_by" => return by(liveness::d_equals_a),
        "linked_by" => return by(liveness::linked),
        "noticed_within" => {
            let span = read(name, value)?;
            Box::new(liveness::NoticedWithin { span, open: BTreeMap::new() })
        }
        "no_false_verdicts" if read(name, value)? => {
            let excepted = lines.get("may_be_put_out");
            let excepted = excepted.map(|value| read("may_be_put_out", value)).transpose()?;
            Box::new(safety::NoFalseVerdicts { excepted: excepted.unwrap_or_default() })
        }
        "nobody_put_out" if read(name, value)? => Box::new(safety::NobodyPutOut),
        "no_resets" if read(name, value)? => Box::new(safety::NoResets),
        "no_false_verdicts" | "nobody_put_out" | "no_resets" => return Ok(None),
        // It belongs to `no_false_verdicts`.
        "may_be_put_out" => return read::<Vec<u32>>(name, value).map(|_| None),
        "at_most_suspicions" => {
            Box::new(safety::AtMostSuspicions { most: read(name, value)?, count: 0 })
        }
        "at_least_suspicions" => at_least(name, value, |outcome| outcome.suspicions)?,
        "at_least_resets" => at_least(name, value, |outcome| outcome.resets)?,
        "at_least_false_verdicts" => at_least(name, value, |outcome| outcome.false_verdicts)?,
        "at_least_refused" => at_least(name, value, |outcome| outcome.refused)?,
        "verdicts_only_by" => Box::new(safety::VerdictsOnlyBy(read(name, value)?)),
        "known_down_within" => Box::new(sums::KnownDownWithin(read(name, value)?)),
        "healed_within" => Box::new(sums::HealedWithin(read(name, value)?)),
        "at_most_messages" => {
            Box::new(sums::Budget { messages: Some(read(name, value)?), bytes: None })
        }
        "at_most_bytes" => {
            Box::new(sums::Budget { messages: None, bytes: Some(read(name, value)?) })
        }
        "at_most_connections" => Box::new(sums::AtMostConnections(read(name, value)?)),
        "delivered" => Box::new(sums::Delivered(read(name, value)?)),
        _ => {
            return Err(format!("nothing to expect is called `{name}`, only {}", NAMES.join(", ")));
        }
    };
    Ok(Some(expectation))
}

fn at_least(name: &str, value: &toml::Value, count: fn(&Outcome) -> u64) -> Result<Boxed, String> {
    Ok(Box::new(sums::AtLeast { least: read(name, value)?, count }))
}

fn read<'de, T: Deserialize<'de>>(name: &str, value: &toml::Value) -> Result<T, String> {
    let read = value.clone().try_into();
    read.map_err(|error: toml::de::Error| format!("`expect.{name}`: {}", error.message()))
}
