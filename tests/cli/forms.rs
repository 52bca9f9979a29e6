//! Every form of the commands that only look.

use std::fs;

use super::world::World;

#[test]
fn messages_are_shown_in_all_forms() {
    let world = World::new();
    world.start("complete -n 4");
    world.ok("send-message 1 fig --wait");
    let paths = |options: &str| {
        let shown = world.ok(&format!("get-messages 2 all {options}"));
        assert!(shown.starts_with("all messages of node 2 (1)\n  • "), "{shown}");
        shown.lines().skip(2).count()
    };
    assert_eq!(paths("-p"), 1);
    assert_eq!(paths("-pp"), 1);
    assert!((1..=2).contains(&paths("-p -pp")));
    assert_eq!(paths("-ppp"), paths("-p -pp"));
    assert_eq!(paths("-A"), paths(""));
    assert!(paths("") >= paths("-ppp"));
    let line = |options: &str| {
        world.ok(&format!("get-messages 2 all {options}")).lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(line(""), "  • fig");
    assert!(line("-t").starts_with("  • fig  sent "));
    assert_eq!(line("--time"), line("-t"));
    assert_eq!(line("-tt").len(), line("-t").len() + 2 * "2026-11-20 ".len());
    assert_eq!(line("--time --time"), line("-tt"));
    assert!(line("-ttt").ends_with(" +00:00  fig"), "{}", line("-ttt"));
    assert_eq!(
        world.ok("get-messages 2 --topic other"),
        "no unread messages of node 2 on topic other\n"
    );

    let json: serde_json::Value =
        serde_json::from_str(&world.ok("get-messages 2 all --json")).unwrap();
    assert_eq!(json[0]["text"], "fig");
    assert_eq!(json[0]["id"]["topic"], "lab");
    assert!(json[0]["ways"][0]["complete"].as_bool().unwrap());
}

#[test]
fn list_peers_goes_as_far_as_asked() {
    let world = World::new();
    world.start("line -n 4");
    let numbers = |words: &str| -> Vec<(u64, u64)> {
        let list: serde_json::Value = serde_json::from_str(&world.ok(words)).unwrap();
        let pair = |peer: &serde_json::Value| {
            (peer["distance"].as_u64().unwrap(), peer["number"].as_u64().unwrap())
        };
        list.as_array().unwrap().iter().map(pair).collect()
    };
    assert_eq!(numbers("list-peers 1 --json"), [(1, 2)]);
    assert_eq!(numbers("list-peers 1 --depth 2 --json"), [(1, 2), (2, 3)]);
    assert_eq!(numbers("list-peers 2 --depth=3 --json"), [(1, 1), (1, 3), (2, 4)]);
    assert_eq!(numbers("list-peers 2 --depth 4000000000 --json").len(), 3);
    let table = world.ok("list-peers 2");
    assert!(table.starts_with("DISTANCE  NODE  NAME    PEER ID"), "{table}");
    assert!(table.contains("node-3") && table.contains("/ip4/127.0.0.1/tcp/"), "{table}");
}

#[test]
fn plots_are_files_of_every_kind_and_drawings() {
    let world = World::new();
    world.start("circular -n 5");
    for (ending, beginning) in
        [("svg", &b"<svg"[..]), ("png", b"\x89PNG"), ("dot", b"graph"), ("json", b"{")]
    {
        let file = world.folder().join(format!("map.{ending}"));
        world.ok(&format!("plot --layout circle --output {}", file.display()));
        let bytes = fs::read(&file).unwrap();
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert!(bytes.windows(beginning.len()).take(200).any(|at| at == beginning), "{start}");
    }
    let json = fs::read(world.folder().join("map.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["edges"], serde_json::json!([[1, 2], [1, 5], [2, 3], [3, 4], [4, 5]]));
    let drawing = world.ok("plot");
    assert!(drawing.contains("5 nodes · 5 links · diameter 2"), "{drawing}");
    assert!(!drawing.contains('\u{1b}'), "no colours in a pipe");
    let nowhere = world.run("plot --output /nowhere/map.svg");
    assert!(nowhere.code == 1 && nowhere.err.contains("cannot be written"), "{nowhere:?}");
}

#[test]
fn shells_and_readers_of_manuals_are_served() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(world.ok(&format!("completions {shell}")).contains("start-network"));
    }
    // A manual page writes a hyphen with a backslash.
    assert!(world.ok("man").contains("start\\-network"));
    assert!(world.ok("man send-message").contains("relays"));
    assert!(world.ok("man fault cut").contains("gossip\\-fault\\-cut"));
    assert!(world.ok("--help").contains("send-message"));
    assert!(world.ok("--version").starts_with("gossip "));
}
