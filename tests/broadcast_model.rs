//! The model of broadcast: beside real nodes, and in the scenarios that are shipped.

#![cfg(all(feature = "net", feature = "sim"))]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use gossip_mesh::sim::broadcast::{BroadcastExpect, BroadcastScenario, check, is_broadcast, run};

/// Sixteen real nodes, fifty messages.
fn sixteen() -> BroadcastScenario {
    BroadcastScenario {
        check: vec![16],
        messages: 50,
        warmup: Duration::from_secs(2),
        flood_publish: false,
        expect: BroadcastExpect { reached: Some(1.0), ..BroadcastExpect::default() },
        ..BroadcastScenario::default()
    }
}

async fn holds(scenario: &BroadcastScenario) {
    let found = check(scenario).await.expect("the nodes find each other");
    println!("{}", found.render());
    assert!(found.failures.is_empty(), "{}", found.render());
}

/// Six runs on a busy machine differed by 3 to 15 % in hops and by -13 to 12 % in copies: a network
/// of real nodes is one mesh by chance, the model is the mean of twenty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_real_nodes_with_a_mesh_do_what_the_model_says() {
    let mut scenario = sixteen();
    scenario.expect.hops_differ = Some(0.25);
    scenario.expect.copies_differ = Some(0.30);
    holds(&scenario).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_real_nodes_in_a_fixed_graph_do_what_the_model_says() {
    let mut scenario = BroadcastScenario { fixed: true, links: 3, ..sixteen() };
    scenario.expect.hops_differ = Some(0.25);
    // Six runs differed by 1 to 6 % in hops and at most 0.3 % in copies: who sends to whom follows
    // from the graph alone, but for copies that meet on a link.
    scenario.expect.copies_differ = Some(0.05);
    holds(&scenario).await;
}

/// The shipped scenarios, with a thousand nodes and three seeds: more is for release builds.
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
        if !is_broadcast(&text) {
            continue;
        }
        count += 1;
        let mut scenario = BroadcastScenario::from_toml(&text).unwrap();
        scenario.nodes = scenario.nodes.min(1_000);
        for seed in 1..=3 {
            scenario.seed = seed;
            let report = run(&scenario).unwrap();
            assert!(report.failures.is_empty(), "{}:\n{}", path.display(), report.render());
        }
    }
    assert!(count >= 9, "only {count} scenarios");
}
