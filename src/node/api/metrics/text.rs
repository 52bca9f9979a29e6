//! Metrics in the text format of OpenMetrics, which Prometheus reads.

use std::borrow::Cow;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::metric::{Metric, MetricKind, Reading, Sample};

/// The content type of the text.
pub(in crate::node::api) const OPEN_METRICS: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All of them as text.
pub(in crate::node::api) fn text(metrics: Vec<Metric>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot(metrics)));
    let mut text = String::new();
    let written = encode(&mut text, &registry);
    debug_assert!(written.is_ok(), "writing to a text does not fail");
    text
}

/// Metrics as they were when they were asked for.
#[derive(Debug)]
struct Snapshot(Vec<Metric>);

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for Metric { name, help, kind, samples } in &self.0 {
            // In this format the suffix belongs to the sample, and is written by the encoder.
            let name = name.strip_suffix("_total").unwrap_or(name);
            let kind = match kind {
                MetricKind::Counter => MetricType::Counter,
                MetricKind::Gauge => MetricType::Gauge,
                MetricKind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for Sample { labels, value } in samples {
                if labels.is_empty() {
                    write(&mut metric, kind, value)?;
                } else {
                    let labels: Vec<(Cow<'static, str>, &str)> =
                        labels.iter().map(|(name, of)| (name.clone(), of.as_str())).collect();
                    write(&mut metric.encode_family(&labels)?, kind, value)?;
                }
            }
        }
        Ok(())
    }
}

fn write(metric: &mut MetricEncoder, kind: MetricType, value: &Reading) -> fmt::Result {
    match (kind, value) {
        (MetricType::Counter, Reading::Count(count)) => {
            metric.encode_counter::<NoLabelSet, _, u64>(count, None)
        }
        (MetricType::Counter, Reading::Level(level)) => {
            metric.encode_counter::<NoLabelSet, _, u64>(level, None)
        }
        (_, Reading::Count(count)) => metric.encode_gauge(count),
        (_, Reading::Level(level)) => metric.encode_gauge(level),
        (_, Reading::Spans { count, sum, buckets }) => {
            let bound =
                |&(bound, count): &(Option<f64>, u64)| (bound.unwrap_or(f64::INFINITY), count);
            let buckets: Vec<(f64, u64)> = buckets.iter().map(bound).collect();
            metric.encode_histogram::<NoLabelSet>(*sum, *count, &buckets, None)
        }
    }
}
