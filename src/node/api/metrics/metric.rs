//! One metric with its samples.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::node::Durations;

/// One thing that is measured.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Metric {
    /// Its name, as queries of Prometheus have it; that of a counter ends in `_total`.
    #[schema(value_type = String)]
    pub name: Cow<'static, str>,
    /// What it says, in one sentence without its end.
    #[schema(value_type = String)]
    pub help: Cow<'static, str>,
    /// How it behaves.
    pub kind: MetricKind,
    /// Its values: one, or one for each of its labels' values.
    pub samples: Vec<Sample>,
}

/// How a metric behaves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// Rises only, from zero at the node's start.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Durations, counted by size.
    Histogram,
}

/// One value of a metric.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Sample {
    /// What of it this is the value of; empty where there is only one.
    #[schema(value_type = Object)]
    pub labels: BTreeMap<Cow<'static, str>, String>,
    /// The value.
    pub value: Reading,
}

/// A value: a number, or a histogram.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Reading {
    /// A whole number.
    Count(u64),
    /// Any number.
    Level(f64),
    /// Durations.
    Spans {
        /// How many.
        count: u64,
        /// All of them together, in seconds.
        sum: f64,
        /// How many were up to this many seconds long, and longer than the bound before; the last
        /// bucket has no bound.
        buckets: Vec<(Option<f64>, u64)>,
    },
}

impl Metric {
    /// A metric of one value, without labels.
    pub(super) fn one(
        kind: MetricKind,
        name: &'static str,
        help: &'static str,
        value: Reading,
    ) -> Self {
        let samples = vec![Sample { labels: BTreeMap::new(), value }];
        Self { name: name.into(), help: help.into(), kind, samples }
    }

    /// A metric with a value for each value of one label.
    pub(super) fn each<L: Into<String>>(
        kind: MetricKind,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> Self {
        let sample = |(of, count): (L, u64)| Sample {
            labels: BTreeMap::from([(label.into(), of.into())]),
            value: Reading::Count(count),
        };
        let samples = values.into_iter().map(sample).collect();
        Self { name: name.into(), help: help.into(), kind, samples }
    }
}

impl From<u64> for Reading {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Reading {
    fn from(level: f64) -> Self {
        Self::Level(level)
    }
}

impl From<&Durations> for Reading {
    fn from(durations: &Durations) -> Self {
        let bucket = |(bound, count): (Option<u64>, u64)| (bound.map(seconds), count);
        Self::Spans {
            count: durations.count(),
            sum: seconds(durations.sum_us()),
            buckets: durations.buckets().map(bucket).collect(),
        }
    }
}

/// Microseconds as seconds. Above 285 years the last digits are lost.
#[expect(clippy::cast_precision_loss, reason = "a measurement, not an account")]
pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
