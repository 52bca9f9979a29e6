//! What a node measures is what was done with it.
#![cfg(feature = "api")]
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossip_mesh::api::{Metric, MetricKind, Reading};
use gossip_mesh::{Config, Node, Raw, Topic};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use nodes::{eventually, knows_readers, lab, linked, take, within};

mod nodes;

const NEWS: Topic<Vec<u8>, Raw> = Topic::new("news");

/// A node with a local API.
struct Measured {
    data: TempDir,
    node: Node,
}

impl Measured {
    async fn spawn(config: Config, name: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let node = Node::builder().config(config).name(name).data(data.path()).spawn().await;
        Self { data, node: node.unwrap() }
    }

    /// `GET /v1/metrics`: the head of the answer, and its body.
    async fn ask(&self, headers: &str) -> (String, String) {
        let mut stream = UnixStream::connect(self.data.path().join("api.sock")).await.unwrap();
        let request =
            format!("GET /v1/metrics HTTP/1.1\r\nhost: n\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        (head.to_lowercase(), body.to_owned())
    }

    async fn text(&self) -> String {
        self.ask("").await.1
    }

    async fn metrics(&self) -> Vec<Metric> {
        let (head, body) = self.ask("accept: application/json\r\n").await;
        assert!(head.contains("content-type: application/json"), "{head}");
        serde_json::from_str(&body).unwrap()
    }

    /// The value of a series, as `name` or `name{label="value"}`.
    async fn value(&self, series: &str) -> f64 {
        let text = self.text().await;
        let found = parse(&text).remove(series);
        found.unwrap_or_else(|| panic!("there is no {series} in\n{text}"))
    }
}

/// The text of OpenMetrics taken apart by its rules; fails upon any line that breaks one.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut series = BTreeMap::new();
    let (mut helps, mut kinds) = (BTreeSet::new(), BTreeMap::new());
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(!help.is_empty() && helps.insert(name), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helps.contains(name) && kinds.insert(name, kind).is_none(), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            let family = name.split('{').next().unwrap();
            let suffixes = ["_total", "_bucket", "_count", "_sum"];
            let kind = kinds.get(family).map(|kind| (*kind, "")).or_else(|| {
                let of = |suffix: &&'static str| {
                    Some((*kinds.get(family.strip_suffix(*suffix)?)?, *suffix))
                };
                suffixes.iter().find_map(of)
            });
            match kind.unwrap_or_else(|| panic!("without a type: {line}")) {
                ("counter", "_total") => assert!(value >= 0.0, "{line}"),
                ("gauge", "") | ("histogram", "_bucket" | "_count" | "_sum") => {}
                other => panic!("{other:?}: {line}"),
            }
            assert!(family.starts_with("gossip_"), "{line}");
            assert!(family.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
            assert!(series.insert(name.to_owned(), value).is_none(), "twice: {line}");
        }
    }
    assert_eq!(helps, kinds.keys().copied().collect());
    series
}

/// Two linked nodes that read the topic, and their settings in the second's folder.
async fn pair() -> (Measured, Measured) {
    let one = Measured::spawn(lab(), "one").await;
    let mut config = lab();
    config.bootstrap = vec![nodes::address(&one.node).await];
    let two = Measured::spawn(config, "two").await;
    linked(&one.node, &two.node).await;
    (one, two)
}

#[tokio::test]
async fn the_counters_of_a_scripted_run_are_what_was_done() {
    let (one, two) = pair().await;
    let mut at_one = one.node.subscribe(NEWS).own_messages().await.unwrap();
    let mut at_two = two.node.subscribe(NEWS).await.unwrap();
    knows_readers(&one.node, "news", &[&two.node]).await;
    knows_readers(&two.node, "news", &[&one.node]).await;
    for number in 0..7 {
        one.node.publish(NEWS, &vec![number; 10]).await.unwrap();
    }
    two.node.publish(NEWS, &vec![9; 100]).await.unwrap();
    assert_eq!(take(&mut at_one, 8).await.len(), 8);
    assert_eq!(take(&mut at_two, 7).await.len(), 7);
    let too_large = vec![0; one.node.config().topic.max_message_bytes + 1];
    one.node.publish(NEWS, &too_large).await.unwrap_err();
    one.node.publish(Topic::<Vec<u8>, Raw>::named(""), &vec![1]).await.unwrap_err();

    for (measured, series, value) in [
        (&one, "gossip_messages_published_total", 7.0),
        (&one, "gossip_messages_received_total", 1.0),
        (&one, "gossip_messages_delivered_total", 8.0),
        (&one, "gossip_delivered_bytes_total", 170.0),
        (&one, "gossip_publish_refused_total{reason=\"too_large\"}", 1.0),
        (&one, "gossip_publish_refused_total{reason=\"bad_name\"}", 1.0),
        (&one, "gossip_publish_refused_total{reason=\"waiting_full\"}", 0.0),
        (&one, "gossip_kept_messages", 8.0),
        (&one, "gossip_kept_bytes", 170.0),
        (&one, "gossip_waiting_messages", 0.0),
        (&one, "gossip_subscriptions", 1.0),
        (&one, "gossip_undelivered_messages", 0.0),
        (&one, "gossip_links", 1.0),
        (&one, "gossip_links_opened_total", 1.0),
        (&one, "gossip_reconnects_total", 0.0),
        (&one, "gossip_members{standing=\"alive\"}", 2.0),
        (&one, "gossip_members{standing=\"down\"}", 0.0),
        (&two, "gossip_messages_published_total", 1.0),
        (&two, "gossip_messages_received_total", 7.0),
        (&two, "gossip_messages_delivered_total", 7.0),
        (&two, "gossip_delivered_bytes_total", 70.0),
    ] {
        assert_eq!(measured.value(series).await, value, "{series} of {}", measured.node.name());
    }
    // What one sent the other received, and as often as it was sent.
    let sent = one.value("gossip_carrier_sent_bytes_total{carrier=\"gossipsub\"}").await;
    let came = two.value("gossip_carrier_received_bytes_total{carrier=\"gossipsub\"}").await;
    assert!(sent > 70.0 && came == sent, "{sent} bytes were sent, and {came} came");
    nodes::leave([one.node, two.node]).await;
}

#[tokio::test]
async fn who_leaves_and_comes_back_is_a_reconnect() {
    let (one, two) = pair().await;
    let config = two.node.config().clone();
    two.node.leave().await.unwrap();
    eventually("the end of the link", || async { one.value("gossip_links").await == 0.0 }).await;
    assert_eq!(one.value("gossip_links_closed_total").await, 1.0);
    assert_eq!(one.value("gossip_members{standing=\"left\"}").await, 1.0);

    let again = Measured { node: nodes::spawn(config).await, data: two.data };
    linked(&one.node, &again.node).await;
    for (measured, opened, reconnects) in [(&one, 2.0, 1.0), (&again, 1.0, 0.0)] {
        assert_eq!(measured.value("gossip_links_opened_total").await, opened);
        assert_eq!(measured.value("gossip_reconnects_total").await, reconnects);
    }
    nodes::leave([one.node, again.node]).await;
}

#[tokio::test]
async fn a_link_that_is_ended_is_made_again_and_each_is_counted() {
    let (one, two) = pair().await;
    // The other side knows nothing of it, and tries again.
    two.node.disconnect(one.node.id()).await.unwrap();
    eventually("the end", || async { one.value("gossip_links_closed_total").await > 0.0 }).await;
    two.node.connect(nodes::address(&one.node).await).await.unwrap();
    for measured in [&one, &two] {
        let what = "a link, and what came before";
        eventually(what, || async {
            let series = parse(&measured.text().await);
            let [links, opened, closed, again] = [
                series["gossip_links"],
                series["gossip_links_opened_total"],
                series["gossip_links_closed_total"],
                series["gossip_reconnects_total"],
            ];
            assert_eq!((links, again), (opened - closed, opened - 1.0));
            links == 1.0 && again > 0.0
        })
        .await;
    }
    nodes::leave([one.node, two.node]).await;
}

#[tokio::test]
async fn what_a_slow_subscription_missed_is_counted_with_its_reason() {
    let mut config = lab();
    config.topic.max_undelivered = 4;
    let measured = Measured::spawn(config, "slow").await;
    let mut reading = measured.node.subscribe(NEWS).own_messages().await.unwrap();
    for _ in 0..10 {
        measured.node.publish(NEWS, &vec![1, 2]).await.unwrap();
    }
    let missed = "gossip_messages_dropped_total{reason=\"slow_subscription\"}";
    assert_eq!(measured.value(missed).await, 6.0);
    assert_eq!(measured.value("gossip_undelivered_messages").await, 4.0);
    assert_eq!(measured.value("gossip_subscription_lag_messages").await, 4.0);
    take(&mut reading, 4).await;
    assert_eq!(measured.value("gossip_subscription_lag_messages").await, 0.0);
    assert_eq!(measured.value("gossip_waiting_messages").await, 10.0);
    nodes::leave([measured.node]).await;
}

#[tokio::test]
async fn the_loop_and_the_links_are_timed() {
    let (one, two) = pair().await;
    let peer = two.node.id().short();
    let round_trip = format!("gossip_link_round_trip_seconds{{name=\"two\",peer=\"{peer}\"}}");
    eventually("a round trip", || async { parse(&one.text().await).contains_key(&round_trip) })
        .await;
    let took = one.value(&round_trip).await;
    assert!(took > 0.0 && took < 5.0, "{took}");

    let series = parse(&one.text().await);
    for histogram in ["gossip_loop_lag_seconds", "gossip_loop_turn_seconds"] {
        let count = series[&format!("{histogram}_count")];
        let sum = series[&format!("{histogram}_sum")];
        assert!(count > 0.0 && (0.0..60.0).contains(&sum), "{histogram}: {count}, {sum}");
        assert_eq!(series[&format!("{histogram}_bucket{{le=\"+Inf\"}}")], count);
    }
    // A tick without a deadline is none that could be late.
    assert!(series["gossip_loop_ticks_total"] >= series["gossip_loop_lag_seconds_count"]);
    nodes::leave([one.node, two.node]).await;
}

#[tokio::test]
async fn text_and_json_tell_the_same_and_say_what_they_are() {
    let measured = Measured::spawn(lab(), "a \"quoted\\ name").await;
    let (head, text) = measured.ask("").await;
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(text.contains(r#"name="a \"quoted\\ name""#), "{text}");
    let series = parse(&text);
    let metrics = measured.metrics().await;
    for metric in &metrics {
        let name = &metric.name;
        assert_eq!(metric.kind == MetricKind::Counter, name.ends_with("_total"), "{name}");
        for sample in metric.samples.iter().filter(|sample| sample.labels.is_empty()) {
            match &sample.value {
                Reading::Spans { count, buckets, .. } => {
                    assert!(series.contains_key(&format!("{name}_count")), "{name}");
                    let counted: u64 = buckets.iter().map(|(_, count)| *count).sum();
                    assert_eq!(*count, counted, "{name}");
                }
                _ => assert!(series.contains_key(name.as_ref()), "{name}"),
            }
        }
    }
    let names: BTreeSet<_> = metrics.iter().map(|metric| &metric.name).collect();
    assert_eq!(names.len(), metrics.len(), "a name is given twice");
    assert!(tokio::time::timeout(Duration::from_secs(5), measured.node.leave()).await.is_ok());
}
