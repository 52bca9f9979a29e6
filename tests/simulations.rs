//! Every scenario in `simulations/`, with a few seeds each. Thousands of seeds:
//! `gossip simulate simulations/*.toml --seeds 1..1000`.

#![cfg(feature = "sim")]
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gossip_mesh::sim::broadcast::is_broadcast;
use gossip_mesh::sim::{self, Scenario};

/// Scenarios whose expectations need the verdicts of the quorum room. They are read and one world
/// of each is run to its end; that their expectations hold is not asked yet.
const AWAITING_VERDICTS: &[&str] = &[
    "busy-crash",
    "crash1-of-100",
    "crash1-of-1000",
    "crash1-of-300",
    "crash1-of-3000",
    "crash1-of-32",
    "crash1-of-5",
    "crash15-of-32",
    "crash30-of-100",
    "crash8-of-32",
    "power-cut",
    "tiny-3",
];

/// Worlds that cost this much (nodes times virtual seconds) are run with one seed only.
const DEAR: f64 = 10_000.0;

const SEEDS: u64 = 3;

fn scenarios() -> Vec<(PathBuf, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        // Those of the model of broadcast are run by `broadcast_model`.
        if is_broadcast(&text) {
            return None;
        }
        let scenario = Scenario::from_toml(&text);
        let scenario = scenario.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Some((file, scenario))
    };
    files.into_iter().filter_map(read).collect()
}

#[test]
fn every_scenario_holds() {
    let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut fallen = Vec::new();
    for (_, scenario) in scenarios() {
        let awaiting = AWAITING_VERDICTS.contains(&scenario.name.as_str());
        let cost = f64::from(scenario.nodes) * scenario.duration.0.as_secs_f64();
        let seeds = if awaiting || cost > DEAR { 1 } else { SEEDS };
        let stop = AtomicBool::new(false);
        let report = sim::run_many(&scenario, 1..=seeds, jobs, &stop, &|_| {});
        assert_eq!(report.outcomes.len() as u64, seeds, "{}", scenario.name);
        let broken = report.first_broken().and_then(|outcome| outcome.broken.clone());
        if let Some(reason) = broken.or(report.broken).filter(|_| !awaiting) {
            fallen.push(format!("{}: {reason}", scenario.name));
        }
    }
    assert!(fallen.is_empty(), "{}", fallen.join("\n"));
}

#[test]
fn every_scenario_is_named_like_its_file_says_what_it_shows_and_expects_something() {
    let scenarios = scenarios();
    for (file, scenario) in &scenarios {
        assert_eq!(file.file_stem().unwrap().to_string_lossy(), scenario.name);
        assert!(!scenario.description.is_empty(), "{}", scenario.name);
        assert!(!scenario.expect.is_empty(), "{}", scenario.name);
    }
    for name in AWAITING_VERDICTS {
        assert!(scenarios.iter().any(|(_, scenario)| scenario.name == *name), "no {name}");
    }
}

#[test]
fn a_scenario_written_down_is_the_same_scenario() {
    for (_, scenario) in scenarios() {
        assert_eq!(Scenario::from_toml(&scenario.to_toml()).as_ref(), Ok(&scenario));
    }
}
