//! Nodes that run alone, and the filters `pub` and `sub`.

use std::io::Write;
use std::process::Stdio;

use nix::sys::signal::Signal;

use super::world::{Running, Said, World, eventually};

#[test]
fn two_nodes_meet_and_each_line_of_one_is_a_line_of_the_other() {
    let world = World::new();
    let listen = "--preset lab --network home --topic chat";
    let mut one = Running::spawn(world.command(&format!("node --name ada {listen}")));
    let address = one.line();
    assert!(address.starts_with("/ip4/127.0.0.1/tcp/") && address.contains("/p2p/"), "{address}");
    let join = format!("node --name bob {listen} --join {address}");
    let mut two = Running::spawn(world.command(&join));
    two.line_with("/p2p/");
    eventually("they see each other", || world.ok("list-peers ada --network home").contains("bob"));
    let said = world.feed("pub chat --network home --node bob", b"hello\nworld\n");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!((one.line(), one.line()), ("hello\n".to_owned(), "world\n".to_owned()));
    two.signal(Signal::SIGTERM);
    assert_eq!(two.end(), Some(0));
    eventually("it is seen as left", || {
        let status = world.run("list-peers ada --network home --json");
        status.out == "[]\n"
    });
    one.signal(Signal::SIGINT);
    assert_eq!(one.end(), Some(0));
    assert_eq!(world.run("status --network home").code, 1);
}

#[test]
fn lines_go_into_a_lab_and_out_of_it_and_none_is_lost() {
    let world = World::new();
    world.start("-n 6");
    let mut sub = Running::spawn(world.command("sub lab --node 5 --json"));
    sub.first_line(|| drop(world.ok("send-message 1 probe")));
    let lines: String = (0..200).map(|number| format!("line {number}\n")).collect();
    let said = world.feed("pub lab --node 2", lines.as_bytes());
    assert_eq!(said.code, 0, "{said:?}");
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let message: serde_json::Value = serde_json::from_str(&sub.line()).unwrap();
        let text = message["text"].as_str().unwrap().to_owned();
        if text != "probe" {
            seen.push(text);
        }
    }
    let wanted: Vec<String> = (0..200).map(|number| format!("line {number}")).collect();
    seen.sort_by_key(|line| line.trim_start_matches("line ").parse::<u32>().unwrap());
    assert_eq!(seen, wanted);
}

#[test]
fn filters_in_one_group_share_the_lines_of_a_pattern() {
    let world = World::new();
    world.start("-n 3");
    let mut subs = Vec::new();
    for node in [2, 3] {
        let words = format!("sub work/* --group shift --node {node}");
        let mut sub = Running::spawn(world.command(&words));
        sub.first_line(|| drop(world.ok("send-message 1 probe --topic work/today")));
        subs.push(sub);
    }
    let lines: String = (10..30).map(|number| format!("{number}\n")).collect();
    let words = "pub work/today --node 1 --strategy least-recent";
    assert_eq!(world.feed(words, lines.as_bytes()).code, 0);
    let mut seen = Vec::new();
    for sub in &mut subs {
        let mine = std::iter::repeat_with(|| sub.line()).filter(|line| line != "probe\n");
        seen.extend(mine.take(10));
    }
    seen.sort();
    assert_eq!(seen.concat(), lines);
    let said = world.feed("pub work/* --node 1", b"x\n");
    assert!(said.code != 0 && said.err.contains("name one topic"), "{said:?}");
    let said = world.feed("pub work/today --node 1 --strategy best", b"x\n");
    assert!(said.code == 2 && said.err.contains("is no strategy"), "{said:?}");
}

#[test]
fn a_filter_ends_when_nobody_reads_it_any_more() {
    let world = World::new();
    world.start("-n 2");
    let mut sub = Running::spawn(world.command("sub lab"));
    assert_eq!(sub.first_line(|| drop(world.ok("send-message 1 x"))), "x\n");
    sub.close();
    assert_eq!(sub.end(), Some(0));
}

#[test]
fn a_door_says_where_foreign_programs_find_it() {
    let world = World::new();
    let words = "node --preset lab --foreign /ip4/127.0.0.1/tcp/0 --topic open";
    let mut node = Running::spawn(world.command(words));
    let line = node.line_with("listening");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line["listening"].as_str().unwrap().contains("/p2p/"));
    node.signal(Signal::SIGTERM);
    assert_eq!(node.end(), Some(0));
}

#[test]
fn a_node_whose_reader_went_away_goes_on() {
    let world = World::new();
    let mut node = Running::spawn(world.command("node --preset lab --network home --topic chat"));
    node.line();
    node.close();
    for _ in 0..3 {
        assert_eq!(world.feed("pub chat --network home", b"x\n").code, 0);
    }
    assert!(world.ok("status --network home").contains("1 of 1"));
    node.signal(Signal::SIGTERM);
    assert_eq!(node.end(), Some(0));
}

#[test]
fn what_happens_on_a_node_is_told() {
    let world = World::new();
    let listen = "node --preset lab --network home";
    let mut one = Running::spawn(world.command(listen));
    let join = format!("{listen} --join {}", one.line());
    let mut events = Running::spawn(world.command("events --network home --node 1"));
    let line = events.first_line(|| {
        let mut other = Running::spawn(world.command(&join));
        other.line();
        other.signal(Signal::SIGTERM);
        other.end();
    });
    let clock = line.split(' ').next().unwrap();
    assert_eq!((clock.len(), clock.matches(':').count()), (8, 2), "{line}");
    assert!(line.contains(" is online") || line.contains(" left"), "{line}");
    one.signal(Signal::SIGTERM);
    assert_eq!((one.end(), events.end()), (Some(0), Some(0)), "the stream ends with the node");
}

#[test]
fn an_api_on_tcp_wants_its_token() {
    let world = World::new();
    let data = world.folder().join("data");
    let place = format!("127.0.0.1:{}", world.port);
    let words = format!("node --preset lab --network home --data {} --api {place}", data.display());
    let mut node = Running::spawn(world.command(&words));
    node.line();
    let said = world.feed(&format!("pub chat --api {place}"), b"x\n");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("Authorization: Bearer"), "{said:?}");
    let token = std::fs::read_to_string(data.join("api.token")).unwrap();
    let mut with_token = world.command(&format!("pub chat --json --api {place}"));
    let with_token = with_token.env("GOSSIP_API_TOKEN", token).stdin(Stdio::piped());
    let mut child = with_token.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"x\n").unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert!(said.out.contains("\"number\":1"), "{said:?}");
    let said = world.run("sub chat --api 127.0.0.1:1");
    assert!(said.code == 1 && said.err.contains("no node answers"), "{said:?}");
}

#[test]
fn a_node_with_a_folder_is_the_same_after_a_restart_however_deep_it_is() {
    let world = World::new();
    let data = world.folder().join("deep/".repeat(30));
    let words = format!("node --preset lab --network home --data {}", data.display());
    let peer_id = || {
        let mut node = Running::spawn(world.command(&words));
        let address = node.line();
        assert_eq!(world.feed("pub chat --network home", b"x\n").code, 0);
        node.signal(Signal::SIGTERM);
        assert_eq!(node.end(), Some(0));
        address.trim().rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(peer_id(), peer_id());
}

#[test]
fn a_node_tells_once_that_nobody_answers_and_who_refuses_it() {
    let world = World::new();
    let told = world.folder().join("told");
    let heard = |sentence: &str| {
        std::fs::read_to_string(&told).unwrap().lines().filter(|it| it.contains(sentence)).count()
    };
    let node = |words: &str| {
        let mut command = world.command(words);
        command.stderr(std::fs::File::create(&told).unwrap());
        Running::spawn(command)
    };
    let nowhere = format!("/ip4/127.0.0.1/tcp/{}", world.port);
    let _alone = node(&format!("node --preset lab --network home --join {nowhere}"));
    let sentence = format!("nobody answers at {nowhere} yet; it is tried again");
    eventually("silence is told", || heard(&sentence) == 1);

    let mut one = Running::spawn(world.command("node --preset lab --network home"));
    let address = one.line();
    let _other = node(&format!("node --preset lab --network away --join {address}"));
    eventually("a refusal is told", || heard("refused this node") == 1);
    let _sub = node(&format!("sub chat --network away --join {address}"));
    eventually("to a filter too", || heard("refused this node") == 1);
}

#[test]
fn a_node_prints_what_is_published_through_it_too() {
    let world = World::new();
    let mut node = Running::spawn(world.command("node --preset lab --network home --topic chat"));
    node.line();
    assert_eq!(world.feed("pub chat --network home", b"hello\n").code, 0);
    assert_eq!(node.line(), "hello\n");
}

#[test]
fn a_filter_says_which_of_two_networks_it_speaks_through() {
    let world = World::new();
    world.start("-n 1");
    let mut node = Running::spawn(world.command("node --preset lab --network gossip"));
    node.line();
    let said = world.feed("pub chat", b"x\n");
    assert!(said.err.contains("through node-1 of network lab"), "{said:?}");
    assert_eq!(world.feed("pub chat --network gossip", b"x\n").err, "");
}

#[test]
fn a_line_that_is_too_large_is_refused_before_there_is_a_reader() {
    let world = World::new();
    let nowhere = format!("/ip4/127.0.0.1/tcp/{}", world.port);
    let said = world.feed(&format!("pub chat --network away --join {nowhere}"), &[b'a'; 1 << 21]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("line 1 was not sent") && said.err.contains("2097152 bytes"));
}

#[test]
fn a_late_filter_prints_what_was_said_before_it() {
    let world = World::new();
    world.start("-n 4");
    for number in 1..=12 {
        world.ok(&format!("send-message 1 line-{number} --wait"));
    }
    // Through a node that has it, and as a node of its own that has to ask.
    let mut sub = Running::spawn(world.command("sub lab --node 3 --last 3 --since 1h"));
    for number in 10..=12 {
        assert_eq!(sub.line(), format!("line-{number}\n"));
    }
    world.ok("send-message 2 live --wait");
    assert_eq!(sub.line(), "live\n");

    let mut since = Running::spawn(world.command("sub lab --node 3 --since 10m --json"));
    let first: serde_json::Value = serde_json::from_str(&since.line()).unwrap();
    assert_eq!((first["text"].as_str(), first["earlier"].as_bool()), (Some("line-1"), Some(true)));

    let said = world.run("sub lab --node 3 --since soon");
    assert!(said.code == 2 && said.err.contains("a time has the form"), "{said:?}");
    let said = world.run("sub lab --node 3 --last 3 --group g");
    assert!(said.code == 2 && said.err.contains("--group"), "{said:?}");
}

#[test]
fn a_late_filter_that_is_a_node_of_its_own_asks_the_others() {
    let world = World::new();
    let words = "node --preset lab --network home --topic chat";
    let mut node = Running::spawn(world.command(words));
    let address = node.line();
    let address = address.trim();
    for text in ["one\n", "two\n", "three\n"] {
        let words = format!("pub chat --network home --join {address}");
        let said = world.feed(&words, text.as_bytes());
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(node.line(), text);
    }
    let words = format!("sub chat --network home --join {address} --last 2");
    let mut sub = Running::spawn(world.command(&words));
    assert_eq!([sub.line(), sub.line()], ["two\n", "three\n"]);
}
