//! `gossip bench`: what it shows, and how it ends.

use nix::sys::signal::Signal;
use serde_json::Value;

use super::world::{Running, World};

const SMALL: &str = "bench topic --nodes 4 --messages 200 --probes 10 --json";

/// The keys every line has.
const KEYS: [&str; 45] = [
    "system",
    "nodes",
    "subscribers",
    "topology",
    "seed",
    "transport",
    "codec",
    "payload",
    "compressed",
    "publishers",
    "window",
    "rate",
    "probes",
    "size",
    "messages",
    "deliveries",
    "msgs_per_s",
    "deliveries_per_s",
    "mb_per_s",
    "cpu_us_per_delivery",
    "lat_p50_us",
    "lat_p90_us",
    "lat_p99_us",
    "lat_max_us",
    "last_p50_us",
    "last_p90_us",
    "last_p99_us",
    "last_max_us",
    "lost",
    "duplicates",
    "out_of_order",
    "corrupt",
    "waited",
    "copies",
    "gaps",
    "repairs",
    "batches",
    "by_tree",
    "wire_bytes",
    "copies_per_delivery",
    "wire_bytes_per_byte",
    "rss_mib",
    "rss_end_mib",
    "rss_course_mib",
    "load_s",
];

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_size_is_a_line_with_all_its_keys_and_nothing_is_lost() {
    let lines = lines(&World::new().ok(&format!("{SMALL} --size 100,5000 --seed 7")));
    assert_eq!(lines.len(), 2);
    for (line, size) in lines.iter().zip([100, 5_000]) {
        let keys = line.as_object().unwrap();
        assert!(KEYS.iter().all(|key| keys.contains_key(*key)), "{line}");
        assert_eq!(line["size"], size);
        assert_eq!((&line["nodes"], &line["messages"]), (&4.into(), &200.into()));
        assert_eq!((&line["deliveries"], &line["seed"]), (&600.into(), &7.into()));
        for none in ["lost", "duplicates", "corrupt"] {
            assert_eq!(line[none], 0, "{none}: {line}");
        }
        for some in ["msgs_per_s", "cpu_us_per_delivery", "lat_p50_us", "last_p99_us", "rss_mib"] {
            assert!(line[some].as_f64().unwrap() > 0.0, "{some}: {line}");
        }
        assert!(line["last_max_us"].as_f64() >= line["lat_p50_us"].as_f64(), "{line}");
    }
}

#[test]
fn values_codecs_transports_and_subscribers_can_be_chosen() {
    let world = World::new();
    for words in [
        "--codec cbor --transport memory --topology line",
        "--codec json --transport websocket --subscribers 3",
        "--codec msgpack --transport quic --topology powerlaw 1",
    ] {
        let line = lines(&world.ok(&format!("{SMALL} {words}"))).remove(0);
        let each = if words.contains("subscribers") { 9 } else { 3 };
        assert_eq!((&line["lost"], &line["deliveries"]), (&0.into(), &(200 * each).into()));
    }
}

#[test]
fn several_publish_and_all_read_all_of_them() {
    let words = "--publishers 4 --window 32 --topology circular";
    let line = lines(&World::new().ok(&format!("{SMALL} {words}"))).remove(0);
    assert_eq!((&line["publishers"], &line["deliveries"]), (&4.into(), &600.into()));
    assert_eq!((&line["lost"], &line["out_of_order"]), (&0.into(), &0.into()), "{line}");
    assert!(line["last_p50_us"].as_f64().unwrap() > 0.0, "{line}");
}

#[test]
fn a_soak_holds_its_rate_and_looks_at_the_memory() {
    let out = World::new().ok("bench topic --nodes 3 --probes 0 --rate 100 --for 2s --json");
    let line = lines(&out).remove(0);
    assert_eq!((&line["rate"], &line["messages"]), (&100.into(), &200.into()));
    assert!((1.9..10.0).contains(&line["load_s"].as_f64().unwrap()), "{line}");
    let course = line["rss_course_mib"].as_array().unwrap();
    assert!((10..=21).contains(&course.len()), "{line}");
    assert!(course.iter().all(|mib| mib.as_f64().unwrap() > 1.0), "{line}");
}

#[test]
fn gossipsub_does_the_same_work_beside_and_its_losses_are_not_ours() {
    let lines = lines(&World::new().ok(&format!("{SMALL} --beside gossipsub")));
    let [ours, theirs] = &lines[..] else { panic!("two lines: {lines:?}") };
    assert_eq!((&ours["system"], &ours["lost"]), (&"gossip-mesh".into(), &0.into()));
    assert_eq!((&theirs["system"], &theirs["topology"]), (&"gossipsub".into(), &ours["topology"]));
    assert_eq!(&theirs["transport"], "tcp");
    assert!(theirs["lost"].is_u64() && ours["ratio"].is_null());
    assert!(theirs.get("repairs").is_none(), "gossipsub counts nothing: {theirs}");
    for ratio in ["deliveries_per_s", "cpu_us_per_delivery", "lat_p50_us", "last_p50_us"] {
        assert!(theirs["ratio"][ratio].as_f64().unwrap() > 0.0, "{ratio}: {theirs}");
    }
}

#[test]
fn people_get_a_table_with_a_column_for_each_size() {
    let out = World::new().ok("bench topic --nodes 3 --messages 50 --probes 5 --size 8,2048");
    let mut lines = out.lines();
    assert!(lines.next().unwrap().starts_with("gossip-mesh: 3 nodes, random, degree 2 (seed 1)"));
    let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["8", "B", "2", "KiB"]);
    assert!(out.contains("lost deliveries") && out.contains("processor us per delivery"), "{out}");
}

#[test]
fn a_lab_that_runs_is_measured_through_its_local_api() {
    let world = World::new();
    world.start("-n 4");
    let line = lines(&world.ok("bench topic --lab --messages 100 --probes 5 --json")).remove(0);
    assert_eq!((&line["nodes"], &line["deliveries"]), (&4.into(), &300.into()));
    assert_eq!((&line["lost"], &line["seed"]), (&0.into(), &Value::Null));
    assert!(line["system"].as_str().unwrap().contains("local API"), "{line}");
    assert!(line["rss_mib"].as_f64().unwrap() > 0.0, "{line}");
    let said = world.run("bench topic --lab --size 2000000 --messages 1");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("2000000 bytes and at most 1048576 are allowed"), "{said:?}");
}

#[test]
fn ctrl_c_shows_what_was_measured_so_far() {
    let world = World::new();
    let words = "bench topic --nodes 3 --size 8,16 --messages 50 --probes 400 --json";
    let mut bench = Running::spawn(world.command(words));
    assert!(bench.line().contains("\"size\":8,"));
    // The probes of the second size take two seconds.
    bench.signal(Signal::SIGINT);
    let rest = bench.line();
    assert_eq!(bench.end(), Some(0), "{rest}");
    if !rest.is_empty() {
        let line: Value = serde_json::from_str(&rest).unwrap();
        assert_eq!((&line["size"], &line["messages"]), (&16.into(), &0.into()));
        assert_eq!((&line["lost"], &line["msgs_per_s"]), (&0.into(), &Value::Null));
    }
}

#[test]
fn what_cannot_be_measured_is_said_in_one_sentence() {
    let world = World::new();
    let cases = [
        ("--nodes 1", 2, "1 is not in 2..=1000"),
        ("--size 4", 2, "4 is not in 8..="),
        ("--topology tree", 2, "there is no network shape called \"tree\""),
        ("--topology random x", 2, "\"x\" is not a number"),
        ("--topology random 7 --nodes 4", 2, "degree 7 needs at least 8 nodes"),
        ("--transport udp", 2, "expected tcp, quic, websocket or memory"),
        ("--codec xml", 2, "invalid value 'xml'"),
        ("--lab --nodes 4", 2, "cannot be used with"),
        ("--nodes 4 --publishers 5", 2, "5 of 4 nodes cannot publish"),
        ("--for 10s", 2, "--rate <R>"),
        ("--rate 5 --for soon", 2, "a time has the form"),
        ("--beside gossipsub --codec json", 2, "cannot be used with"),
        ("--rate 5 --for 0s", 2, "give more than no time"),
        ("--rate 10000000 --for 1h", 2, "lower --rate or --for"),
        ("--nodes 1000 --subscribers 1000 --messages 100000000", 2, "GiB of memory"),
        ("--data here", 2, "name one by --lab or --network"),
        ("--lab", 1, "network \"lab\""),
        ("--nodes 2 --size 2000000", 1, "1048576 are allowed"),
    ];
    for (words, code, sentence) in cases {
        let said = world.run(&format!("bench topic {words}"));
        assert_eq!(said.code, code, "{words}: {said:?}");
        assert!(said.err.contains(sentence) && said.out.is_empty(), "{words}: {said:?}");
    }
}
