//! Wrong input: one clear sentence, the exit code as documented, nothing left running.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use super::world::{World, eventually};

#[track_caller]
fn refused(world: &World, words: &str, code: i32, sentence: &str) {
    let said = world.run(words);
    assert_eq!(said.code, code, "gossip {words}: {said:?}");
    assert!(said.err.contains(sentence), "gossip {words}: {said:?}");
    assert!(said.out.is_empty(), "gossip {words}: {said:?}");
    assert!(world.processes().is_empty(), "gossip {words} left something running");
}

#[test]
fn a_network_that_cannot_be_is_refused() {
    let world = World::new();
    refused(&world, "start-network random 5 -n 7", 2, "because 7 times 5 is odd");
    refused(&world, "start-network random 0", 2, "with degree 0 no node has a neighbour");
    refused(&world, "start-network random 16", 2, "needs at least 17 nodes");
    refused(&world, "start-network -n 0", 2, "a network of 0 nodes is none");
    refused(&world, "start-network -n 100000", 1, "this machine");
    refused(&world, "start-network -n 99999999999999", 1, "it can hold about");
    refused(&world, "start-network --base-port 65530", 2, "ports are 1 to 65535");
    refused(&world, "start-network --base-port 0", 2, "ports are 1 to 65535");
    refused(&world, "start-network triangular", 2, "no network shape called \"triangular\"");
    refused(&world, "start-network star 4", 2, "takes no number");
    refused(&world, "start-network --nodes=many", 2, "invalid value 'many'");
    refused(&world, "start-network --plot=map.bmp", 2, "give .svg, .png, .dot or .json");
    refused(&world, "start-network --plot=/nowhere/map.svg", 1, "cannot be written");
    refused(&world, "start-network --network=", 2, "a name must not be empty");
    refused(&world, "start-netwrk", 2, "start-network");
}

#[test]
fn one_node_is_a_network() {
    let world = World::new();
    world.start("-n 1");
    assert!(world.ok("send-message 1 alone --wait").contains("1 of 1"));
    assert!(world.ok("list-peers 1").contains("no neighbours"));
    assert_eq!(world.ok("list-peers 1 --json"), "[]\n");
}

#[test]
fn without_a_network_every_command_says_so() {
    let world = World::new();
    let sentence = "no network \"lab\" is running: start one with `gossip start-network`";
    for words in [
        "status",
        "send-message 1 x",
        "get-messages 1",
        "remove-node 1",
        "list-peers 1",
        "plot",
        "plot --live",
        "events",
        "fault cut 1 2",
        "fault split 1 2",
        "fault pause 1",
        "fault restart 1",
        "fault heal",
        "fault list",
    ] {
        refused(&world, words, 1, sentence);
    }
}

#[test]
fn a_node_that_is_not_there_is_told_with_those_that_are() {
    let world = World::new();
    world.start("-n 3");
    let said = world.run("send-message 99 x");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("no node \"99\"") && said.err.contains("nodes 1 to 3"), "{said:?}");
    let said = world.run("get-messages 12D3");
    assert!(said.err.contains("may be any of the nodes 1, 2, 3"), "{said:?}");
    let id = world.status()["nodes"][1]["peer_id"].as_str().unwrap().to_owned();
    for name in ["node-2", id.as_str(), &id[..20]] {
        assert!(world.ok(&format!("get-messages {name}")).contains("of node 2"));
    }
}

#[test]
fn any_bytes_are_a_message_and_too_many_are_none() {
    let world = World::new();
    world.start("-n 2");
    let all = "2 of 2 nodes hold it";
    let mut empty = world.command("send-message 1");
    let empty = empty.args(["", "--wait"]).output().unwrap();
    assert!(String::from_utf8_lossy(&empty.stdout).contains(all));
    for bytes in [&b"line\nbreak\0nul"[..], b"\xff\xfe", &[0; 1_000_000], &[b'"'; 1_048_576]] {
        let said = world.feed("send-message 1 - --wait", bytes);
        assert!(said.out.contains(all), "{said:?}");
    }
    for size in [1_048_577, 30_000_000] {
        let said = world.feed("send-message 1 -", &vec![b'a'; size]);
        assert_eq!(said.code, 1, "{said:?}");
        let sentence = format!("the message has {size} bytes and at most 1048576 are allowed");
        assert!(said.err.contains(&sentence), "{said:?}");
    }
    let shown = world.ok("get-messages 2");
    assert!(shown.contains("  • (empty)\n"), "the empty one is shown");
    assert!(shown.contains("  • line\\nbreak\\0nul\n") && shown.contains("  • \\xff\\xfe\n"));
}

#[test]
fn wrong_numbers_and_words_are_wrong_usage() {
    let world = World::new();
    for words in [
        "send-message 1 x --relays=0",
        "send-message 1 x --relays=256",
        "send-message 1 x --wait --timeout=0",
        "send-message 1 x --wait --timeout=-1",
        "send-message 1 x --wait --timeout=NaN",
        "send-message 1",
        "get-messages 1 some",
        "list-peers 1 --depth 0",
        "fault",
        "fault cut 1",
        "fault delay 1 2 soon",
        "fault delay 1 2 -5ms",
        "fault loss 1 2 100%",
        "fault loss 1 2 -1%",
        "fault loss 1 2 NaN",
        "fault rate 1 2 0",
        "fault split",
        "plot --layout spiral",
        "plot --output picture.gif",
        "completions tcsh",
        "man send-massage",
        "node --listen nowhere",
        "",
    ] {
        let said = world.run(words);
        assert_eq!(said.code, 2, "gossip {words}: {said:?}");
        assert!(!said.err.is_empty(), "gossip {words}");
    }
    refused(&world, "node --listen 127.0.0.1:1", 2, "/ip4/127.0.0.1/tcp/21710");
    refused(&world, "node --foreign /ip4/127.0.0.1/tcp/0", 2, "name some by --topic");
    refused(&world, "node --api 127.0.0.1:0", 2, "give one by --data");
}

#[test]
fn what_can_be_no_topic_is_refused_at_once_also_without_a_network() {
    let world = World::new();
    let long = "t".repeat(300);
    for (topic, reason) in [("a/*", "stand for many topics"), (&long, "this one has 300")] {
        let said = world.feed(&format!("pub {topic} --network home"), b"hello\n");
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
        assert!(said.err.contains(reason) && !said.err.contains(&long), "{said:?}");
    }
    // Of the two networks that are looked for the lab is the one to begin with.
    refused(&world, "sub chat --node 3", 1, "no network \"lab\" is running");
}

#[test]
fn a_port_in_use_is_told_with_who_uses_it() {
    let world = World::new();
    let taken = TcpListener::bind(("127.0.0.1", world.port + 2)).unwrap();
    let words = format!("start-network -n 4 --base-port {}", world.port);
    refused(&world, &words, 1, &format!("port {} is in use by", world.port + 2));
    refused(&world, &words, 1, &format!("(process {})", std::process::id()));
    drop(taken);
    // A process that another test begins in this moment may still hold it for a while.
    eventually("the port is free", || world.run(&words.replace("-n 4", "-n 4 --detach")).code == 0);
}

#[test]
fn a_second_network_of_one_name_is_refused_and_harms_nothing() {
    let world = World::new();
    world.start("-n 2");
    let said = world.run(&format!("start-network -n 2 --base-port {}", world.port + 10));
    assert_eq!(said.code, 1);
    assert!(said.err.contains("is running already") && said.err.contains("stop-network"));
    assert!(world.ok("send-message 1 x --wait").contains("2 of 2"));
}

#[test]
fn a_state_folder_that_cannot_be_written_is_refused() {
    let world = World::new();
    let file = world.folder().join("file");
    fs::write(&file, "").unwrap();
    let words = format!("start-network -n 2 --data {}", file.display());
    refused(&world, &words, 1, "cannot be made");
    refused(&world, "start-network -n 2 --data /proc/nowhere", 1, "give another one by --data");
}

#[test]
fn broken_settings_are_shown_with_their_line() {
    let world = World::new();
    let file = world.folder().join("node.toml");
    let words = format!("node --config {}", file.display());
    refused(&world, &words, 1, "cannot be read");
    fs::write(&file, "preset = \"lab\"\nname = 5\n").unwrap();
    refused(&world, &words, 2, "2 | name = 5");
    fs::write(&file, "preset = \"lab\"\nmdns = true\n[link]\nmax_links = 0\n").unwrap();
    refused(&world, &words, 2, "2 settings are wrong");
}

#[test]
fn key_files_others_can_read_are_refused() {
    let world = World::new();
    let key = world.folder().join("net.key");
    let words = format!("node --preset lab --network-key-file {}", key.display());
    refused(&world, &words, 1, "no such network key file");
    fs::write(&key, "5a".repeat(32)).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&world, &words, 1, "run `chmod 600");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "short").unwrap();
    refused(&world, &words, 1, "64 hexadecimal digits");
}
