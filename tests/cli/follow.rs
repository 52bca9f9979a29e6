//! What a network does with messages: the trees they took, what is counted, what the logs say.

use std::fs;

use serde_json::Value;

use super::world::{World, eventually};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_tree_of_a_line_is_the_line() {
    let world = World::new();
    world.start("line -n 4");
    assert!(world.ok("send-message 2 apple --wait").contains("4 of 4"));
    let tree = world.ok("trace");
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines[0], "message 1 of node 2 on topic lab: apple");
    assert!(
        lines[2].starts_with("4 of 4 nodes hold it; 2 hops at most; the last after "),
        "{tree}"
    );
    assert_eq!(lines[3], "node 2");
    // The two neighbours in either order, and node 4 below node 3.
    let place = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    assert!(place("─ node 1  +") > 3 && place("─ node 3  +") > 3, "{tree}");
    assert_eq!(place("└── node 4  +"), place("─ node 3  +") + 1, "{tree}");
    // A second copy is one that was asked for in vain, because the first was on its way.
    let copies = |line: &&str| line.ends_with("  1 copy") || line.ends_with("  2 copies");
    assert!(lines.iter().skip(4).all(copies), "{tree}");

    let data = json(&world.ok("trace 2/1 --json"));
    assert_eq!((&data["holders"], &data["readers"]), (&4.into(), &4.into()));
    let nodes = data["nodes"].as_array().unwrap();
    let from: Vec<(u64, Option<u64>)> = nodes
        .iter()
        .map(|node| (node["node"].as_u64().unwrap(), node["from"]["node"].as_u64()))
        .collect();
    for edge in [(2, None), (1, Some(2)), (3, Some(2)), (4, Some(3))] {
        assert!(from.contains(&edge), "{from:?}");
    }
    // A trace changes no mark.
    assert!(world.ok("get-messages 4").contains("(1)"));
}

#[test]
fn messages_are_named_by_number_topic_or_trace_id_and_drawn() {
    let world = World::new();
    world.start("-n 3 complete");
    for (node, text) in [(1, "a"), (1, "b"), (2, "c")] {
        world.ok(&format!("send-message {node} {text} --wait"));
    }
    let first = |words: &str| world.ok(words).lines().next().unwrap().to_owned();
    assert_eq!(first("trace"), "message 1 of node 2 on topic lab: c");
    assert_eq!(first("trace node-1/2"), "message 2 of node 1 on topic lab: b");
    let headings = |words: &str| {
        let shown = world.ok(words);
        shown.lines().filter(|line| line.starts_with("message ")).count()
    };
    assert_eq!(headings("trace lab --last 2"), 2);
    assert_eq!(headings("trace lab --last 9"), 3);
    let trace = json(&world.ok("trace 1/1 --json"))["trace"].as_str().unwrap().to_owned();
    assert_eq!(first(&format!("trace {}", &trace[..12])), "message 1 of node 1 on topic lab: a");

    let picture = world.folder().join("tree.svg");
    world.ok(&format!("trace 1/1 --output {}", picture.display()));
    let picture = fs::read_to_string(picture).unwrap();
    assert!(picture.starts_with("<svg") && picture.matches("<circle").count() == 3, "{picture}");
    let data = world.folder().join("tree.json");
    world.ok(&format!("trace 1/1 --output {}", data.display()));
    assert_eq!(json(&fs::read_to_string(data).unwrap())["trace"], trace);

    let mistakes = [
        ("trace 1/9", 1, "keeps a message"),
        ("trace nothing", 1, "keeps a message"),
        ("trace 1/1 --output tree.txt", 2, ".svg or .json"),
        ("trace lab --last 2 --output tree.svg", 2, "2 messages"),
        ("trace lab --last 0", 2, "--last"),
    ];
    for (words, code, part) in mistakes {
        let said = world.run(words);
        assert!(said.code == code && said.err.contains(part), "{words}: {said:?}");
    }
}

#[test]
fn who_has_nothing_and_who_does_not_answer_is_told() {
    let world = World::new();
    world.start("line -n 4");
    world.ok("fault split 1-2 3-4");
    world.ok("send-message 1 apple");
    eventually("node 2 has it", || world.ok("trace 1/1").contains("2 of 4 nodes"));
    let missing = world.ok("trace 1/1 --json");
    let missing = json(&missing)["missing"].as_array().unwrap().len();
    assert_eq!(missing, 2, "those of the other side");
    world.ok("fault pause 4");
    let tree = world.ok("trace 1/1");
    assert!(tree.ends_with("missing: node 3\nno answer: node 4\n"), "{tree}");
    world.ok("fault resume 4");
}

#[test]
fn the_metrics_of_a_lab_are_what_was_done_in_it() {
    let world = World::new();
    world.start("line -n 3");
    for text in ["a", "b", "c"] {
        world.ok(&format!("send-message 1 {text} --wait"));
    }
    world.ok("send-message 3 d --wait");
    let value = |node: usize, series: &str| -> f64 {
        let text = world.ok(&format!("metrics {node}"));
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")));
        line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
    };
    for (node, published, received) in [(1, 3.0, 1.0), (2, 0.0, 4.0), (3, 1.0, 3.0)] {
        assert_eq!(value(node, "gossip_messages_published_total"), published);
        assert_eq!(value(node, "gossip_messages_received_total"), received);
        // A node of a lab reads its own messages too.
        assert_eq!(value(node, "gossip_messages_delivered_total"), 4.0);
    }
    world.ok("fault kill 2");
    eventually("it is missed", || value(1, "gossip_links_closed_total") > 0.0);
    world.ok("fault restart 2");
    eventually("it is back", || value(1, "gossip_reconnects_total") > 0.0);

    let metrics = json(&world.ok("metrics 1 --json"));
    let published = metrics.as_array().unwrap().iter();
    let published = published.clone().find(|it| it["name"] == "gossip_messages_published_total");
    let published = published.unwrap();
    assert_eq!(
        (&published["kind"], &published["samples"][0]["value"]),
        (&"counter".into(), &3.into())
    );
    assert!(world.run("metrics 9").err.contains("there is no node"));
}

#[test]
fn one_search_for_its_trace_id_finds_a_message_in_the_logs_of_all_nodes_in_order() {
    let world = World::new();
    world.start("line -n 3 --log debug");
    world.ok("send-message 1 apple --wait");
    world.ok("send-message 2 pear --wait");
    let trace = json(&world.ok("trace 1/1 --json"))["trace"].as_str().unwrap().to_owned();
    // Of each node the events of this message, with their times.
    let events = |node: usize| -> Vec<(String, String)> {
        let log = fs::read_to_string(world.lab().join(format!("logs/{node}.log"))).unwrap();
        let lines = log.lines().filter(|line| line.contains(&format!("trace={trace}")));
        lines
            .map(|line| {
                let words = ["published", "sent", "heard", "delivered"];
                let word = words.iter().find(|word| line.contains(&format!(": {word} ")));
                let word = word.unwrap_or_else(|| panic!("{line}"));
                (line.split(' ').next().unwrap().to_owned(), (*word).to_owned())
            })
            .collect()
    };
    let words = |node| events(node).into_iter().map(|(_, word)| word).collect::<Vec<_>>();
    eventually("node 3 has delivered it", || words(3).contains(&"delivered".to_owned()));
    let mut at_author = words(1);
    assert_eq!(at_author[0], "published");
    // Its own readers need not wait for the carrier.
    at_author.sort();
    assert_eq!(at_author, ["delivered", "published", "sent"]);
    assert_eq!(words(2), ["heard", "delivered"]);
    assert_eq!(words(3), ["heard", "delivered"]);
    let at = |node, wanted: &str| {
        let found = events(node).into_iter().find(|(_, word)| word == wanted);
        found.unwrap().0
    };
    let times = [at(1, "published"), at(1, "sent"), at(2, "heard"), at(3, "heard")];
    assert!(times.is_sorted(), "{times:?}");

    // A node that is started again goes on writing as much.
    world.ok("fault kill 3");
    let before = words(3).len();
    world.ok("fault restart 3");
    assert_eq!(words(3).len(), before, "its log goes on");
    let wrong = world.run("start-network -n 2 --network two --log no=such=level");
    assert!(wrong.code == 2 && wrong.err.contains("--log"), "{wrong:?}");
}
