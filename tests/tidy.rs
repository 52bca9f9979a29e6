//! The house rules that a compiler does not know, read from the sources.
//!
//! A finding says where, which rule, and what to do. Imports go down: `bin` sees only the public
//! API, `node` all below, `net` and `engine` what they translate, a room its own things and
//! `base`, `base` nothing. Rooms are strangers.

#![cfg(test)]

use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

/// What each floor may name after `crate::`, the first matching floor counts. `{room}` stands for
/// the room's own folder.
const FLOORS: &[(&str, &[&str])] = &[
    ("src/base/", &["base"]),
    ("src/store/", &["base", "store"]),
    ("src/protocol/", &["base", "store::op", "protocol::{room}"]),
    // The file and the folder.
    ("src/config", &["base", "protocol"]),
    ("src/engine/", &["base", "config", "store::op", "protocol", "engine"]),
    ("src/net/", &["base", "config", "protocol", "engine", "net"]),
    // The model stands beside real nodes there.
    ("src/sim/broadcast/check", &["base", "config", "protocol", "node", "sim"]),
    ("src/sim/", &["base", "config", "store::op", "protocol", "engine", "sim"]),
    ("src/node/", &["base", "config", "store", "protocol", "engine", "net", "node"]),
];

/// What decides must be reproducible, so it names no runtime, no clock, no disk, and no collection
/// whose order differs from run to run.
const PURE: &[&str] = &["src/base/", "src/protocol/", "src/engine/", "src/store/op.rs"];
const IMPURE_CRATES: &[&str] =
    &["tokio::", "libp2p::", "redb::", "std::fs", "std::thread", "std::process", "std::env"];
const IMPURE_TYPES: &[&str] =
    &["SystemTime", "Instant", "HashMap", "HashSet", "TcpStream", "TcpListener", "UdpSocket"];

/// Names that say nothing. (Words of the command line are the users' and stay.)
const EMPTY_NAMES: &[&str] =
    &["manager", "service", "util", "utils", "helper", "helpers", "common"];

/// Folders of one machine, of which no other machine knows.
const HOMES: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

const MAX_COLUMNS: usize = 100;

#[derive(Debug)]
struct Finding {
    file: String,
    line: usize,
    rule: &'static str,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.advice)
    }
}

/// One line of a source file.
struct Line<'a> {
    file: &'a str,
    number: usize,
    text: &'a str,
    /// Without comments.
    code: &'a str,
    /// Below the `mod tests {` of its file.
    in_tests: bool,
}

impl Line<'_> {
    fn finding(&self, rule: &'static str, advice: impl Into<String>) -> Finding {
        let Self { file, number, .. } = *self;
        Finding { file: file.to_owned(), line: number, rule, advice: advice.into() }
    }

    fn is_test(&self) -> bool {
        self.in_tests
            || !self.file.starts_with("src/")
            || self.file.contains("/tests/")
            || self.file.ends_with("/tests.rs")
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.file.starts_with(place))
    }

    /// The code names this word, as a word of its own.
    fn names(&self, word: &str) -> bool {
        self.words().any(|found| found == word)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
    }
}

type Rule = fn(&Line) -> Option<Finding>;

const RULES: &[Rule] = &[
    imports_go_down,
    strangers_do_not_climb,
    pure_is_pure,
    no_unwrap,
    no_bare_allow,
    everything_is_bounded,
    lines_fit,
    mod_rs_is_a_map,
    names_say_something,
    paths_are_relative,
];

fn imports_go_down(line: &Line) -> Option<Finding> {
    let (floor, allowed) = FLOORS.iter().find(|(floor, _)| line.file.starts_with(floor))?;
    let room = line.file.strip_prefix("src/protocol/").and_then(|rest| rest.split('/').next());
    let own = room.unwrap_or_default().trim_end_matches(".rs");
    let allowed: Vec<String> = allowed.iter().map(|path| path.replace("{room}", own)).collect();
    let named = line.code.split("crate::").skip(1);
    let path = named.map(path_of).find(|path| {
        let root = path.chars().next().is_some_and(char::is_uppercase);
        let fits = |floor: &String| path == floor || path.starts_with(&format!("{floor}::"));
        !(root && line.is_test() || allowed.iter().any(fits))
    })?;
    let advice = format!(
        "`{floor}…` may not name `crate::{path}`, only {}: take what is needed as an input, or \
         move it down (one `use` per module, so that this test can read it)",
        allowed.join(", ")
    );
    Some(line.finding("imports go down", advice))
}

/// `base::id` out of `base::id::{Life, NodeId};`
fn path_of(text: &str) -> String {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    text[..end.unwrap_or(text.len())].trim_end_matches(':').to_owned()
}

fn strangers_do_not_climb(line: &Line) -> Option<Finding> {
    (!line.is_test() && line.code.contains("super::super::"))
        .then(|| line.finding("imports go down", "write the path from `crate::`, not upwards"))
}

fn pure_is_pure(line: &Line) -> Option<Finding> {
    if !line.is_in(PURE) || line.is_test() {
        return None;
    }
    let path = IMPURE_CRATES.iter().find(|path| line.code.contains(*path));
    let word = path.or_else(|| IMPURE_TYPES.iter().find(|word| line.names(word)))?;
    let advice = format!(
        "`{word}` in a pure floor: time comes in as `now`, bytes as inputs, what is wanted goes \
         out as an output, and collections iterate in order (`BTreeMap`, `hashlink`)"
    );
    Some(line.finding("pure is pure", advice))
}

fn no_unwrap(line: &Line) -> Option<Finding> {
    // In a const it fails while compiling.
    let unwraps = line.code.contains(".unwrap()") && !line.code.contains("const {");
    (unwraps && line.file.starts_with("src/") && !line.is_test())
        .then(|| line.finding("no unwrap", "give an error, or `expect` with the proved invariant"))
}

fn no_bare_allow(line: &Line) -> Option<Finding> {
    let bare = ["#[allow(", "#![allow("].iter().any(|allow| line.code.contains(allow));
    bare.then(|| line.finding("no bare allow", "write `#[expect(lint, reason = \"…\")]`"))
}

fn everything_is_bounded(line: &Line) -> Option<Finding> {
    let unbounded = ["unbounded", "unbounded_channel", "unbounded_send"];
    let named = unbounded.iter().any(|word| line.names(word));
    named.then(|| line.finding("everything is bounded", "use a bounded channel, say what happens"))
}

fn lines_fit(line: &Line) -> Option<Finding> {
    let text = line.text.trim_start();
    // A row of a table cannot be broken.
    let row = ["//! |", "/// |"].iter().any(|begin| text.starts_with(begin));
    let columns = line.text.chars().count();
    // What rustfmt leaves alone inside a macro of a test may stay; sentences may not.
    let fits = columns <= MAX_COLUMNS || row || line.is_test() && !text.starts_with("//");
    (!fits).then(|| line.finding("lines fit", format!("{columns} columns, at most {MAX_COLUMNS}")))
}

fn mod_rs_is_a_map(line: &Line) -> Option<Finding> {
    let logic = line.file.ends_with("/mod.rs") && !line.is_test() && line.names("fn");
    logic.then(|| {
        line.finding("`mod.rs` is spec and map", "move the function into a file named by its idea")
    })
}

fn names_say_something(line: &Line) -> Option<Finding> {
    if !line.file.starts_with("src/") {
        return None;
    }
    let mut words = line.words();
    words.find(|word| ["fn", "mod", "struct", "enum", "trait", "type"].contains(word))?;
    let name = words.next()?;
    let parts = parts_of(name);
    let empty = parts.iter().any(|part| EMPTY_NAMES.contains(&part.as_str()));
    // What the standard library calls so, and what is typed so on the command line, may stay.
    let getter = name.starts_with("get_") && !["get_mut", "get_messages"].contains(&name);
    (empty || getter).then(|| {
        line.finding("names say something", format!("`{name}`: say what it does or holds"))
    })
}

/// `peer_manager` and `PeerManager` are both `peer`, `manager`.
fn parts_of(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            parts.push(String::new());
        }
        if letter != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(letter.to_lowercase());
        }
    }
    parts
}

fn paths_are_relative(line: &Line) -> Option<Finding> {
    let home = HOMES.iter().find(|home| line.text.contains(*home))?;
    let advice = format!("`{home}…` exists on one machine: use a path the user or a test gives");
    Some(line.finding("paths are relative", advice))
}

fn check(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_tests = false;
    for (index, text) in text.lines().enumerate() {
        in_tests |= text == "mod tests {";
        let code = text.split("//").next().unwrap_or_default();
        let line = Line { file, number: index + 1, text, code, in_tests };
        findings.extend(RULES.iter().filter_map(|rule| rule(&line)));
    }
    findings
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["src", "tests", "examples", "benches"]
        .iter()
        .for_each(|part| sources(&root.join(part), &mut files));
    assert!(files.len() > 100, "only {} files found under {}", files.len(), root.display());
    files.sort();
    let mut report = String::new();
    for path in files {
        let file = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        // This file names what it forbids.
        if file == "tests/tidy.rs" {
            continue;
        }
        for finding in check(&file, &fs::read_to_string(&path).unwrap()) {
            writeln!(report, "  {finding}").unwrap();
        }
    }
    assert!(report.is_empty(), "the house is not tidy:\n{report}");
}

/// A rule that finds nothing in what it forbids would pass for ever.
#[test]
fn every_rule_finds_what_it_forbids() {
    let long = format!("// {}", "x".repeat(98));
    let home = format!("// see {}me/x", "/ho");
    let allow = format!("#[{}(dead_code)]", "allow");
    let broken = [
        ("src/base/id.rs", "use crate::engine::Engine;"),
        ("src/store/writer.rs", "use crate::protocol::topic::Topic;"),
        ("src/protocol/topic/machine.rs", "use crate::protocol::link::Link;"),
        ("src/protocol/topic/machine.rs", "use crate::{base, net};"),
        ("src/protocol/topic/machine.rs", "use super::super::link::Link;"),
        ("src/protocol/topic/machine.rs", "let x = crate::net::clock::wall_time();"),
        ("src/engine/route.rs", "use crate::node::Node;"),
        ("src/net/network.rs", "use crate::store::Store;"),
        ("src/config/check.rs", "use crate::engine::Engine;"),
        ("src/protocol/topic/machine.rs", "use std::time::Instant;"),
        ("src/protocol/topic/machine.rs", "use std::collections::HashMap;"),
        ("src/engine/route.rs", "use tokio::sync::mpsc;"),
        ("src/base/id.rs", "use libp2p::PeerId;"),
        ("src/node/driver.rs", "let x = y.unwrap();"),
        ("src/node/driver.rs", &allow),
        ("src/node/driver.rs", "let (a, b) = mpsc::unbounded_channel();"),
        ("src/node/driver.rs", &long),
        ("src/sim/stage.rs", "use crate::net::clock;"),
        ("src/node/mod.rs", "fn decide() {}"),
        ("src/node/driver.rs", "struct LinkManager;"),
        ("src/node/driver.rs", "pub fn get_links(&self) {}"),
        ("src/node/driver.rs", &home),
    ];
    for (file, text) in broken {
        assert_eq!(check(file, text).len(), 1, "{file}: {text}");
    }
    let fine = [
        ("src/base/key.rs", "use libp2p_identity::Keypair;"),
        ("src/protocol/topic/machine.rs", "use crate::protocol::topic::wire::Message;"),
        ("src/protocol/topic/machine.rs", "use hashlink::LinkedHashMap; // not HashMap"),
        ("src/protocol/topic/tests/world.rs", "use crate::Multiaddr;"),
        ("src/net/behaviour.rs", "const { NonZeroUsize::new(64).unwrap() }"),
        ("tests/topics.rs", "let x = y.unwrap();"),
    ];
    for (file, text) in fine {
        assert!(check(file, text).is_empty(), "{file}: {text}");
    }
}
