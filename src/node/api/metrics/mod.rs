//! What a node measures of itself, for Prometheus and for whoever reads JSON.
//!
//! ```text
//!   table.rs  every metric there is: one line each, with its name, what it says, and its value
//!   metric.rs one metric with its samples, as JSON has it
//!   text.rs   all of them in the text format of OpenMetrics
//! ```
//!
//! The names follow the conventions of Prometheus: they begin with `gossip_`, counters end in
//! `_total`, units are seconds and bytes. A counter begins at zero with each start of the node. No
//! label takes more values than there are reasons, standings, or links up to `MAX_PEERS`.

mod metric;
mod table;
mod text;

pub use metric::{Metric, MetricKind, Reading, Sample};
pub(super) use table::metrics;
pub(super) use text::{OPEN_METRICS, text};
