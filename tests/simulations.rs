//! Every scenario in `simulations/`, with a few seeds each. Thousands of seeds:
//! `gossip simulate simulations/*.toml --seeds 1..1000`.

#![cfg(feature = "sim")]
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gossip_mesh::sim::broadcast::is_broadcast;
use gossip_mesh::sim::tree::is_tree;
use gossip_mesh::sim::{self, Scenario};

/// Worlds that cost more than this (nodes times virtual seconds) are only read: they are run by
/// command, in a release build.
const TOO_DEAR: f64 = 40_000.0;

/// Worlds that cost this much (nodes times virtual seconds) are run with one seed only.
const DEAR: f64 = 10_000.0;

const SEEDS: u64 = 2;

fn scenarios() -> Vec<(PathBuf, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        // Those of carriers are run by `broadcast_model` and `tree_model`.
        if is_broadcast(&text) || is_tree(&text) {
            return None;
        }
        let scenario = Scenario::from_toml(&text);
        let scenario = scenario.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Some((file, scenario))
    };
    files.into_iter().filter_map(read).collect()
}

fn cost(scenario: &Scenario) -> f64 {
    f64::from(scenario.nodes) * scenario.duration.0.as_secs_f64()
}

/// How the worlds of these seeds fell, each in a sentence.
fn fallen(scenario: &Scenario, seeds: u64) -> Vec<String> {
    let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let report = sim::run_many(scenario, 1..=seeds, jobs, &AtomicBool::new(false), &|_| {});
    assert_eq!(report.outcomes.len() as u64, seeds, "{}", scenario.name);
    let name = &scenario.name;
    let each = report.outcomes.iter().filter_map(|outcome| {
        Some(format!("{name}, seed {}: {}", outcome.seed, outcome.broken.as_ref()?))
    });
    each.chain(report.broken.iter().map(|reason| format!("{name}: {reason}"))).collect()
}

#[test]
fn every_scenario_holds() {
    let mut all = Vec::new();
    for (_, scenario) in scenarios() {
        match cost(&scenario) {
            cost if cost > TOO_DEAR => {}
            cost if cost > DEAR => all.extend(fallen(&scenario, 1)),
            _ => all.extend(fallen(&scenario, SEEDS)),
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// S9: the same file and seed give the same world, down to its last event.
#[test]
fn the_same_seed_gives_the_same_world() {
    for (_, scenario) in scenarios() {
        let shows = ["mixed", "replayer", "two-meshes"].contains(&scenario.name.as_str());
        if shows {
            let (one, again) = (sim::run(&scenario, 7), sim::run(&scenario, 7));
            assert_eq!((one.trace, one.events), (again.trace, again.events), "{}", scenario.name);
            assert_ne!(one.events, sim::run(&scenario, 8).events, "{}", scenario.name);
        }
    }
}

#[test]
fn every_scenario_is_named_like_its_file_says_what_it_shows_and_expects_something() {
    let scenarios = scenarios();
    for (file, scenario) in &scenarios {
        assert_eq!(file.file_stem().unwrap().to_string_lossy(), scenario.name);
        assert!(!scenario.description.is_empty(), "{}", scenario.name);
        assert!(!scenario.expect.is_empty(), "{}", scenario.name);
    }
}

#[test]
fn a_scenario_written_down_is_the_same_scenario() {
    for (_, scenario) in scenarios() {
        assert_eq!(Scenario::from_toml(&scenario.to_toml()).as_ref(), Ok(&scenario));
    }
}
