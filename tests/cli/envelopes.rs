//! Lines that travel compressed, or belong to a trace.

use std::fs;

use super::world::{Running, World, eventually};

const CONTEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_trace_goes_from_pub_through_the_logs_of_all_nodes_to_sub() {
    let world = World::new();
    world.start("line -n 3 --log debug");
    let mut sub = Running::spawn(world.command("sub lab --node 3 --json"));
    sub.first_line(|| drop(world.ok("send-message 1 probe")));
    let text = "the same words again ".repeat(50);
    let words = format!("pub lab --node 1 --compress --traceparent {CONTEXT}");
    let said = world.feed(&words, format!("{text}\n").as_bytes());
    assert_eq!(said.code, 0, "{said:?}");
    let message = std::iter::repeat_with(|| sub.line()).find(|line| !line.contains("probe"));
    let message: serde_json::Value = serde_json::from_str(&message.unwrap()).unwrap();
    assert_eq!(message["text"].as_str(), Some(text.as_str()));
    assert_eq!(message["traceparent"], CONTEXT);
    for node in 1..=3 {
        let log = world.lab().join(format!("logs/{node}.log"));
        let steps = ["delivered", if node == 1 { "sent" } else { "heard" }];
        eventually("its steps are in the log", || {
            let log = fs::read_to_string(&log).unwrap();
            let traced = || log.lines().filter(|line| line.contains(CONTEXT));
            steps.iter().all(|step| traced().any(|line| line.contains(&format!(": {step} "))))
        });
    }
    let wrong = world.feed("pub lab --traceparent 00-xyz", b"x\n");
    assert!(wrong.code == 2 && wrong.err.contains("not a traceparent"), "{wrong:?}");
}

#[test]
fn a_compressed_bench_puts_less_on_the_links() {
    let world = World::new();
    let bytes = |words: &str| -> f64 {
        let words = format!("bench topic --nodes 3 --messages 300 --probes 5 --json {words}");
        let line: serde_json::Value = serde_json::from_str(world.ok(&words).trim()).unwrap();
        assert_eq!((&line["lost"], &line["corrupt"]), (&0.into(), &0.into()));
        line["wire_bytes_per_byte"].as_f64().unwrap()
    };
    let (plain, packed) = (bytes("--payload text"), bytes("--payload text --compress"));
    assert!(packed < plain / 2.0, "{packed} of {plain}");
    let (plain, packed) = (bytes("--codec json"), bytes("--codec json --compress"));
    // Random letters are no smaller, but what JSON writes around them may be.
    assert!(packed < 1.2 * plain, "{packed} of {plain}");
}
