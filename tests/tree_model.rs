//! The tree among many nodes, in virtual time: the scenarios that are shipped.

#![cfg(test)]
#![cfg(feature = "sim")]

use std::fs;
use std::path::{Path, PathBuf};

use gossip_mesh::sim::tree::{TreeReport, TreeScenario, is_tree, run};

fn scenarios() -> Vec<(PathBuf, TreeScenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        is_tree(&text).then(|| (file, TreeScenario::from_toml(&text).unwrap()))
    };
    files.into_iter().filter_map(read).collect()
}

fn run_shown(file: &Path, scenario: &TreeScenario) -> TreeReport {
    let report = run(scenario).unwrap();
    println!("{}\n{}", file.display(), report.render());
    report
}

/// In a debug build with fewer nodes: a thousand take a minute there.
#[test]
fn what_the_shipped_scenarios_expect_holds() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 7, "only {} scenarios", scenarios.len());
    for (file, mut scenario) in scenarios {
        if cfg!(debug_assertions) {
            scenario.nodes = scenario.nodes.min(250);
        }
        let report = run_shown(&file, &scenario);
        assert!(report.failures.is_empty(), "{}:\n{}", file.display(), report.render());
    }
}

/// As the files are: for release builds.
#[test]
#[ignore = "a minute in a debug build"]
fn what_the_shipped_scenarios_expect_holds_at_full_size() {
    for (file, scenario) in scenarios() {
        let report = run_shown(&file, &scenario);
        assert!(report.failures.is_empty(), "{}:\n{}", file.display(), report.render());
    }
}
