//! Verdicts of real processes: killed, stopped for a while, cut off, and what `events` tells of it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::world::World;

/// Longer than what a verdict, a backoff and a way back in take on a busy machine.
const LONG: Duration = Duration::from_secs(40);

/// A pause that ends with a verdict. On a busy machine all waits grow, up to twenty timeouts for
/// each of three probes.
const TOO_LONG: Duration = Duration::from_secs(8);

/// The wait between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// `events --json` of some nodes, read in the background.
struct Told {
    lines: Arc<Mutex<Vec<(usize, Value)>>>,
    readers: Vec<Child>,
}

impl Told {
    /// Begins to read. What happens from here on is told.
    fn by(world: &World, numbers: impl IntoIterator<Item = usize>) -> Self {
        let mut told = Self { lines: Arc::default(), readers: Vec::new() };
        for number in numbers {
            let words = format!("events --json --node {number}");
            let mut reader = world.command(&words).spawn().unwrap();
            let (out, err) = (reader.stdout.take().unwrap(), reader.stderr.take().unwrap());
            told.readers.push(reader);
            let begun = BufReader::new(err).lines().next();
            assert!(begun.is_some_and(|line| line.unwrap().contains("from now on")));
            let lines = Arc::clone(&told.lines);
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    let event = serde_json::from_str(&line).unwrap();
                    lines.lock().unwrap().push((number, event));
                }
            });
        }
        told
    }

    fn names(&self) -> BTreeSet<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter_map(|(_, it)| Some(it["event"].as_str()?.to_owned())).collect()
    }

    fn first(&self, holds: impl Fn(usize, &Value) -> bool) -> Option<Value> {
        let lines = self.lines.lock().unwrap();
        lines.iter().find(|(number, it)| holds(*number, it)).map(|(_, it)| it.clone())
    }

    fn any(&self, holds: impl Fn(usize, &Value) -> bool) -> bool {
        self.first(holds).is_some()
    }

    /// Whether this one told of a verdict about this node.
    fn saw_down(&self, number: usize, id: &str) -> bool {
        self.any(|teller, it| teller == number && it["event"] == "down" && it["node"] == id)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (number, event) in self.lines.lock().unwrap().iter() {
                eprintln!("told by {number}: {event}");
            }
        }
        for reader in &mut self.readers {
            let _ = reader.kill();
            let _ = reader.wait();
        }
    }
}

#[track_caller]
fn in_time(what: &str, mut holds: impl FnMut() -> bool) {
    let mut left = LONG;
    while !holds() {
        assert!(!left.is_zero(), "not in {LONG:?}: {what}");
        std::thread::sleep(GLANCE);
        left = left.saturating_sub(GLANCE);
    }
}

fn row(world: &World, number: usize) -> Value {
    world.status()["nodes"][number - 1].clone()
}

fn id(world: &World, number: usize) -> String {
    row(world, number)["peer_id"].as_str().unwrap().to_owned()
}

/// All nodes are members and agree on one another.
#[track_caller]
fn whole(world: &World) {
    let mut last = Value::Null;
    let mut left = LONG;
    loop {
        let status = world.status();
        let nodes = status["nodes"].as_array().unwrap();
        let count = nodes.len();
        let whole = nodes
            .iter()
            .all(|it| it["phase"] == "active" && it["active"] == count && it["agreed"] == count);
        if whole {
            return;
        }
        assert!(!left.is_zero(), "{last}");
        last = status;
        std::thread::sleep(GLANCE);
        left = left.saturating_sub(GLANCE);
    }
}

/// Stops the process of a node for so long.
fn pause(world: &World, number: usize, span: Duration) {
    let pid = Pid::from_raw(i32::try_from(row(world, number)["pid"].as_i64().unwrap()).unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    std::thread::sleep(span);
    kill(pid, Signal::SIGCONT).unwrap();
}

#[test]
fn a_killed_node_is_down_at_all_others_and_the_proof_can_be_checked_by_anybody() {
    let world = World::new();
    world.start("complete -n 5");
    whole(&world);
    let told = Told::by(&world, [1, 2, 3, 4]);
    let dead = id(&world, 5);
    world.ok("fault kill 5");
    in_time("a verdict at all others", || (1..5).all(|number| told.saw_down(number, &dead)));
    assert_eq!(row(&world, 5)["standing"], "down");
    let story = world.ok("why 5");
    assert!(story.starts_with("node 5 is down"), "{story}");
    let proof = world.folder().join("proof.json");
    world.ok(&format!("why 5 --certificate {}", proof.display()));
    let said = world.ok(&format!("verdict verify {}", proof.display()));
    assert!(said.starts_with("valid: 3 nodes put out"), "{said}");
    let before = row(&world, 5)["incarnation"].clone();
    assert_eq!(before, Value::Null, "it does not run");
    world.ok("fault restart 5");
    whole(&world);
}

#[test]
fn a_short_pause_puts_nobody_out_and_a_long_one_ends_with_a_way_back() {
    let world = World::new();
    world.start("complete -n 5");
    whole(&world);
    let told = Told::by(&world, 1..=5);
    let (paused, before) = (id(&world, 3), row(&world, 3)["incarnation"].clone());
    // 1.2 s is what a quiet machine allows for; here others may run beside.
    pause(&world, 3, Duration::from_millis(900));
    whole(&world);
    assert!(!told.any(|_, it| it["event"] == "down"), "{:?}", told.names());

    pause(&world, 3, TOO_LONG);
    in_time("a verdict", || [1, 2, 4, 5].iter().all(|&number| told.saw_down(number, &paused)));
    let mut proof = Value::Null;
    in_time("the news at the one put out", || {
        let news = told.first(|number, it| number == 3 && it["event"] == "takedown_received");
        proof = news.map_or(Value::Null, |news| news["certificate"].clone());
        !proof.is_null()
    });
    let file = world.folder().join("proof.json");
    std::fs::write(&file, proof.to_string()).unwrap();
    let said = world.ok(&format!("verdict verify {}", file.display()));
    assert!(said.contains(&format!("put out {paused}")), "{said}");
    whole(&world);
    assert!(!told.any(|_, it| it["event"] == "down" && it["node"] != paused));
    let after = row(&world, 3)["incarnation"].clone();
    assert_eq!(before["life"], after["life"]);
    assert!(after["refutations"].as_u64() > before["refutations"].as_u64(), "{before} {after}");
}

#[test]
fn a_split_is_decided_by_the_majority_alone() {
    let world = World::new();
    world.start("complete -n 5");
    whole(&world);
    let told = Told::by(&world, 1..=5);
    let lost = [id(&world, 4), id(&world, 5)];
    world.ok("fault split 1-3");
    in_time("verdicts of the larger side", || {
        (1..4).all(|number| lost.iter().all(|lost| told.saw_down(number, lost)))
    });
    world.ok("fault heal");
    whole(&world);
    let stray = |_: usize, it: &Value| {
        it["event"] == "down" && !lost.iter().any(|lost| it["node"] == lost.as_str())
    };
    assert!(!told.any(stray));
}

/// Every event of membership reaches whoever reads `events`.
#[test]
fn all_that_membership_finds_is_told() {
    let world = World::new();
    world.start("complete -n 6");
    whole(&world);
    let told = Told::by(&world, 1..=6);
    let has = |words: &[&str]| {
        let names = told.names();
        in_time(&format!("{words:?}, but {names:?}"), || {
            let names = told.names();
            words.iter().all(|word| names.contains(*word))
        });
    };
    // One of two ends of a broken link finds out that it is only the link.
    world.ok("fault cut 1 2");
    has(&["suspected", "witness_asked", "witness_up", "suspicion_ended", "link_down"]);
    has(&["unreachable", "self_doubt", "self_checked"]);
    world.ok("fault heal");
    // A pause that is long enough to be suspected, and not to be put out.
    in_time("a refutation", || {
        pause(&world, 3, Duration::from_millis(900));
        std::thread::sleep(Duration::from_millis(300));
        told.names().contains("refuted")
    });
    // One that is too long.
    pause(&world, 4, TOO_LONG);
    has(&["witness_down", "down", "view_changed", "takedown_received", "going_down", "rejoined"]);
    whole(&world);
    // Of two that die at once, one may be asked about the other.
    world.ok("fault cut 5 all");
    has(&["considered_self_down", "witness_silent"]);
    world.ok("fault heal");
    whole(&world);
    world.ok("stop-network");

    world.start("complete -n 2");
    whole(&world);
    let two = Told::by(&world, [1]);
    world.ok("fault kill 2");
    in_time("quorum_unavailable", || two.names().contains("quorum_unavailable"));
}
