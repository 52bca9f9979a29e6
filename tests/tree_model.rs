//! The tree among many nodes, in virtual time: the scenarios that are shipped.

#![cfg(feature = "sim")]

use std::fs;
use std::path::PathBuf;

use gossip_mesh::sim::tree::{TreeScenario, is_tree, run};

#[test]
fn what_the_shipped_scenarios_expect_holds() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        if !is_tree(&text) {
            continue;
        }
        count += 1;
        let scenario = TreeScenario::from_toml(&text).unwrap();
        let report = run(&scenario).unwrap();
        println!("{}\n{}", path.display(), report.render());
        assert!(report.failures.is_empty(), "{}:\n{}", path.display(), report.render());
    }
    assert!(count >= 1, "only {count} scenarios");
}
