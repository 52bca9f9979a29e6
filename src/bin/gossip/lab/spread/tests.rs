//! Trees from what nodes say.

use gossip_mesh::api::MessageView;
use gossip_mesh::{Hop, Life, MessageId, NodeId, SecretKey, WallTime, Way};
use jiff::tz::TimeZone;

use super::{Spread, json, svg, text};

const SENT: u64 = 1_795_176_271_182_000;

fn id(number: usize) -> NodeId {
    SecretKey::from_seed([u8::try_from(number).unwrap(); 32]).id()
}

fn number(node: NodeId) -> Option<usize> {
    (1..=9).find(|number| id(*number) == node)
}

fn name(node: NodeId) -> String {
    format!("node {}", number(node).unwrap())
}

/// What the last of the hops of the first way says; each is a node and its milliseconds.
fn says(ways: &[&[(usize, u64)]], complete: bool) -> MessageView {
    let hop = |(number, millis): &(usize, u64)| Hop {
        node: id(*number),
        at: WallTime(SENT + millis * 1_000),
    };
    let way = |hops: &&[(usize, u64)]| Way { hops: hops.iter().map(hop).collect(), complete };
    MessageView {
        id: MessageId { author: id(4), life: Life(7), topic: "lab".to_owned(), number: 1 },
        foreign_author: None,
        sent_us: SENT,
        received_us: SENT + ways[0].last().unwrap().1 * 1_000,
        text: Some("apple".to_owned()),
        payload_base64: None,
        traceparent: None,
        missed: 0,
        lagged: 0,
        was_read: false,
        earlier: false,
        ways: ways.iter().map(way).collect(),
    }
}

fn example() -> Spread {
    let own = says(&[&[(4, 0)]], true);
    let mut spread = Spread::new(&own);
    spread.add(id(4), &own);
    spread.add(id(9), &says(&[&[(4, 0), (9, 1)], &[(4, 0), (2, 2), (9, 3)]], true));
    spread.add(id(8), &says(&[&[(4, 0), (9, 1), (8, 3)]], true));
    // Node 2 was not asked: it is known from what it told others.
    spread.add(id(5), &says(&[&[(4, 0), (2, 2), (5, 4)]], true));
    spread.missing = vec![id(7)];
    spread.silent = vec![id(2)];
    spread
}

#[test]
fn the_tree_hangs_each_node_below_the_one_that_brought_its_first_copy() {
    let trace = example().id.trace();
    assert_eq!(
        text(&example(), &name, &TimeZone::UTC),
        format!(
            "message 1 of node 4 on topic lab: apple
sent 12:04:31.182, trace {trace}
4 of 5 nodes hold it; 2 hops at most; the last after 4.0 ms; 1.3 copies per node
node 4
├── node 9  +1.0 ms  2 copies
│   └── node 8  +2.0 ms, after 3.0 ms  1 copy
└── node 2  +2.0 ms  passed it on
    └── node 5  +2.0 ms, after 4.0 ms  1 copy
missing: node 7
no answer: node 2
"
        )
    );
}

#[test]
fn a_way_without_its_beginning_is_a_tree_of_its_own() {
    let mut spread = example();
    spread.add(id(3), &says(&[&[(1, 4), (3, 3)]], false));
    let shown = text(&spread, &name, &TimeZone::UTC);
    assert!(shown.contains("… → node 1  passed it on\n└── node 3  -1.0 ms  1 copy\n"), "{shown}");
}

#[test]
fn a_circle_is_shown_once_and_ends() {
    let own = says(&[&[(4, 0)]], true);
    let mut spread = Spread::new(&own);
    spread.add(id(1), &says(&[&[(2, 1), (1, 2)]], false));
    spread.add(id(2), &says(&[&[(1, 1), (2, 2)]], false));
    assert_eq!(spread.branches().len(), 3);
    assert_eq!(text(&spread, &name, &TimeZone::UTC).lines().count(), 3 + 3);
}

#[test]
fn as_data_it_says_the_same() {
    let data = json(&example(), &number);
    assert_eq!(data["holders"], 4);
    assert_eq!(data["readers"], 5);
    assert_eq!(data["last_us"], 4_000);
    assert_eq!(data["missing"][0]["node"], 7);
    let nodes = data["nodes"].as_array().unwrap();
    let eight = nodes.iter().find(|node| node["node"] == 8).unwrap();
    assert_eq!((&eight["from"]["node"], &eight["hops"]), (&9.into(), &2.into()));
    assert_eq!((&eight["edge_us"], &eight["copies"]), (&2_000.into(), &1.into()));
}

#[test]
fn the_picture_has_a_circle_for_each_node_and_a_line_for_each_first_copy() {
    let picture = svg(&example(), &|id| number(id).unwrap().to_string());
    assert_eq!(picture.matches("<circle").count(), 5);
    assert_eq!(picture.matches("<path").count(), 4);
    assert!(picture.contains("missing: 7; no answer: 2") && picture.contains("2.0 ms"));
    let mut hostile = example();
    hostile.id.topic = "<script>&\u{1}".to_owned();
    let picture = svg(&hostile, &|_| "\"<x>".to_owned());
    assert!(!picture.contains("<script>") && !picture.contains("<x>"), "{picture}");
}
