//! The examples do what they say, and end by themselves.
#![cfg(feature = "net")]
#![cfg(test)]

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// `cargo test` builds the examples beside the tests.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: run `cargo test`, or `cargo build --examples` first",
        program.display()
    );
    program
}

/// Runs an example to its end and returns what it printed.
fn run(name: &str) -> String {
    let mut child = Command::new(built(name))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let (sender, printed) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        let _ = sender.send(text);
    });
    let Ok(text) = printed.recv_timeout(PATIENCE) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("{name} did not end within {PATIENCE:?}");
    };
    let status = child.wait().unwrap();
    assert!(status.success(), "{name}: {status}\n{text}");
    text
}

#[test]
fn hello_topic_hears_its_hello() {
    assert_eq!(run("hello_topic"), "two heard `hello`\n");
}

#[test]
fn ping_pong_plays_five_rounds() {
    let text = run("ping_pong");
    let rounds: Vec<&str> = text.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(rounds, ["ping 1", "ping 2", "ping 3", "ping 4", "ping 5"], "{text}");
}

#[test]
fn sixteen_nodes_all_have_it() {
    let text = run("sixteen_nodes");
    let holders = text.lines().filter(|line| line.ends_with("has it")).count();
    assert_eq!(holders, 16, "{text}");
    assert!(text.contains("16 of 16 after "), "{text}");
}

#[test]
fn own_discovery_finds_the_other_node() {
    assert_eq!(run("own_discovery"), "found through the registry\n");
}

#[test]
fn queue_group_shares_the_jobs_evenly() {
    let text = run("queue_group");
    let mut done: Vec<u32> =
        text.split(|c: char| !c.is_ascii_digit()).flat_map(str::parse).collect();
    done.sort_unstable();
    assert_eq!(done, [1, 2, 3, 4, 5, 6], "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn late_joiner_hears_what_was_said_before_and_then_what_is_new() {
    let before = "two was said before\nthree was said before\n";
    assert_eq!(run("late_joiner"), format!("{before}four is new\n"));
}

#[test]
fn busy_publisher_loses_nothing() {
    let text = run("busy_publisher");
    assert!(text.starts_with("100000 came and 0 were lost, within "), "{text}");
}
